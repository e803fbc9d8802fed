// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// TestEveryBitMatters flips each bit of everything that the format protects.
//
// Flips that cannot matter, by design of the format: the tags of other
// recipients, which nothing covers, and unsigned attributes. Changes of signed
// attributes that keep the canonical value (another spelling of a number,
// another order of a set) are not flips of one bit, or not of the value.
func TestEveryBitMatters(t *testing.T) {
	for _, suite := range []envelope.AlgorithmSuite{envelope.SuiteSymmetricSignature, envelope.SuiteDigitalSignature} {
		for _, version := range []int{1, 2} {
			t.Run(suite.String(), func(t *testing.T) {
				config := validConfig(t)
				config.AlgorithmSuite = suite
				second, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "tests", Name: "second",
					Key: make([]byte, 32)})
				if err != nil {
					t.Fatal(err)
				}
				multi, err := keyring.NewMulti(testKeyring(t), second)
				if err != nil {
					t.Fatal(err)
				}
				config.Keyring = multi
				if version == 2 {
					for _, k := range []string{"pk", "sk", "note"} {
						config.Actions[k] = envelope.SignAndIncludeInEncryptionContext
					}
				}
				writer := mustEncryptor(t, config)
				config.Keyring = testKeyring(t) // the first recipient
				reader := mustEncryptor(t, config)
				flipEveryBit(t, reader, mustEncrypt(t, writer, validItem()), suite.Signed())
			})
		}
	}
}

// The same under a keyring that takes the sender's public key from the item.
func TestEveryBitMattersUnderECDH(t *testing.T) {
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	config := validConfig(t)
	config.AlgorithmSuite = envelope.SuiteSymmetricSignature
	if config.Keyring, err = keyring.NewRawECDHEphemeral(private.PublicKey()); err != nil {
		t.Fatal(err)
	}
	writer := mustEncryptor(t, config)
	if config.Keyring, err = keyring.NewRawECDHDiscovery(private); err != nil {
		t.Fatal(err)
	}
	flipEveryBit(t, mustEncryptor(t, config), mustEncrypt(t, writer, validItem()), false)
}

func flipEveryBit(t *testing.T, reader *envelope.ItemEncryptor, sealed envelope.Item, signed bool) {
	t.Helper()
	item := maps.Clone(sealed)
	decrypts := func(name string, bit int) error {
		_, err := reader.DecryptItem(t.Context(), item)
		if err != nil && !errors.Is(err, envelope.ErrTampered) && !errors.Is(err, envelope.ErrMaterials) &&
			!errors.Is(err, envelope.ErrUnsupported) {
			t.Fatalf("%s, bit %d: error of no class: %v", name, bit, err)
		}
		return err
	}
	flips := 0
	for name, v := range sealed {
		var bytes []byte
		var put func([]byte) types.AttributeValue
		switch v := v.(type) {
		case *types.AttributeValueMemberB:
			bytes, put = v.Value, b
		case *types.AttributeValueMemberS:
			bytes, put = []byte(v.Value), func(p []byte) types.AttributeValue { return s(string(p)) }
		case *types.AttributeValueMemberN:
			bytes, put = []byte(v.Value), func(p []byte) types.AttributeValue { return n(string(p)) }
		}
		for bit := range 8 * len(bytes) {
			flipped := slices.Clone(bytes)
			flipped[bit/8] ^= 0x80 >> (bit % 8)
			item[name] = put(flipped)
			err := decrypts(name, bit)
			cannotMatter := name == ":view" || name == "ttl" ||
				name == envelope.FooterAttribute && bit/8 >= 48 && bit/8 < 96 // the second recipient's tag
			if (err == nil) != cannotMatter {
				t.Fatalf("%s, bit %d of %d: %v", name, bit, 8*len(bytes), err)
			}
			flips++
		}
		item[name] = v
	}
	least := 8 * (250 + 96)
	if signed {
		least += 8 * 103
	}
	if flips < least {
		t.Errorf("only %d flips", flips)
	}
	if err := decrypts("untouched", 0); err != nil {
		t.Fatal(err)
	}
}

// Reordered sets and other spellings of numbers are the same values.
func TestSignedValuesVerifyNormalized(t *testing.T) {
	config := validConfig(t)
	config.Actions["set"], config.Actions["numbers"] = envelope.SignOnly, envelope.SignOnly
	e := mustEncryptor(t, config)
	item := validItem()
	item["note"], item["sk"] = n("100"), n("7.50")
	item["set"] = &types.AttributeValueMemberSS{Value: []string{"a", "b"}}
	item["numbers"] = &types.AttributeValueMemberNS{Value: []string{"1", "20"}}
	sealed := mustEncrypt(t, e, item)
	sealed["note"], sealed["sk"] = n("1E+2"), n("007.5")
	sealed["set"] = &types.AttributeValueMemberSS{Value: []string{"b", "a"}}
	sealed["numbers"] = &types.AttributeValueMemberNS{Value: []string{"2e1", "1.0"}}
	got, err := e.DecryptItem(t.Context(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	sameItem(t, got, item)
}

var _ materials.Keyring = (*countingKeyring)(nil)
