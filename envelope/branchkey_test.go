// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// hierarchical is a keyring whose branch key the partition key names.
func hierarchical(t testing.TB, source materials.BranchKeySource) materials.Keyring {
	t.Helper()
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source,
		Supplier: func(_ context.Context, a map[string]types.AttributeValue) (string, error) {
			return a["id"].(*types.AttributeValueMemberS).Value[:2], nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestSearchMultiKey: beacons are under the branch key of the item's one data
// key, whatever the key field says; a field that is not signed is dropped.
func TestSearchMultiKey(t *testing.T) {
	keys := newBeaconKeys(t, "t1", "t2")
	config := searchConfig(t, keys)
	config.Keyring = hierarchical(t, &keys.MemorySource)
	config.Search.Keys = beacon.KeySource{Source: keys, KeyField: "tenant", Lifetime: time.Hour}
	e := mustEncryptor(t, config)
	seal := func(id string) envelope.Item {
		item := patient()
		item["id"], item["tenant"] = s(id), s("t2")
		return mustEncrypt(t, e, item)
	}
	sealed := []envelope.Item{seal("t1-p1"), seal("t1-p2"), seal("t2-p1")}
	numbers := make([]string, 3)
	for i, item := range sealed {
		numbers[i] = canonical(t, item["aws_dbe_b_number"])
		if _, has := item["tenant"]; has {
			t.Error("a key field that is not signed is stored")
		}
		if _, err := e.DecryptItem(t.Context(), item); err != nil {
			t.Error(err)
		}
	}
	if numbers[0] != numbers[1] || numbers[1] == numbers[2] {
		t.Errorf("beacons of two items of one tenant and one of another: %q", numbers)
	}
	if keys.calls != 2 {
		t.Errorf("beacon keys are fetched %d times", keys.calls)
	}
	for id, item := range map[string]envelope.Item{"t1": sealed[0], "t2": sealed[2]} {
		k, err := e.Search().Keys(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		want, err := e.Search().Lookup("number").Standard.Hash(k, 0, s("4711"))
		if err != nil || canonical(t, item["aws_dbe_b_number"]) != "S "+want {
			t.Errorf("the beacon of %s is %s, want %s; %v", id, canonical(t, item["aws_dbe_b_number"]), want, err)
		}
		k.Release()
	}

	for i, want := range []string{"t1", "t1", "t2"} {
		if id, err := e.BeaconBranchKey(sealed[i]); id != want || err != nil {
			t.Errorf("item %d is under branch key %q, %v", i, id, err)
		}
	}

	config.Actions["tenant"] = envelope.SignOnly
	item := patient()
	item["id"], item["tenant"] = s("t1-p1"), s("t2")
	if got := mustEncrypt(t, mustEncryptor(t, config), item); canonical(t, got["tenant"]) != "S t2" ||
		canonical(t, got["aws_dbe_b_number"]) != numbers[0] {
		t.Errorf("a signed key field: %v, beacon %v", got["tenant"], got["aws_dbe_b_number"])
	}
	delete(config.Actions, "tenant")
	config.AllowedUnsigned = []string{"seen", "tenant"}
	if got := mustEncrypt(t, mustEncryptor(t, config), item); got["tenant"] != nil || item["tenant"] == nil {
		t.Error("an unsigned key field is stored, or dropped from the caller's item")
	}

	multi, err := keyring.NewMulti(config.Keyring, testKeyring(t))
	if err != nil {
		t.Fatal(err)
	}
	for what, k := range map[string]materials.Keyring{"two data keys": multi, "a raw key": testKeyring(t)} {
		config.Keyring = k
		e := mustEncryptor(t, config)
		if _, err := e.EncryptItem(t.Context(), item); !errors.Is(err, envelope.ErrConfiguration) ||
			!strings.Contains(err.Error(), "KeyField") {
			t.Errorf("%s: %v", what, err)
		}
		// Without a value that is hashed nothing needs a branch key.
		if _, err := e.EncryptItem(t.Context(), envelope.Item{"id": s("t1-p1")}); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	config.Keyring = hierarchical(t, &keys.MemorySource)
	if err := keys.Add(materials.NewBranchKey("t3", "11111111-1111-4111-8111-111111111111", [32]byte{3})); err != nil {
		t.Fatal(err)
	}
	item["id"] = s("t3-p1")
	_, err = mustEncryptor(t, config).EncryptItem(t.Context(), item)
	var failed *envelope.Error
	if !errors.Is(err, envelope.ErrMaterials) || !errors.As(err, &failed) || failed.KeyID != "t3" {
		t.Errorf("a branch key without a beacon key: %v", err)
	}
}

// TestBeaconBranchKey: what an item says, and what it cannot say.
func TestBeaconBranchKey(t *testing.T) {
	keys := newBeaconKeys(t, "branch")
	config := searchConfig(t, keys)
	e := mustEncryptor(t, config)
	raw := mustEncrypt(t, e, patient())
	if id, err := e.BeaconBranchKey(raw); id != "branch" || err != nil {
		t.Errorf("one branch key for all: %q, %v", id, err)
	}
	config.Search.Keys.BranchKeyID, config.Search.Keys.KeyField = "", "tenant"
	multi := mustEncryptor(t, config)
	config.Search = nil
	broken := envelope.Item{envelope.HeaderAttribute: b([]byte{1, 1}), envelope.FooterAttribute: b([]byte{1})}
	for what, c := range map[string]struct {
		e    *envelope.ItemEncryptor
		item envelope.Item
		want error
	}{
		"no search":     {mustEncryptor(t, config), raw, envelope.ErrConfiguration},
		"a raw key":     {multi, raw, envelope.ErrMaterials},
		"plaintext":     {multi, patient(), envelope.ErrNotEncrypted},
		"broken":        {multi, broken, envelope.ErrTampered},
		"without foot":  {multi, envelope.Item{envelope.HeaderAttribute: raw[envelope.HeaderAttribute]}, envelope.ErrTampered},
		"an older item": {multi, envelope.Item{"*amzn-ddb-map-desc*": b([]byte{1})}, envelope.ErrLegacyItem},
	} {
		id, err := c.e.BeaconBranchKey(c.item)
		var failed *envelope.Error
		if id != "" || !errors.Is(err, c.want) || !errors.As(err, &failed) || failed.Operation != "inspect" {
			t.Errorf("%s: %q, %v", what, id, err)
		}
	}
}
