// SPDX-License-Identifier: Apache-2.0

package itempage

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// TestInspectOpen: open attributes are known by their names, in items of both
// header versions; an item with others is not guessed at.
func TestInspectOpen(t *testing.T) {
	key, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "n", Name: "k", Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	table := Table{Name: "t", Partition: "id"}
	for name, c := range map[string]struct {
		keys  envelope.Action
		open  string
		known bool
	}{
		"version 1": {envelope.SignOnly, ":note", true},
		"version 2": {envelope.SignAndIncludeInEncryptionContext, ":note", true},
		"unknown":   {envelope.SignOnly, "note", false},
	} {
		cfg := table.config(map[string]envelope.Action{"id": c.keys, "a": envelope.EncryptAndSign,
			c.open: envelope.DoNothing})
		if c.keys != envelope.SignOnly {
			cfg.Actions["ward"] = c.keys
		}
		cfg.Keyring = key
		e, err := envelope.NewItemEncryptor(cfg)
		if err != nil {
			t.Fatal(name, err)
		}
		text := &types.AttributeValueMemberS{Value: "x"}
		item := envelope.Item{"id": text, "a": text, c.open: text}
		if c.keys != envelope.SignOnly {
			item["ward"] = text
		}
		sealed, err := e.EncryptItem(t.Context(), item)
		if err != nil {
			t.Fatal(name, err)
		}
		m, err := table.Inspect(sealed)
		if err != nil {
			t.Fatal(name, err)
		}
		if got := actionsOf(m); (got[c.open] == envelope.DoNothing && got["a"] == envelope.EncryptAndSign &&
			got["id"] == c.keys) != c.known {
			t.Errorf("%s: %v", name, got)
		}
		if _, err := table.Open(t.Context(), noCalls{}, sealed, m); !c.known && !errors.Is(err, ErrUnknownActions) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeysOf: an item that this console could not write again as it was is
// refused, rather than written with less.
func TestKeysOf(t *testing.T) {
	kms := materials.EncryptedDataKey{ProviderID: "aws-kms", ProviderInfo: []byte("arn:aws:kms:us-east-1:1:key/k")}
	if keys, err := keysOf(&envelope.Message{EncryptedDataKeys: []materials.EncryptedDataKey{kms}}); err != nil ||
		len(keys) != 1 || regionOf(keys[0]) != "us-east-1" {
		t.Error(keys, err)
	}
	for name, m := range map[string]*envelope.Message{
		"no key": {},
		"another keyring beside": {EncryptedDataKeys: []materials.EncryptedDataKey{kms,
			{ProviderID: "aws-kms-hierarchy"}}},
		"beacons": {EncryptedDataKeys: []materials.EncryptedDataKey{kms},
			Attributes: []envelope.InspectedAttribute{{Name: "aws_dbe_b_a", Beacon: true}}},
	} {
		if _, err := keysOf(m); !errors.Is(err, errNotOurs) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
