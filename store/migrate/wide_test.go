// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// names adds count names with an action to a configuration.
func names(count int, action envelope.Action) change {
	return func(c *envelope.Config) {
		for i := range count {
			n := fmt.Sprintf("%v-%d", action, i)
			if c.Actions[n] = action; action == envelope.DoNothing {
				c.AllowedUnsigned = append(c.AllowedUnsigned, n)
			}
		}
	}
}

// TestWideConfigurations: names that items lack do not count.
func TestWideConfigurations(t *testing.T) {
	many, loose := names(400, envelope.EncryptAndSign), names(400, envelope.DoNothing)
	a, b := aes(t, 1), aes(t, 2)
	w := newWorld(t)
	for name, c := range map[string]struct{ from, to *envelope.ItemEncryptor }{
		"plaintext to encrypted":     {nil, encryptor(t, a, many, loose)},
		"unsigned, key to key":       {encryptor(t, a, loose), encryptor(t, b, loose)},
		"encrypted to plaintext":     {encryptor(t, a, many, loose), nil},
		"plaintext, loose to come":   {nil, encryptor(t, a, loose)},
		"signed and loose swapped":   {encryptor(t, a, loose), encryptor(t, a, func(c *envelope.Config) { c.Actions["note"], c.AllowedUnsigned = envelope.SignOnly, nil }, loose)},
		"400 names, and no unsigned": {encryptor(t, a, many), encryptor(t, b, many)},
	} {
		table := w.table(t, 6, c.from)
		dry, real := migrated(t, w.config(table, c.from, c.to))
		if real != (migrate.Counts{Migrated: 6}) || dry.Plaintext+dry.Outdated != 6 || dry.Failed > 0 {
			t.Errorf("%s: dry run %+v, run %+v", name, dry, real)
		}
		w.opens(t, table, c.to, 6)
	}
}

// TestWideModel: random configurations and items, and writers that add and
// change attributes before each write. Run converts the items that DryRun
// passed, and loses nothing.
// guarantees: M2
func TestWideModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	w := newWorld(t)
	passed, failed, rewritten := 0, 0, 0
	for round := range 8 {
		width := 1 + random.IntN(400)
		if round == 0 {
			width = 400
		}
		actions := []envelope.Action{envelope.EncryptAndSign, envelope.SignOnly, envelope.DoNothing}
		known := map[string]envelope.Action{}
		for i := range width {
			known[fmt.Sprint("n", i)] = actions[random.IntN(3)]
		}
		declare := func(c *envelope.Config) {
			for n, action := range known {
				if c.Actions[n] = action; action == envelope.DoNothing {
					c.AllowedUnsigned = append(c.AllowedUnsigned, n)
				}
			}
		}
		from, to := encryptor(t, aes(t, 1), declare), encryptor(t, aes(t, 2), declare)
		if round == 0 || random.IntN(3) > 0 {
			from = nil
		} else if random.IntN(3) == 0 {
			to = nil
		}
		table := w.table(t, 0, nil)
		model := map[string]envelope.Item{}
		for i := range 12 {
			plain := item(i)
			for range random.IntN([]int{4, 100, 180, 400}[i%4]) {
				plain[fmt.Sprint("n", random.IntN(width))] = s("old")
			}
			for n := range width {
				if round == 0 && i == 3 { // at least one that does not fit
					plain[fmt.Sprint("n", n)] = s("old")
				}
			}
			w.put(t, table, plain, from)
			model[fmt.Sprint("item-", i)] = plain
		}
		config := w.config(table, from, to)
		config.Segments = 1
		m, err := migrate.New(config)
		ok(t, err)
		dry, err := m.DryRun(t.Context())
		if err != nil && !errors.Is(err, migrate.ErrFailedItems) {
			t.Fatal(err)
		}
		refused := wideItems(t, dry)
		others := &others{world: w, table: table, model: model, known: known, sealed: from != nil, random: random,
			left: map[string]int{}}
		for id, plain := range model {
			if !refused[id] && len(plain) < 130 { // with room for what they add
				others.left[id] = random.IntN(3)
			}
		}
		config.Client = &between{w.client, table, others.write}
		m, err = migrate.New(config)
		ok(t, err)
		real, err := m.Run(t.Context())
		if (err != nil) != (len(refused) > 0) || err != nil && !errors.Is(err, migrate.ErrFailedItems) {
			t.Fatal(err)
		}
		if again := wideItems(t, real); !maps.Equal(again, refused) ||
			real.Counts.Migrated != int64(len(model)-len(refused)) {
			t.Errorf("%d names: dry run %v, run %v, %+v", width, refused, again, real.Counts)
		}
		for _, stored := range w.all(t, table) {
			id := stored["id"].(*types.AttributeValueMemberS).Value
			e := to
			if refused[id] {
				e = from
				failed++
			} else {
				passed++
			}
			if e != nil {
				if stored, err = e.DecryptItem(t.Context(), stored); err != nil {
					t.Errorf("%d names: %s: %v", width, id, err)
					continue
				}
			}
			for n, v := range model[id] {
				if text(stored[n]) != text(v) {
					t.Errorf("%d names: %s: %s is %v, want %v", width, id, n, text(stored[n]), text(v))
				}
			}
			if len(stored) != len(model[id]) {
				t.Errorf("%d names: %s has %d attributes, want %d", width, id, len(stored), len(model[id]))
			}
		}
		if width > 150 {
			rewritten++
		}
	}
	if passed == 0 || failed == 0 || rewritten == 0 {
		t.Errorf("passed %d, failed %d, wide configurations %d", passed, failed, rewritten)
	}
}

func text(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return "S" + v.Value
	case *types.AttributeValueMemberN:
		return "N" + v.Value
	case *types.AttributeValueMemberB:
		return "B" + string(v.Value)
	}
	return fmt.Sprintf("%T", v)
}

// wideItems returns the ids of the failures, all of which must be ErrTooWide.
func wideItems(t *testing.T, r migrate.Report) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, f := range r.Failures {
		var item *store.ItemError
		if !errors.Is(f, store.ErrTooWide) || !errors.As(f, &item) {
			t.Errorf("%v", f)
			continue
		}
		out[item.Key.Partition.(*types.AttributeValueMemberS).Value] = true
	}
	return out
}

// others are writers who add attributes of the configuration, and change them,
// just before the migration writes. In an encrypted item those are unsigned.
type others struct {
	*world
	table  string
	known  map[string]envelope.Action
	sealed bool
	mu     sync.Mutex
	random *rand.Rand
	model  map[string]envelope.Item
	left   map[string]int // changes, by item
}

func (o *others) write(key envelope.Item) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	id := key["id"].(*types.AttributeValueMemberS).Value
	if o.left[id] == 0 {
		return nil
	}
	o.left[id]--
	for n, action := range o.known {
		if o.sealed && action != envelope.DoNothing || o.model[id][n] != nil && o.random.IntN(10) > 0 {
			continue
		}
		v := s(fmt.Sprint("theirs ", o.left[id]))
		_, err := o.client.UpdateItem(context.Background(), &dynamodb.UpdateItemInput{TableName: &o.table, Key: key,
			UpdateExpression: aws.String("SET #n = :v"),
			ConditionExpression: aws.String(map[bool]string{true: "attribute_exists(id)",
				false: "attribute_not_exists(" + envelope.FooterAttribute + ")"}[o.sealed]),
			ExpressionAttributeNames: map[string]string{"#n": n}, ExpressionAttributeValues: envelope.Item{":v": v}})
		var failed *types.ConditionalCheckFailedException
		if errors.As(err, &failed) {
			return nil // sealed by now
		}
		o.model[id][n] = v
		return err
	}
	return nil
}

// TestWideUnknownNames: an attribute that cannot be sealed comes into an item
// while it is rewritten: the item is as it was, with the attribute.
// guarantees: M3
func TestWideUnknownNames(t *testing.T) {
	loose := names(400, envelope.DoNothing)
	for name, c := range map[string]struct {
		from, to *envelope.ItemEncryptor
		want     error
	}{
		"plaintext": {nil, encryptor(t, aes(t, 1), loose), envelope.ErrInvalidItem},
		"encrypted": {encryptor(t, aes(t, 1), loose), encryptor(t, aes(t, 2), loose), envelope.ErrTampered},
	} {
		w := newWorld(t)
		table := w.table(t, 1, c.from)
		before := w.all(t, table)[0]
		config := w.config(table, c.from, c.to)
		var once sync.Once
		config.SkipDryRun = true
		config.Client = &between{w.client, table, func(key envelope.Item) (err error) {
			once.Do(func() {
				_, err = w.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &table, Key: key,
					UpdateExpression:          aws.String("SET alien = :v"),
					ExpressionAttributeValues: envelope.Item{":v": s("theirs")}})
			})
			return err
		}}
		m, err := migrate.New(config)
		ok(t, err)
		r, err := m.Run(t.Context())
		if !errors.Is(err, migrate.ErrFailedItems) || !errors.Is(err, c.want) ||
			r.Counts != (migrate.Counts{Failed: 1}) || !strings.Contains(err.Error(), `"alien"`) {
			t.Errorf("%s: %+v, %v", name, r.Counts, err)
		}
		before["alien"] = s("theirs")
		after := w.all(t, table)[0]
		for n := range before {
			if text(before[n]) != text(after[n]) || len(before) != len(after) {
				t.Errorf("%s: %s differs, %d attributes of %d", name, n, len(after), len(before))
			}
		}
	}
}

// TestUnsignedRewrite: another writer adds an attribute that must be signed, and
// no later call reaches the table. The error says that the outcome is unknown.
// guarantees: M7
func TestUnsignedRewrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		to := encryptor(t, aes(t, 1), names(400, envelope.EncryptAndSign))
		table := w.table(t, 1, nil)
		config := w.config(table, nil, to)
		config.SkipDryRun = true
		calls := 0
		config.Client = &between{w.client, table, func(key envelope.Item) error {
			if calls++; calls > 1 {
				return errors.New("no route to the table")
			}
			_, err := w.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{Key: key, TableName: &table,
				UpdateExpression:          aws.String("SET #n = :v"),
				ExpressionAttributeNames:  map[string]string{"#n": fmt.Sprintf("%v-7", envelope.EncryptAndSign)},
				ExpressionAttributeValues: envelope.Item{":v": s("theirs")}})
			return err
		}}
		m, err := migrate.New(config)
		ok(t, err)
		if _, err := m.Run(t.Context()); !errors.Is(err, store.ErrUncertain) {
			t.Errorf("%d calls: %v", calls, err)
		}
		if _, err := to.DecryptItem(t.Context(), w.all(t, table)[0]); !errors.Is(err, envelope.ErrTampered) {
			t.Errorf("the item: %v", err)
		}
		_, err = w.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			Key: envelope.Item{"id": w.all(t, table)[0]["id"]}, TableName: &table,
			UpdateExpression:         aws.String("REMOVE #n"),
			ExpressionAttributeNames: map[string]string{"#n": fmt.Sprintf("%v-7", envelope.EncryptAndSign)}})
		ok(t, err)
		if _, err := to.DecryptItem(t.Context(), w.all(t, table)[0]); err != nil {
			t.Errorf("without the attribute: %v", err)
		}
	})
}
