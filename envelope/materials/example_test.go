// SPDX-License-Identifier: Apache-2.0

package materials_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// vaultKeyring is a keyring of your own: something that can wrap and unwrap 32
// bytes is all it needs.
type vaultKeyring struct{ vault cipher.AEAD }

func (k vaultKeyring) OnEncrypt(_ context.Context, m *materials.Encryption) error {
	intermediate := make([]byte, materials.IntermediateKeyLength)
	_, _ = rand.Read(intermediate)
	defer clear(intermediate)
	nonce := make([]byte, k.vault.NonceSize())
	_, _ = rand.Read(nonce)
	return m.AddRecipient(materials.Recipient{
		ProviderID:             "vault",
		ProviderInfo:           []byte("key 7"),
		IntermediateKey:        intermediate,
		WrappedIntermediateKey: k.vault.Seal(nonce, nonce, intermediate, m.SerializedContext()),
	})
}

func (k vaultKeyring) OnDecrypt(_ context.Context, m *materials.Decryption, keys []materials.EncryptedDataKey) error {
	if m.DataKey() != nil {
		return nil
	}
	tried := []error{materials.ErrMaterials}
	for _, key := range keys {
		if key.ProviderID != "vault" || len(key.Ciphertext) < materials.WrappedDataKeyLength+k.vault.NonceSize() {
			continue
		}
		wrapped := key.Ciphertext[materials.WrappedDataKeyLength:]
		nonce := wrapped[:k.vault.NonceSize()]
		intermediate, err := k.vault.Open(nil, nonce, wrapped[len(nonce):], m.SerializedContext())
		if err == nil {
			err = m.Open(intermediate, key)
			clear(intermediate)
		}
		if err == nil {
			return nil
		}
		tried = append(tried, &materials.KeyError{Provider: "vault", KeyID: "key 7", Err: err})
	}
	return errors.Join(tried...)
}

func exampleConfig() envelope.Config {
	return envelope.Config{
		LogicalTableName: "orders", PartitionKey: "id",
		Actions: map[string]envelope.Action{"id": envelope.SignOnly, "card": envelope.EncryptAndSign},
	}
}

func exampleRoundTrip(c envelope.Config) {
	ctx := context.Background()
	e, err := envelope.NewItemEncryptor(c)
	if err != nil {
		log.Fatal(err)
	}
	sealed, err := e.EncryptItem(ctx, envelope.Item{
		"id": &types.AttributeValueMemberS{Value: "o-1"}, "card": &types.AttributeValueMemberS{Value: "4111"},
	})
	if err != nil {
		log.Fatal(err)
	}
	item, err := e.DecryptItem(ctx, sealed)
	if err != nil {
		log.Fatal(err)
	}
	message, err := envelope.Inspect(sealed)
	if err != nil {
		log.Fatal(err)
	}
	delete(message.StoredContext, materials.ContextPublicKey)
	fmt.Println(item["card"].(*types.AttributeValueMemberS).Value, message.EncryptedDataKeys[0].ProviderID,
		message.StoredContext)
}

// A keyring of your own.
func ExampleKeyring() {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		log.Fatal(err)
	}
	vault, err := cipher.NewGCM(block)
	if err != nil {
		log.Fatal(err)
	}
	c := exampleConfig()
	c.Keyring = vaultKeyring{vault}
	exampleRoundTrip(c)
	// Output: 4111 vault map[]
}

func exampleKeyring() materials.Keyring {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "shop", Name: "2026", Key: key})
	if err != nil {
		log.Fatal(err)
	}
	return k
}

// departmentCMM adds a pair to every item's encryption context.
type departmentCMM struct{ materials.CMM }

func (c departmentCMM) EncryptionMaterials(ctx context.Context,
	r materials.EncryptionRequest) (*materials.Encryption, error) {
	r.Context["department"] = "sales" // the request's context belongs to the manager
	return c.CMM.EncryptionMaterials(ctx, r)
}

func (c departmentCMM) DecryptionMaterials(ctx context.Context,
	r materials.DecryptionRequest) (*materials.Decryption, error) {
	r.Reproduced = maps.Clone(r.Reproduced)
	r.Reproduced["department"] = "sales"
	return c.CMM.DecryptionMaterials(ctx, r)
}

// A pair of the application in the encryption context, stored in each item.
func ExampleNewDefaultCMM() {
	cmm, err := materials.NewDefaultCMM(exampleKeyring())
	if err != nil {
		log.Fatal(err)
	}
	c := exampleConfig()
	c.CMM = departmentCMM{cmm}
	exampleRoundTrip(c)
	// Output: 4111 shop map[department:sales]
}

// The same pair, but not stored: who does not know it cannot open the item.
func ExampleNewRequiredContextCMM() {
	cmm, err := materials.NewDefaultCMM(exampleKeyring())
	if err != nil {
		log.Fatal(err)
	}
	required, err := materials.NewRequiredContextCMM(cmm, "department")
	if err != nil {
		log.Fatal(err)
	}
	c := exampleConfig()
	c.CMM = departmentCMM{required}
	exampleRoundTrip(c)
	// Output: 4111 shop map[]
}
