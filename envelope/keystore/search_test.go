// SPDX-License-Identifier: Apache-2.0

package keystore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// searchable encrypts orders whose cards can be searched for, under a branch key
// for each tenant.
func searchable(t testing.TB, branches materials.BranchKeySource,
	beacons materials.BeaconKeySource) *envelope.ItemEncryptor {
	t.Helper()
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: branches,
		Supplier: func(_ context.Context, a map[string]types.AttributeValue) (string, error) {
			return a["tenant"].(*types.AttributeValueMemberS).Value, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "orders", PartitionKey: "tenant", SortKey: "order",
		AlgorithmSuite: envelope.SuiteSymmetricSignature, Keyring: k,
		Actions: map[string]envelope.Action{"tenant": envelope.SignOnly, "order": envelope.SignOnly,
			"card": envelope.EncryptAndSign},
		Search: &beacon.Config{Standard: []beacon.Standard{{Name: "card", Length: 40}},
			Keys: beacon.KeySource{Source: beacons, KeyField: "tenant", Lifetime: time.Hour}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (w *world) beaconCalls() (n int) {
	for _, c := range w.kms.Calls() {
		if c.Context["type"] == "beacon:ACTIVE" && c.Operation == "Decrypt" {
			n++
		}
	}
	return n
}

// TestSearchOverKeyStore: many items at once cost one kms:Decrypt for the beacon
// key of each tenant, reading costs none, and rotation changes no beacon.
func TestSearchOverKeyStore(t *testing.T) {
	w := newWorld(t)
	w.tenant(t, "a")
	w.tenant(t, "b")
	before := w.beaconCalls()
	e := searchable(t, w, w)
	var items []envelope.Item
	for i := range 60 {
		item := order([]string{"a", "b"}[i%2], i)
		item["card"] = &types.AttributeValueMemberS{Value: "4711"}
		items = append(items, item)
	}
	sealed, err := e.EncryptAll(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	if n := w.beaconCalls() - before; n != 2 {
		t.Errorf("%d calls for the beacon keys of two tenants", n)
	}
	of := func(item envelope.Item) string { return item["aws_dbe_b_card"].(*types.AttributeValueMemberS).Value }
	for i := range sealed {
		if (of(sealed[i]) == of(sealed[0])) != (i%2 == 0) {
			t.Errorf("item %d: beacon %s, item 0: %s", i, of(sealed[i]), of(sealed[0]))
		}
	}
	reader := searchable(t, w, w)
	if _, err := reader.DecryptAll(t.Context(), sealed); err != nil || w.beaconCalls()-before != 2 {
		t.Errorf("reading: %v, %d calls for beacon keys", err, w.beaconCalls()-before)
	}
	if _, err := w.VersionKey(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	again, err := reader.EncryptItem(t.Context(), items[0])
	if err != nil || of(again) != of(sealed[0]) {
		t.Errorf("after a rotation the beacon is %s, before it was %s; %v", of(again), of(sealed[0]), err)
	}
}

// TestSearchWithoutBeaconKey: a beacon key that is missing, denied, of another
// length, altered or out of reach fails the write with the branch key's id.
func TestSearchWithoutBeaconKey(t *testing.T) {
	remake := func(bytes int32) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			w.table.mu.Lock()
			defer w.table.mu.Unlock()
			record := w.table.items["a|beacon:ACTIVE"]
			attributes := map[string]string{}
			for name, v := range record {
				switch v := v.(type) {
				case *types.AttributeValueMemberS:
					attributes[name] = v.Value
				case *types.AttributeValueMemberN:
					attributes[name] = v.Value
				}
			}
			record["enc"] = &types.AttributeValueMemberB{Value: w.wrap(t, attributes, bytes)}
		}
	}
	answer := func(err error) func(*testing.T, *world) {
		return func(_ *testing.T, w *world) {
			w.kms.Fault = func(_ context.Context, c fakekms.Call) error {
				if c.Context["type"] == "beacon:ACTIVE" {
					return err
				}
				return nil
			}
		}
	}
	for _, c := range []struct {
		what    string
		change  func(*testing.T, *world)
		matches []error
	}{
		{"the right length", remake(32), nil},
		{"missing", func(_ *testing.T, w *world) { delete(w.table.items, "a|beacon:ACTIVE") },
			[]error{envelope.ErrMaterials, keystore.ErrNotFound}},
		{"shredded", func(t *testing.T, w *world) {
			if err := w.Shred(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
		}, []error{envelope.ErrMaterials, keystore.ErrNotFound}},
		{"short", remake(16), []error{envelope.ErrMaterials, keystore.ErrInvalidRecord}},
		{"long", remake(64), []error{envelope.ErrMaterials, keystore.ErrInvalidRecord}},
		{"altered", func(_ *testing.T, w *world) {
			w.table.items["a|beacon:ACTIVE"]["create-time"] = &types.AttributeValueMemberS{Value: "later"}
		}, []error{envelope.ErrMaterials, keystore.ErrNotAuthentic}},
		{"denied", answer(fakekms.Denied("kms:Decrypt")), []error{envelope.ErrKeyDenied}},
		{"throttled", answer(fakekms.Throttled()), []error{envelope.ErrMaterials, keystore.ErrUnavailable}},
	} {
		t.Run(c.what, func(t *testing.T) {
			w := newWorld(t)
			w.tenant(t, "a")
			c.change(t, w)
			// The item's own branch key is at hand in every case.
			branch, err := keyring.NewMemorySource(materials.NewBranchKey("a", "11111111-1111-4111-8111-111111111111",
				[32]byte{1}))
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := searchable(t, branch, w).EncryptItem(t.Context(), order("a", 1))
			if c.matches == nil {
				if err != nil || sealed["aws_dbe_b_card"] == nil {
					t.Errorf("%v, %v", sealed, err)
				}
				return
			}
			var failed *envelope.Error
			if sealed != nil || !errors.As(err, &failed) || failed.KeyID != "a" || failed.Operation != "encrypt" {
				t.Errorf("%v", err)
			}
			for _, m := range c.matches {
				if !errors.Is(err, m) {
					t.Errorf("%v does not match %v", err, m)
				}
			}
		})
	}
}
