// SPDX-License-Identifier: Apache-2.0

package keystore_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// view puts a cache in front of a source.
func view(t testing.TB, source materials.BranchKeySource, c *localawstest.Clock) *cache.Source {
	t.Helper()
	shared, err := cache.New(cache.Config{Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shared.Purge)
	v, err := shared.Source(cache.SourceConfig{Source: source, Lifetime: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// encryptor encrypts items of many tenants; the partition key names the
// tenant, and the tenant's name is its branch key id.
func encryptor(t testing.TB, source materials.BranchKeySource) *envelope.ItemEncryptor {
	t.Helper()
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source,
		Supplier: func(_ context.Context, a map[string]types.AttributeValue) (string, error) {
			tenant, ok := a["tenant"].(*types.AttributeValueMemberS)
			if !ok {
				return "", errors.New("the item has no tenant")
			}
			return tenant.Value, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "orders", PartitionKey: "tenant", SortKey: "order",
		AlgorithmSuite: envelope.SuiteSymmetricSignature, Keyring: k,
		Actions: map[string]envelope.Action{"tenant": envelope.SignOnly, "order": envelope.SignOnly,
			"card": envelope.EncryptAndSign},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func order(tenant string, n int) envelope.Item {
	return envelope.Item{
		"tenant": &types.AttributeValueMemberS{Value: tenant},
		"order":  &types.AttributeValueMemberN{Value: fmt.Sprint(n)},
		"card":   &types.AttributeValueMemberS{Value: fmt.Sprintf("card of order %d", n)},
	}
}

// 1,000 items by 64 goroutines cost one GetItem and one kms:Decrypt for each
// branch key version, cold, and one more after the cache's lifetime.
func TestThousandItemsOneCall(t *testing.T) {
	const items, workers, tenants = 1000, 64, 2
	w := newWorld(t)
	for i := range tenants {
		w.tenant(t, fmt.Sprint("tenant-", i))
	}
	c := localawstest.NewClock(testTime)
	sealed := make([]envelope.Item, items)
	each := func(f func(i int) error) {
		t.Helper()
		var next atomic.Int64
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for i := int(next.Add(1)) - 1; i < items; i = int(next.Add(1)) - 1 {
					if err := f(i); err != nil {
						t.Errorf("item %d: %v", i, err)
					}
				}
			})
		}
		wg.Wait()
	}
	calls := func(want int) {
		t.Helper()
		if g, d := w.table.count("GetItem"), w.kms.Count("Decrypt"); g != want || d != want {
			t.Fatalf("%d GetItem, %d kms:Decrypt, want %d of each", g, d, want)
		}
	}
	encrypt := func(e *envelope.ItemEncryptor) func(int) error {
		return func(i int) (err error) {
			sealed[i], err = e.EncryptItem(t.Context(), order(fmt.Sprint("tenant-", i%tenants), i))
			return err
		}
	}
	decrypt := func(e *envelope.ItemEncryptor) func(int) error {
		return func(i int) error {
			got, err := e.DecryptItem(t.Context(), sealed[i])
			if err == nil && !reflect.DeepEqual(got, order(fmt.Sprint("tenant-", i%tenants), i)) {
				err = errors.New("another item")
			}
			return err
		}
	}
	// One that writes and reads: one call for each tenant.
	both := encryptor(t, view(t, w, c))
	each(encrypt(both))
	each(decrypt(both))
	calls(tenants)
	// One that only reads, started cold.
	reader := encryptor(t, view(t, w, c))
	each(decrypt(reader))
	calls(2 * tenants)
	// After the lifetime one more for each, whichever tenant asks first.
	c.Advance(time.Minute)
	each(func(i int) error {
		if i%3 == 0 {
			return encrypt(both)(i)
		}
		return decrypt(both)(i)
	})
	calls(3 * tenants)
	each(decrypt(reader))
	calls(4 * tenants)
	// After a rotation: items of two versions, one call for each version.
	for i := range tenants {
		if _, err := w.VersionKey(t.Context(), fmt.Sprint("tenant-", i)); err != nil {
			t.Fatal(err)
		}
	}
	rotations := w.table.count("GetItem") - 4*tenants
	c.Advance(time.Minute)
	each(func(i int) error {
		if i < items/2 {
			return encrypt(both)(i)
		}
		return nil
	})
	fresh := encryptor(t, view(t, w, c))
	before := w.kms.Count("Decrypt")
	each(decrypt(fresh))
	if n := w.kms.Count("Decrypt") - before; n != 2*tenants {
		t.Fatalf("%d kms:Decrypt for two versions each", n)
	}
	if rotations != tenants {
		t.Fatalf("%d GetItem by rotation", rotations)
	}
}

// A shredded tenant's items no longer open; the others' do.
func TestShreddedItems(t *testing.T) {
	w := newWorld(t)
	c := localawstest.NewClock(testTime)
	v := view(t, w, c)
	e := encryptor(t, v)
	sealed := map[string][]envelope.Item{}
	for _, tenant := range []string{"a", "b"} {
		w.tenant(t, tenant)
		for n := range 3 {
			i, err := e.EncryptItem(t.Context(), order(tenant, n))
			if err != nil {
				t.Fatal(err)
			}
			sealed[tenant] = append(sealed[tenant], i)
			if _, err := w.VersionKey(t.Context(), tenant); err != nil {
				t.Fatal(err)
			}
			c.Advance(time.Minute)
		}
	}
	if err := w.Shred(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	v.Cache().Forget("a")
	for _, i := range sealed["a"] {
		if _, err := e.DecryptItem(t.Context(), i); !errors.Is(err, keystore.ErrNotFound) {
			t.Errorf("an item of the shredded tenant: %v", err)
		}
	}
	if _, err := e.EncryptItem(t.Context(), order("a", 9)); !errors.Is(err, keystore.ErrNotFound) {
		t.Errorf("a new item of the shredded tenant: %v", err)
	}
	for _, i := range sealed["b"] {
		if _, err := e.DecryptItem(t.Context(), i); err != nil {
			t.Errorf("an item of another tenant: %v", err)
		}
	}
}

// The error of a denied item names the branch key, the KMS code, the KMS key
// and the permission.
func TestDeniedItem(t *testing.T) {
	w := newWorld(t)
	w.tenant(t, "a")
	c := localawstest.NewClock(testTime)
	sealed, err := encryptor(t, view(t, w, c)).EncryptItem(t.Context(), order("a", 1))
	if err != nil {
		t.Fatal(err)
	}
	w.kms.Fault = func(_ context.Context, call fakekms.Call) error { return fakekms.Denied("kms:" + call.Operation) }
	_, err = encryptor(t, view(t, w, c)).DecryptItem(t.Context(), sealed)
	var e *materials.KeyError
	if !errors.Is(err, envelope.ErrKeyDenied) || !errors.As(err, &e) || e.KeyID != "a" ||
		e.Code != "AccessDeniedException" || e.Missing != "kms:Decrypt" {
		t.Fatalf("%v", err)
	}
}
