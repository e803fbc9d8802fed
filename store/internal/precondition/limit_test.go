package precondition_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
)

// quiet is a table without other writers whose calls are answered.
func quiet(stored envelope.Item) (*table, *precondition.Rewrite) {
	w := &table{sealer: &sealer{}, plain: stored, item: stored, others: stored, before: func() {}, after: func() {}, outcome: func() outcome { return answered }}
	next, _ := w.seal(stored)
	return w, &precondition.Rewrite{Table: "t", Key: envelope.Item{"k": s("key")}, Stored: stored, Next: next, Loose: unsigned, Unsigned: unsigned}
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
		if _, verifies := open(w.item); c.ok && (err != nil || !verifies) || !c.ok && !errors.Is(err, precondition.ErrTooWide) {
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
	if plain, verifies := open(w.item); err != nil || !verifies || plain["c-new"] == nil || len(added) != 1 || w.calls != 2 {
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
			if _, verifies := open(w.item); !errors.Is(err, precondition.ErrUnsealed) || !errors.Is(err, errNetwork) || verifies || w.calls != 21 {
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
