// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/store"
)

// visitor has a beacon on an attribute that an item can lack.
type visitor struct {
	Ward   string `dynamodbav:"ward" seal:"partition"`
	ID     int    `dynamodbav:"id" seal:"sort"`
	Number string `dynamodbav:"number,omitempty" beacon:"length=8" index:"byNumber,hash"`
	Secret string `dynamodbav:"secret"`
}

// answering is a source of beacon keys with one answer.
type answering struct {
	key *materials.BeaconKey
	err error
}

func (a answering) BeaconKey(context.Context, string) (*materials.BeaconKey, error) {
	return a.key, a.err
}

// TestSearchKeys: without the key of the beacons nothing is searched or written
// that needs it, and the error names the branch key. Everything else goes on.
func TestSearchKeys(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "Create's calls")
	ctx := t.Context()
	other := materials.NewBeaconKey("other", [32]byte{1})
	for what, c := range map[string]struct {
		source answering
		class  error
	}{
		"denied":      {answering{err: materials.ErrKeyDenied}, envelope.ErrKeyDenied},
		"missing":     {answering{}, envelope.ErrMaterials},
		"another":     {answering{key: other}, envelope.ErrMaterials},
		"unavailable": {answering{err: errors.New("connection refused")}, envelope.ErrMaterials},
		"of 31 bytes": {answering{err: fmt.Errorf("%w: the plaintext has 31 bytes", materials.ErrMaterials)},
			envelope.ErrMaterials},
	} {
		m := searchable(t)
		m.Search.Compound = nil
		m.Search.Keys.Source = c.source
		visitors := open[visitor](t, w.client, fmt.Sprintf("visitors-%d", tables.Add(1)), m)
		ok(t, store.Create(ctx, store.CreateOptions{}, visitors))
		v := visitor{Ward: "A", ID: 1, Secret: "s"}
		ok(t, visitors.Put(ctx, v))
		if got, err := visitors.Get(ctx, store.Key{Partition: "A", Sort: 1}); err != nil || got != v {
			t.Errorf("%s: get: %v", what, err)
		}
		for _, err := range visitors.Query(ctx, store.Query{Partition: "A",
			Filter: expression.AttributeExists(expression.Name("number"))}) {
			t.Errorf("%s: a query in the clear: %v", what, err)
		}
		ok(t, ignore(visitors.Update(ctx, store.Key{Partition: "A", Sort: 1}, func(v *visitor) error {
			v.Secret = "new"
			return nil
		})))
		q := store.Query{Index: &store.Index{Name: "byNumber"}, Partition: "4711"}
		with := visitor{Ward: "A", ID: 2, Number: "4711"}
		errs := map[string]error{"put": visitors.Put(ctx, with), "batch": ignore(visitors.BatchPut(ctx,
			[]visitor{with})), "transaction": store.TransactWrite(ctx, w.client, visitors.PutOp(with)),
			"page": ignore(visitors.QueryPage(ctx, q, "")),
			"update": ignore(visitors.Update(ctx, store.Key{Partition: "A", Sort: 1}, func(v *visitor) error {
				v.Number = "4711"
				return nil
			}))}
		for _, err := range visitors.Query(ctx, q) {
			errs["query"] = err
		}
		for _, err := range visitors.Scan(ctx, store.Scan{
			Filter: expression.Name("number").Equal(expression.Value("4711"))}) {
			errs["scan"] = err
		}
		if len(errs) != 7 {
			t.Fatalf("%s: %v", what, errs)
		}
		for operation, err := range errs {
			var key *materials.KeyError
			if !errors.Is(err, c.class) || !errors.As(err, &key) || key.KeyID != "clinic" ||
				strings.Contains(err.Error(), "4711") {
				t.Errorf("%s: %s: %v", what, operation, err)
			}
		}
	}
}

// TestSearchKeyIsCached: writes and searches fetch the beacon key once.
func TestSearchKeyIsCached(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "Create's calls")
	m := searchable(t)
	keys := m.Search.Keys.Source.(*beaconKeys)
	residents := w.admitted(t, m, 10)
	for range 3 {
		found(t, residents.Query(t.Context(), store.Query{Index: &store.Index{Name: "byNumber"}, Partition: "n3"}))
	}
	if n := keys.calls.Load(); n != 1 {
		t.Errorf("the beacon key was fetched %d times", n)
	}
}

// TestSearchTenants: with the keys of several branch keys, a search is under one:
// items of others are neither returned nor decrypted.
//
// guarantees: R5
func TestSearchTenants(t *testing.T) {
	const count = 42
	for name, change := range map[string]func(*store.ClientSide){"one": func(*store.ClientSide) {},
		"three partitions": partitioned} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.onlyLocal(t, "Create's calls")
			ctx := t.Context()
			m := searchable(t, change)
			source := tenants(t, &m, "A", "B", "C")
			residents := w.admitted(t, m, count)
			wants := func(p resident) bool { return p.Number == "n3" && p.Ward == "A" }
			index := &store.Index{Name: "byNumber"}
			inA := expression.Name("ward").Equal(expression.Value("A"))
			number := expression.Name("number").Equal(expression.Value("n3"))
			check := func(what string) {
				t.Helper()
				same(t, what+": filter", found(t, residents.Query(ctx, store.Query{Index: index, Partition: "n3",
					Filter: inA})), matching(count, wants))
				same(t, what+": option", found(t, residents.Query(ctx, store.Query{Index: index, Partition: "n3",
					BranchKeyID: "A"})), matching(count, wants))
				same(t, what+": pages", read(t, residents, store.Query{Index: index, Partition: "n3",
					BranchKeyID: "A", PageSize: 1}, func(store.Page[resident]) {}), matching(count, wants))
				same(t, what+": table", found(t, residents.Query(ctx, store.Query{Partition: "A", Filter: number})),
					matching(count, wants))
				same(t, what+": scan", found(t, residents.Scan(ctx, store.Scan{Filter: number, BranchKeyID: "A"})),
					matching(count, wants))
			}
			check("all keys")
			source.Remove("B")
			source.Remove("C")
			check("one key")
			for what, q := range map[string]store.Query{
				"no branch key":  {Index: index, Partition: "n3"},
				"two of them":    {Index: index, Partition: "n3", Filter: inA, BranchKeyID: "B"},
				"another option": {Partition: "A", Filter: number, BranchKeyID: "B"},
			} {
				_, err := residents.QueryPage(ctx, q, "")
				if !errors.Is(err, store.ErrEncryptedAttribute) || !strings.Contains(err.Error(), "branch key") {
					t.Errorf("%s: %v", what, err)
				}
			}
			// An item that must not be in the table is an error, as in every read.
			_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: new(residents.Name()),
				Item: envelope.Item{"ward": avS("A"), "id": &types.AttributeValueMemberN{Value: "99"},
					"number": avS("n3"), "day": avS("d")}})
			ok(t, err)
			failed := 0
			for _, err := range residents.Scan(ctx, store.Scan{Filter: expression.Or(number,
				expression.Name("day").Equal(expression.Value("d"))), BranchKeyID: "A"}) {
				if errors.Is(err, envelope.ErrNotEncrypted) {
					failed++
				} else {
					ok(t, err)
				}
			}
			if failed != 1 {
				t.Errorf("%d items are not encrypted", failed)
			}
		})
	}
}

// TestSearchBesidePlaintext: a policy that lets plaintext in needs an explicit
// setting, and no plaintext value is sent to find such items.
func TestSearchBesidePlaintext(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "Create's calls")
	ctx := t.Context()
	reads := func(m *store.ClientSide) { m.PlaintextPolicy = envelope.ForbidPlaintextWriteAllowPlaintextRead }
	_, err := store.New[resident](w.client, "hospital", searchable(t, reads))
	if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), "AcceptMissing") {
		t.Errorf("without AcceptMissing: %v", err)
	}
	accepts := searchable(t, reads, func(m *store.ClientSide) { m.Search.AcceptMissing = true })
	tap := &wiretap{inner: w.config.HTTPClient}
	w.config.HTTPClient = tap
	w.client = dynamodb.NewFromConfig(w.config)
	residents := w.hospital(t, accepts)
	stored := func(id, number string) {
		_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: new(residents.Name()),
			Item: envelope.Item{"ward": avS("A"), "id": &types.AttributeValueMemberN{Value: id},
				"number": avS(number), "day": avS("2024-02-02")}})
		ok(t, err)
	}
	const number = "marked-number-4711"
	ok(t, residents.Put(ctx, resident{Ward: "A", ID: 1, Number: number, Day: "2024-02-02"}))
	stored("2", "another")
	tap.wire.Reset()
	filter := expression.Name("number").Equal(expression.Value(number))
	same(t, "index", found(t, residents.Query(ctx, store.Query{Index: &store.Index{Name: "byNumber"},
		Partition: number})), []int{1})
	same(t, "scan", found(t, residents.Scan(ctx, store.Scan{Filter: filter})), []int{1})
	// What DynamoDB returns anyway is evaluated on the plaintext.
	day := expression.Name("day").Equal(expression.Value("2024-02-02"))
	same(t, "or", found(t, residents.Scan(ctx, store.Scan{Filter: expression.Or(filter, day)})), []int{1, 2})
	same(t, "not", found(t, residents.Scan(ctx, store.Scan{Filter: expression.Not(filter)})), []int{2})
	if strings.Contains(tap.wire.String(), number) {
		t.Error("the plaintext value was sent")
	}
	// An update gives such an item its beacons.
	ok(t, ignore(residents.Update(ctx, store.Key{Partition: "A", Sort: 2}, func(r *resident) error {
		r.Number = number
		return nil
	})))
	same(t, "after an update", found(t, residents.Query(ctx, store.Query{Index: &store.Index{Name: "byNumber"},
		Partition: number})), []int{1, 2})
}
