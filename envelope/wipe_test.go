// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// witness keeps the materials that pass through a keyring.
type witness struct {
	materials.Keyring
	encryption *materials.Encryption
	decryption *materials.Decryption
	keys       [][]byte // as they were while in use
}

func (k *witness) OnEncrypt(ctx context.Context, m *materials.Encryption) error {
	err := k.Keyring.OnEncrypt(ctx, m)
	k.encryption, k.keys = m, append(k.keys, m.DataKey(), m.SymmetricSigningKeys()[0])
	return err
}

func (k *witness) OnDecrypt(ctx context.Context, m *materials.Decryption, keys []materials.EncryptedDataKey) error {
	err := k.Keyring.OnDecrypt(ctx, m, keys)
	k.decryption, k.keys = m, append(k.keys, m.DataKey(), m.SymmetricSigningKey())
	return err
}

// After an operation, kept memory holds neither keys nor plaintext nor items.
func TestNothingSecretIsKept(t *testing.T) {
	raw, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "tests", Name: "k", Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	k := &witness{Keyring: raw}
	e, err := NewItemEncryptor(Config{
		LogicalTableName: "t", PartitionKey: "pk", Keyring: k, AllowedUnsigned: []string{"u"},
		Actions: map[string]Action{"pk": SignOnly, "secret": EncryptAndSign, "u": DoNothing},
	})
	if err != nil {
		t.Fatal(err)
	}
	// A pool may forget what it was given, so the memory is remembered here.
	var works []*work
	e.work.New = func() any {
		works = append(works, newWork())
		return works[len(works)-1]
	}
	item := Item{
		"pk": &types.AttributeValueMemberS{Value: "p"}, "u": &types.AttributeValueMemberS{Value: "u"},
		"secret": &types.AttributeValueMemberS{Value: "the plaintext"},
	}
	sealed, err := e.EncryptItem(t.Context(), item)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.DecryptItem(t.Context(), sealed); err != nil {
		t.Fatal(err)
	}
	// Failures behind the keyring: a value without a number, a changed footer.
	used := len(k.keys)
	item["secret"] = &types.AttributeValueMemberN{Value: "no number"}
	if _, err := e.EncryptItem(t.Context(), item); !errors.Is(err, ErrInvalidItem) {
		t.Fatal(err)
	}
	foot := bytes.Clone(sealed[FooterAttribute].(*types.AttributeValueMemberB).Value)
	foot[0] ^= 1
	sealed[FooterAttribute] = &types.AttributeValueMemberB{Value: foot}
	if _, err := e.DecryptItem(t.Context(), sealed); !errors.Is(err, ErrTampered) {
		t.Fatal(err)
	}
	if len(k.keys) != used+4 {
		t.Error("the failures came before any key")
	}
	if k.encryption.DataKey() != nil || k.decryption.DataKey() != nil {
		t.Error("materials were not wiped")
	}
	for _, key := range k.keys {
		if len(bytes.Trim(key, "\x00")) != 0 || len(key) != 32 {
			t.Error("a key was not overwritten")
		}
	}
	plain := 0
	for _, w := range works {
		if len(bytes.Trim(w.keys[:cap(w.keys)], "\x00")) != 0 {
			t.Error("field keys are kept")
		}
		if w.item != (itemKeys{}) {
			t.Error("item keys are kept")
		}
		if len(bytes.Trim(w.plain[:cap(w.plain)], "\x00")) != 0 {
			t.Errorf("plaintext is kept: %q", w.plain[:cap(w.plain)])
		}
		plain += cap(w.plain)
		for _, entries := range [][]entry{w.entries[:cap(w.entries)], w.unsigned[:cap(w.unsigned)]} {
			for _, en := range entries {
				if en.value != nil || en.field != nil {
					t.Error("an attribute is kept")
				}
			}
		}
	}
	if len(works) == 0 || plain == 0 {
		t.Error("no memory was kept, so nothing was tested")
	}
}
