// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// FuzzDecodeAttribute reads what an item claims as its attributes: no panic, no
// more in the answer than in the input.
func FuzzDecodeAttribute(f *testing.F) {
	for _, seed := range []string{
		"", "\x00\x00", "\x00\x01text", "\x00\x0212.5", "\xff\xff\x00", "\x00\x04\x01",
		"\x01\x01\x00\x00\x00\x01\x00\x00\x00\x01a", "\x01\x02\x00\x00\x00\x01\x00\x00\x00\x017",
		"\x01\xff\x00\x00\x00\x01\x00\x00\x00\x00",
		"\x03\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00",
		"\x02\x00\x00\x00\x00\x01\x00\x01\x00\x00\x00\x01k\x00\x00\x00\x00\x00\x00",
		"\x03\x00\xff\xff\xff\xff", "\x01\x01\x00\x00\x00\x01\xff\xff\xff\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := decodeAttribute(raw)
		if err != nil {
			if !errors.Is(err, format.ErrMalformed) || v != nil {
				t.Fatal(v, err)
			}
			return
		}
		if n := size(t, v, 1); n > len(raw) {
			t.Fatalf("%d bytes out of %d", n, len(raw))
		}
	})
}

// size is at most what the value takes serialized, and checks that there is no
// hole in it.
func size(t *testing.T, v types.AttributeValue, depth int) (n int) {
	if depth > format.MaxDepth {
		t.Fatal("too deep")
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberNULL, *types.AttributeValueMemberBOOL:
	case *types.AttributeValueMemberS:
		n = len(v.Value)
	case *types.AttributeValueMemberN:
		n = len(v.Value)
	case *types.AttributeValueMemberB:
		n = len(v.Value)
	case *types.AttributeValueMemberSS:
		n = 4 * len(v.Value)
	case *types.AttributeValueMemberNS:
		n = 4 * len(v.Value)
	case *types.AttributeValueMemberBS:
		n = 4 * len(v.Value)
	case *types.AttributeValueMemberL:
		for _, e := range v.Value {
			n += 6 + size(t, e, depth+1)
		}
	case *types.AttributeValueMemberM:
		for k, e := range v.Value {
			n += 12 + len(k) + size(t, e, depth+1)
		}
	default:
		t.Fatalf("value %T", v)
	}
	return n
}

// FuzzOnDecrypt gives keyrings made-up encrypted data keys: each fails
// with materials.ErrMaterials.
func FuzzOnDecrypt(f *testing.F) {
	key := make([]byte, 32)
	aes, err := NewRawAES(RawAESConfig{Namespace: "n", Name: "k", Key: key})
	if err != nil {
		f.Fatal(err)
	}
	const version = "11111111-1111-4111-8111-111111111111"
	source, err := NewMemorySource(materials.NewBranchKey("k", version, [32]byte{1}))
	if err != nil {
		f.Fatal(err)
	}
	hierarchical, err := NewHierarchical(HierarchicalConfig{Source: source, BranchKeyID: "k"})
	if err != nil {
		f.Fatal(err)
	}
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	static, err := NewRawECDH(RawECDHConfig{PrivateKey: private, PartnerKey: private.PublicKey()})
	if err != nil {
		f.Fatal(err)
	}
	discovery, err := NewRawECDHDiscovery(private)
	if err != nil {
		f.Fatal(err)
	}
	multi, err := NewMulti(aes, hierarchical, static, discovery)
	if err != nil {
		f.Fatal(err)
	}
	info := format.ECDHInfo{Recipient: discovery.own, Sender: discovery.own}.Append(nil)
	f.Add("raw-ecdh", info, make([]byte, 160))
	f.Add("aws-kms-ecdh", info[1:], make([]byte, 160))
	f.Add("n", []byte("k\x00\x00\x00\x80\x00\x00\x00\x0c123456789012"), make([]byte, 96))
	u, _ := parseVersion(version)
	f.Add(hierarchyProvider, []byte("k"), append(append(make([]byte, 76), u[:]...), make([]byte, 48)...))
	f.Add("aws-kms-rsa", []byte("k"), make([]byte, 300))
	f.Fuzz(func(t *testing.T, provider string, info, ciphertext []byte) {
		m, err := materials.NewDecryption(materials.SuiteSymmetricSignature, materials.EncryptionContext{})
		if err != nil {
			t.Fatal(err)
		}
		err = multi.OnDecrypt(t.Context(), m,
			[]materials.EncryptedDataKey{{ProviderID: provider, ProviderInfo: info, Ciphertext: ciphertext}})
		if !errors.Is(err, materials.ErrMaterials) || m.DataKey() != nil {
			t.Fatal(err)
		}
		if len(err.Error()) > 4096 {
			t.Fatalf("message of %d bytes", len(err.Error()))
		}
	})
}
