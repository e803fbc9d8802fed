// SPDX-License-Identifier: Apache-2.0

package legacy_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/internal/legacywriter"
)

var (
	contentKey = bytes.Repeat([]byte{1}, 32)
	macKey     = bytes.Repeat([]byte{2}, 32)
	wrapKey    = bytes.Repeat([]byte{3}, 16)
	itemKey    = bytes.Repeat([]byte{4}, 16) // the content key of a wrapped item
)

// rsaKey is short, so that thousands of items with it can be opened.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 1024)) })

// fixture is an item of the old format and what opens it.
type fixture struct {
	name   string
	config legacy.Config
	stored envelope.Item
	plain  envelope.Item
}

var actions = map[string]envelope.Action{
	"pk": envelope.SignOnly, "sk": envelope.SignOnly, "secret": envelope.EncryptAndSign, "map": envelope.EncryptAndSign,
	"open": envelope.SignOnly, "loose": envelope.DoNothing,
}

func plainItem() envelope.Item {
	return envelope.Item{
		"pk": s("key"), "sk": n("7"), "secret": s("classified"), "open": &types.AttributeValueMemberBOOL{Value: true},
		"loose": s("unsigned"),
		"map": &types.AttributeValueMemberM{Value: envelope.Item{
			"": n("1.5"), "l": &types.AttributeValueMemberL{Value: []types.AttributeValue{s("x"), b([]byte{0})}},
			"ss": &types.AttributeValueMemberSS{Value: []string{"a", "b"}}, "null": &types.AttributeValueMemberNULL{Value: true},
		}},
	}
}

func writer(description map[string]string) *legacywriter.Writer {
	return &legacywriter.Writer{Table: "t", ContentKey: contentKey, MACKey: macKey,
		Encrypted: []string{"secret", "map"}, Unsigned: []string{"loose"}, Description: description}
}

func config(p legacy.Provider) legacy.Config {
	return legacy.Config{TableName: "t", PartitionKey: "pk", SortKey: "sk", Actions: actions, Provider: p}
}

func hmacKey() *legacy.VerificationKey { return must(legacy.NewHMAC("HmacSHA256", macKey)) }

func staticProvider() legacy.Provider {
	return must(legacy.NewStatic(legacy.StaticConfig{ContentKey: contentKey, Verification: hmacKey()}))
}

// aesWrap is RFC 3394, section 2.2.1.
func aesWrap(kek, key []byte) []byte {
	block := must(aes.NewCipher(kek))
	a := bytes.Repeat([]byte{0xa6}, 8)
	r := slices.Clone(key)
	n := len(key) / 8
	for j := range 6 {
		for i := range n {
			buf := append(slices.Clone(a), r[8*i:8*i+8]...)
			block.Encrypt(buf, buf)
			binary.BigEndian.PutUint64(a, binary.BigEndian.Uint64(buf)^uint64(n*j+i+1))
			copy(r[8*i:], buf[8:])
		}
	}
	return append(a, r...)
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// signRSA signs as the Java client does by default.
func signRSA(record []byte) []byte {
	sum := sha256.Sum256(record)
	return must(rsa.SignPKCS1v15(rand.Reader, rsaKey(), crypto.SHA256, sum[:]))
}

// oaep wraps with the client's mixture of hashes.
func oaep(key []byte) []byte {
	return must(rsa.EncryptOAEPWithOptions(rand.Reader, &rsaKey().PublicKey, key,
		&rsa.OAEPOptions{Hash: crypto.SHA256, MGFHash: crypto.SHA1}))
}

// fakeKMS opens a key under the context that it was wrapped under.
type fakeKMS struct {
	context map[string]string
	key     []byte
}

func (k *fakeKMS) Decrypt(_ context.Context, sealed []byte, context map[string]string) ([]byte, error) {
	if !bytes.Equal(sealed, []byte("blob")) || !maps.Equal(context, k.context) {
		return nil, fmt.Errorf("%w: InvalidCiphertextException", envelope.ErrMaterials)
	}
	return slices.Clone(k.key), nil
}

func kmsFixture() fixture {
	kms := &fakeKMS{key: bytes.Repeat([]byte{5}, 32), context: map[string]string{"pk": "key", "sk": "7",
		"*aws-kms-table*": "t", "*amzn-ddb-env-alg*": "AES/128", "*amzn-ddb-sig-alg*": "HmacSHA256/256"}}
	w := writer(map[string]string{"amzn-ddb-wrap-alg": "kms", "amzn-ddb-env-alg": "AES/128",
		"amzn-ddb-sig-alg": "HmacSHA256/256", "amzn-ddb-env-key": encode([]byte("blob")), "aws-kms-ec-attr": "*keys*"})
	w.ContentKey = must(hkdf.Key(sha256.New, kms.key, nil, "Encryption", 16))
	w.MACKey = must(hkdf.Key(sha256.New, kms.key, nil, "Signing", 32))
	provider := must(legacy.NewKMS(legacy.KMSConfig{Client: kms}))
	return fixture{"kms", config(provider), w.Encrypt(plainItem()), plainItem()}
}

// metaRow is a row of the meta table with the keys wrapKey and macKey.
func metaRow(version string) envelope.Item {
	w := &legacywriter.Writer{Table: "meta", ContentKey: contentKey, MACKey: macKey,
		Encrypted: []string{"t", "enc", "encAlg", "int", "intAlg"}}
	return w.Encrypt(envelope.Item{"N": s("material"), "V": n(version), "t": s("0"), "enc": b(wrapKey),
		"encAlg": s("AES"), "int": b(macKey), "intAlg": s("HmacSHA256")})
}

func metaStore(table legacy.MetaTable) legacy.Provider {
	return must(legacy.NewMetaStore(legacy.MetaStoreConfig{Table: table, TableName: "meta", MaterialName: "material",
		Provider: staticProvider()}))
}

func wrappedDescription() map[string]string {
	return map[string]string{"amzn-ddb-env-alg": "AES", "amzn-ddb-wrap-alg": "AESWrap",
		"amzn-ddb-env-key": encode(aesWrap(wrapKey, itemKey))}
}

func metaStoreFixture() fixture {
	pairs := wrappedDescription()
	pairs["amzn-ddb-meta-id"] = "material#3"
	w := writer(pairs)
	w.ContentKey = itemKey
	return fixture{"meta store", config(metaStore(&rows{items: []envelope.Item{metaRow("3")}})), w.Encrypt(plainItem()),
		plainItem()}
}

// fixtures has one item for each provider.
func fixtures(t testing.TB) []fixture {
	t.Helper()
	wrapped := writer(wrappedDescription())
	wrapped.ContentKey = itemKey
	signed := writer(map[string]string{"amzn-ddb-env-alg": "AES", "amzn-ddb-map-signingAlg": "SHA256withRSA",
		"amzn-ddb-wrap-alg": "RSA/ECB/OAEPWithSHA-256AndMGF1Padding", "amzn-ddb-env-key": encode(oaep(itemKey))})
	signed.ContentKey, signed.Sign = itemKey, signRSA
	return []fixture{
		{"static", config(staticProvider()), writer(nil).Encrypt(plainItem()), plainItem()},
		{"wrapped AES", config(must(legacy.NewWrapped(legacy.WrappedConfig{WrappingKey: wrapKey,
			Verification: hmacKey()}))), wrapped.Encrypt(plainItem()), plainItem()},
		{"wrapped RSA", config(must(legacy.NewWrapped(legacy.WrappedConfig{UnwrappingKey: rsaKey(),
			Verification: must(legacy.NewRSA(&rsaKey().PublicKey))}))), signed.Encrypt(plainItem()), plainItem()},
		kmsFixture(), metaStoreFixture(),
	}
}

func (f *fixture) decryptor() *legacy.Decryptor { return must(legacy.New(f.config)) }
