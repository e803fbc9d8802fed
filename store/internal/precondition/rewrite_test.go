// SPDX-License-Identifier: Apache-2.0

package precondition_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
)

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

func unsigned(name string) bool { return strings.HasPrefix(name, "u") }

var (
	errAlien   = errors.New("no action for the attribute")
	errNetwork = errors.New("connection reset")
	errFailed  = errors.New("condition failed")
)

// sealer is a toy of the item format: unsigned names stay, names with c become
// ciphertext, and the footer covers the names and values of all but the unsigned
// ones.
type sealer struct{ count uint64 }

func (s *sealer) seal(plain envelope.Item) (envelope.Item, error) {
	out := envelope.Item{}
	for n, v := range plain {
		if strings.HasPrefix(n, "alien") || strings.HasPrefix(n, envelope.ReservedPrefix) {
			return nil, fmt.Errorf("%w: %s", errAlien, n)
		}
		if out[n] = v; strings.HasPrefix(n, "c") {
			out[n] = &types.AttributeValueMemberB{Value: []byte(fmt.Sprint(s.count,
				v.(*types.AttributeValueMemberS).Value))}
		}
	}
	s.count++
	out[envelope.HeaderAttribute] = &types.AttributeValueMemberB{Value: binary.BigEndian.AppendUint64(nil, s.count)}
	out[envelope.FooterAttribute] = footer(out)
	return out, nil
}

func footer(item envelope.Item) types.AttributeValue {
	h := sha256.New()
	for _, n := range slices.Sorted(maps.Keys(item)) {
		if !unsigned(n) && n != envelope.FooterAttribute {
			fmt.Fprintf(h, "%q", n)
			switch v := item[n].(type) {
			case *types.AttributeValueMemberS:
				fmt.Fprintf(h, "S%q", v.Value)
			case *types.AttributeValueMemberB:
				fmt.Fprintf(h, "B%q", v.Value)
			}
		}
	}
	return &types.AttributeValueMemberB{Value: h.Sum(nil)}
}

// open returns the plaintext of an item, or false if it does not verify.
func open(item envelope.Item) (envelope.Item, bool) {
	out := envelope.Item{}
	for n, v := range item {
		if b, is := v.(*types.AttributeValueMemberB); is && strings.HasPrefix(n, "c") {
			v = s(strings.TrimLeft(string(b.Value), "0123456789"))
		}
		if !strings.HasPrefix(n, envelope.ReservedPrefix) {
			out[n] = v
		}
	}
	b, _ := item[envelope.FooterAttribute].(*types.AttributeValueMemberB)
	return out, b != nil && bytes.Equal(b.Value, footer(item).(*types.AttributeValueMemberB).Value)
}

// table is a table of one item, with a network to it and other writers on it.
type table struct {
	*sealer
	plain  envelope.Item // that the rewrite makes
	item   envelope.Item // as it is stored
	others envelope.Item // as it would be without the rewrite
	// before and after run around each application of an update; after only
	// where the answer gets lost.
	before, after func()
	// outcome of the next call.
	outcome func() outcome
	calls   int
}

type outcome int

const (
	answered outcome = iota
	lost             // applied; the SDK then repeats it
	unsent           // not applied, and an error
	cut              // applied, and an error
)

func (t *table) Seal(_ context.Context, added envelope.Item) (envelope.Item, error) {
	plain := maps.Clone(t.plain)
	maps.Copy(plain, added)
	return t.seal(plain)
}

func (t *table) Update(ctx context.Context, in *dynamodb.UpdateItemInput) (envelope.Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.calls++
	scope, err := ddbexpr.NewScope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	condition, err := scope.Condition(ddbexpr.KindCondition, *in.ConditionExpression)
	if err != nil {
		return nil, err
	}
	update, err := scope.Update(*in.UpdateExpression)
	if err == nil {
		err = scope.Unused()
	}
	if err != nil {
		return nil, err
	}
	o := t.outcome()
	if o == unsent {
		return nil, errNetwork
	}
	t.before()
	for attempt := 0; ; attempt++ {
		holds, err := condition.Evaluate(t.item)
		if err != nil {
			return nil, err
		}
		if !holds {
			return nil, &precondition.Refused{Item: maps.Clone(t.item), Err: errFailed}
		}
		if t.item, err = update.Apply(t.item); err != nil {
			return nil, err
		}
		if o == answered || attempt > 0 {
			return maps.Clone(t.item), nil
		}
		t.after()
		if o == cut {
			return nil, errNetwork
		}
	}
}

// set is another writer's UpdateItem.
func (t *table) set(name, value string) {
	for _, item := range []envelope.Item{t.item, t.others} {
		if item != nil {
			item[name] = s(value)
		}
	}
}

var itemOptions = cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b types.AttributeValue) bool {
	x, y := fmt.Sprintf("%T", a), fmt.Sprintf("%T", b)
	return x == y && fmt.Sprint(values(a)) == fmt.Sprint(values(b))
})}

func values(v types.AttributeValue) any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberB:
		return v.Value
	}
	return nil
}

// TestRewriteModel: whatever other writers and the network do, nothing of theirs
// is lost, and the item verifies in the end or is as they left it.
func TestRewriteModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	synctest.Test(t, func(t *testing.T) {
		outcomes := map[string]int{}
		for round := range 2000 {
			w, r := newRound(random)
			outcomes[w.run(t, r, round)]++
			if t.Failed() {
				return
			}
		}
		for _, o := range []string{"written", "refused", "restored", "replaced"} {
			if outcomes[o] == 0 {
				t.Errorf("no round ended as %s: %v", o, outcomes)
			}
		}
	})
}

// newRound makes an item, plaintext or sealed, and a table of random events.
func newRound(random *rand.Rand) (*table, *precondition.Rewrite) {
	w := &table{sealer: &sealer{}}
	old := envelope.Item{"k": s("key"), "s1": s("a"), "c1": s("b"), "u1": s("c"), "c2": s("d")}
	for _, n := range []string{"s1", "c1", "u1", "c2"} {
		if random.IntN(4) == 0 {
			delete(old, n)
		}
	}
	w.plain = maps.Clone(old)
	if random.IntN(2) == 0 { // as store.Update does
		w.plain["s3"], w.plain["c1"] = s("new"), s("changed")
		delete(w.plain, "c2")
	}
	stored := old
	r := &precondition.Rewrite{Table: "t", Key: envelope.Item{"k": s("key")}, Unsigned: unsigned, Loose: unsigned}
	if random.IntN(3) == 0 {
		stored, _ = w.seal(old)
	}
	next, _ := w.seal(w.plain)
	r.Stored, r.Next = stored, next
	w.item, w.others = maps.Clone(stored), maps.Clone(stored)
	events := random.IntN(4)
	event := func() {
		for ; events > 0 && random.IntN(2) == 0; events-- {
			// Each event has its own name and value: a writer that overwrites an
			// attribute after it was signed breaks the item, whatever a rewrite does.
			n := fmt.Sprint(events)
			sealed := w.others[envelope.FooterAttribute] != nil
			switch kind := random.IntN(14); {
			case kind < 3:
				w.set("u-new"+n, "theirs")
			case kind < 4 && w.others["u1"] != nil:
				w.set("u1", "theirs "+n)
			case kind < 7 && !sealed:
				w.set([]string{"s-new", "c-new"}[random.IntN(2)]+n, "theirs")
			case kind < 8 && !sealed:
				w.set("alien"+n, "theirs")
			case kind < 9 && w.item[envelope.FooterAttribute] == nil && w.others["s1"] != nil:
				w.set("s1", "theirs")
			case kind == 9 && w.calls == 1 || kind > 10 && w.calls > 1:
				w.item, _ = w.seal(envelope.Item{"k": s("key"), "s1": s("their put")})
				w.others = maps.Clone(w.item)
			case kind == 10:
				w.item, w.others = nil, nil
			}
		}
	}
	w.before, w.after = event, event
	w.outcome = func() outcome {
		if w.calls == 1 { // the first failure ends the rewrite
			return []outcome{answered, answered, lost}[random.IntN(3)]
		}
		return []outcome{answered, answered, lost, unsent, cut}[random.IntN(5)]
	}
	return w, r
}

// run does the rewrite, checks the result and returns its kind.
func (t *table) run(tt *testing.T, r *precondition.Rewrite, round int) string {
	tt.Helper()
	added, err := r.Do(context.Background(), t)
	plain, verifies := open(t.item)
	_, theirs := open(t.others)
	var refused *precondition.Refused
	same := cmp.Equal(t.item, t.others, itemOptions)
	switch {
	case errors.As(err, &refused) && same:
		return "refused"
	case errors.Is(err, errAlien) && !errors.Is(err, precondition.ErrUnsealed) && same:
		return "restored"
	case err == nil && same && (theirs || t.others == nil):
		return "replaced"
	case err != nil || !verifies:
		tt.Errorf("round %d: %v, verifies %t\n%s", round, err, verifies, cmp.Diff(t.others, t.item, itemOptions))
		return "wrong"
	}
	want := maps.Clone(t.plain)
	for n, v := range t.others {
		old, had := r.Stored[n]
		if !had || unsigned(n) && !cmp.Equal(v, old, itemOptions) {
			want[n] = v
		}
	}
	if d := cmp.Diff(want, plain, itemOptions); d != "" {
		tt.Errorf("round %d: %s", round, d)
	}
	for n, v := range added {
		if _, own := r.Next[n]; own || !cmp.Equal(v, t.others[n], itemOptions) {
			tt.Errorf("round %d: added %q", round, n)
		}
	}
	for n := range want {
		if _, has := added[n]; !has && t.plain[n] == nil {
			tt.Errorf("round %d: %q is not among the added", round, n)
		}
	}
	return "written"
}

// quiet is a table without other writers whose calls are answered.
func quiet(stored envelope.Item) (*table, *precondition.Rewrite) {
	w := &table{sealer: &sealer{}, plain: stored, item: stored, others: stored, before: func() {}, after: func() {},
		outcome: func() outcome { return answered }}
	next, _ := w.seal(stored)
	return w, &precondition.Rewrite{Table: "t", Key: envelope.Item{"k": s("key")}, Stored: stored, Next: next,
		Loose: unsigned, Unsigned: unsigned}
}

// TestRewriteLimits: the widest item is bound by the operators of the condition,
// and what is accepted is within DynamoDB's limits.
func TestRewriteLimits(t *testing.T) {
	for _, c := range []struct {
		had, gets, loses int // attributes besides the key
		ok               bool
	}{
		{1, 0, 0, true}, {148, 0, 0, true}, {149, 0, 0, false},
		{148, 0, 148, true}, {50, 90, 0, true}, {50, 120, 0, false}, {1, 125, 0, true}, {1, 400, 0, false},
	} {
		item := envelope.Item{"k": s("key")}
		for i := range c.had {
			item[fmt.Sprint("c", i)] = s("x")
		}
		w, r := quiet(item)
		w.plain = envelope.Item{"k": s("key")}
		for i := range c.had - c.loses {
			w.plain[fmt.Sprint("c", i)] = s("x")
		}
		for i := range c.gets {
			w.plain[fmt.Sprint("s-new", i)] = s("x")
		}
		r.Next, _ = w.seal(w.plain)
		_, err := r.Do(t.Context(), w)
		if _, verifies := open(w.item); c.ok && (err != nil || !verifies) || !c.ok &&
			!errors.Is(err, precondition.ErrTooWide) {
			t.Errorf("%+v: %v, verifies %t", c, err, verifies)
		}
		if _, err := r.Input(); (err == nil) != c.ok {
			t.Errorf("%+v: Input says %v", c, err)
		}
	}
}

// TestRewriteCancelled: the second update comes even if the caller gives up.
func TestRewriteCancelled(t *testing.T) {
	w, r := quiet(envelope.Item{"k": s("key"), "c1": s("x")})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.before = func() {
		if w.calls == 1 {
			w.item["c-new"] = s("theirs")
			cancel()
		}
	}
	added, err := r.Do(ctx, w)
	if plain, verifies := open(w.item); err != nil || !verifies || plain["c-new"] == nil || len(added) != 1 ||
		w.calls != 2 {
		t.Errorf("%v, verifies %t, added %d, calls %d", err, verifies, len(added), w.calls)
	}
}

// TestRewriteUnsealed: when every further call fails, the error says that the
// item does not verify.
// guarantees: M7
func TestRewriteUnsealed(t *testing.T) {
	for name, attribute := range map[string]string{"to be sealed": "c-new", "to be restored": "alien"} {
		synctest.Test(t, func(t *testing.T) {
			w, r := quiet(envelope.Item{"k": s("key"), "c1": s("x")})
			w.before = func() { w.item[attribute] = s("theirs") }
			w.outcome = func() outcome {
				if w.calls == 1 {
					return answered
				}
				return unsent
			}
			_, err := r.Do(t.Context(), w)
			if _, verifies := open(w.item); !errors.Is(err, precondition.ErrUnsealed) || !errors.Is(err, errNetwork) ||
				verifies || w.calls != 21 {
				t.Errorf("%s: %v, verifies %t, calls %d", name, err, verifies, w.calls)
			}
			if strings.HasPrefix(attribute, "alien") && !errors.Is(err, errAlien) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// TestRewriteNothing: an item that stays as it is costs no call.
func TestRewriteNothing(t *testing.T) {
	w, r := quiet(envelope.Item{"k": s("key"), "c1": s("x")})
	r.Next, r.Loose, r.Unsigned = r.Stored, nil, nil
	if _, err := r.Do(t.Context(), w); err != nil || w.calls != 0 {
		t.Errorf("%v, %d calls", err, w.calls)
	}
}
