// SPDX-License-Identifier: Apache-2.0

package plaintextescrow_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/plaintextescrow"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// searchable is an encryptor whose items have a beacon of card.
func searchable(t testing.TB, source materials.BranchKeySource, beacons materials.BeaconKeySource,
	id string) *envelope.ItemEncryptor {
	t.Helper()
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: id})
	if err != nil {
		t.Fatal(err)
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "orders", PartitionKey: "id", AlgorithmSuite: envelope.SuiteSymmetricSignature, Keyring: k,
		Actions: map[string]envelope.Action{"id": envelope.SignOnly, "card": envelope.EncryptAndSign},
		Search: &beacon.Config{Standard: []beacon.Standard{{Name: "card", Length: 40}},
			Keys: beacon.KeySource{Source: beacons, BranchKeyID: id, Lifetime: time.Hour}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestBeaconKeysAreNotNeeded: items with beacons open from an archive after beacon
// key and branch key were shredded, and get new beacons under a new branch key.
func TestBeaconKeysAreNotNeeded(t *testing.T) {
	const attribute = "aws_dbe_b_card"
	s := newScene(t)
	sealed, err := searchable(t, s.store, s.store, "acme").EncryptItem(t.Context(), plain("acme", 7))
	if err != nil {
		t.Fatal(err)
	}
	if sealed[attribute] == nil {
		t.Fatal("the item has no beacon")
	}
	writer, reader := rsaPair(t)
	archive, err := plaintextescrow.Export(t.Context(),
		plaintextescrow.ExportConfig{Store: s.store, BranchKeyIDs: []string{"acme"}, Keyring: writer})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.Shred(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	source, err := plaintextescrow.Open(t.Context(), archive, reader)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Wipe()
	var opened envelope.Item
	for what, e := range map[string]*envelope.ItemEncryptor{"without a search": encryptor(t, source, "acme"),
		"with one": searchable(t, source, s.store, "acme")} {
		opened, err = e.DecryptItem(t.Context(), sealed)
		if err != nil || !reflect.DeepEqual(opened, plain("acme", 7)) {
			t.Errorf("%s: %v %v", what, opened, err)
		}
	}
	var named *materials.KeyError
	_, err = searchable(t, source, s.store, "acme").Search().Keys(t.Context(), "")
	if !errors.Is(err, envelope.ErrMaterials) || !errors.As(err, &named) || named.KeyID != "acme" {
		t.Errorf("the beacon key is still to be had: %v", err)
	}

	id, err := s.store.CreateKey(t.Context(), keystore.CreateKeyInput{BranchKeyID: "acme-2",
		EncryptionContext: map[string]string{"tenant": "acme"}})
	if err != nil {
		t.Fatal(err)
	}
	again, err := searchable(t, s.store, s.store, id).EncryptItem(t.Context(), opened)
	if err != nil {
		t.Fatal(err)
	}
	old, fresh := sealed[attribute].(*types.AttributeValueMemberS).Value,
		again[attribute].(*types.AttributeValueMemberS).Value
	if len(fresh) != 10 || strings.EqualFold(old, fresh) {
		t.Errorf("beacon %s under the new key, %s under the old one", fresh, old)
	}
}
