// SPDX-License-Identifier: Apache-2.0

package legacy_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
)

// TestWrappings opens what each padding of RSA wraps, and line breaks in base64.
func TestWrappings(t *testing.T) {
	withHash := func(h crypto.Hash) []byte {
		return must(rsa.EncryptOAEPWithOptions(rand.Reader, &rsaKey().PublicKey, itemKey,
			&rsa.OAEPOptions{Hash: h, MGFHash: crypto.SHA1}))
	}
	//lint:ignore SA1019 the older client writes this padding
	v15 := must(rsa.EncryptPKCS1v15(rand.Reader, &rsaKey().PublicKey, itemKey))
	d := must(legacy.New(config(must(legacy.NewWrapped(legacy.WrappedConfig{UnwrappingKey: rsaKey(),
		Verification: hmacKey()})))))
	for padding, sealed := range map[string][]byte{
		"RSA/ECB/OAEPWithSHA-1AndMGF1Padding": withHash(crypto.SHA1), "RSA/ECB/PKCS1Padding": v15, "RSA": v15, "": v15,
		"RSA/ECB/OAEPWithSHA-256AndMGF1Padding": withHash(crypto.SHA256),
		"RSA/ECB/OAEPWithSHA-384AndMGF1Padding": oaepOf(t, crypto.SHA384),
	} {
		text := encode(sealed)
		pairs := map[string]string{"amzn-ddb-env-alg": "AES/256",
			"amzn-ddb-env-key": text[:76] + "\r\n" + text[76:] + "\r\n"}
		if padding != "" {
			pairs["amzn-ddb-wrap-alg"] = padding
		}
		w := writer(pairs)
		w.ContentKey = itemKey
		got, err := d.DecryptItem(t.Context(), w.Encrypt(plainItem()))
		if err != nil {
			t.Errorf("%s: %v", padding, err)
			continue
		}
		sameItem(t, got, plainItem())
	}
}

func oaepOf(t *testing.T, h crypto.Hash) []byte {
	t.Helper()
	return must(rsa.EncryptOAEPWithOptions(rand.Reader, &rsaKey().PublicKey, itemKey,
		&rsa.OAEPOptions{Hash: h, MGFHash: crypto.SHA1}))
}

// TestWrappedFaults: what a description may not say, and wrapped keys that open
// nothing.
func TestWrappedFaults(t *testing.T) {
	aes := must(legacy.NewWrapped(legacy.WrappedConfig{WrappingKey: wrapKey, Verification: hmacKey()}))
	rsaProvider := must(legacy.NewWrapped(legacy.WrappedConfig{UnwrappingKey: rsaKey(), Verification: hmacKey()}))
	shortOAEP := must(rsa.EncryptOAEPWithOptions(rand.Reader, &rsaKey().PublicKey, itemKey[:10],
		&rsa.OAEPOptions{Hash: crypto.SHA256, MGFHash: crypto.SHA1}))
	const (
		alg, wrap, key = "amzn-ddb-env-alg", "amzn-ddb-wrap-alg", "amzn-ddb-env-key"
		oaepName       = "RSA/ECB/OAEPWithSHA-256AndMGF1Padding"
	)
	good := encode(aesWrap(wrapKey, itemKey))
	for name, c := range map[string]struct {
		provider  legacy.Provider
		pairs     map[string]string
		class     error
		attribute string
	}{
		"no key":            {aes, map[string]string{alg: "AES", wrap: "AESWrap"}, envelope.ErrTampered, "d"},
		"not base64":        {aes, map[string]string{alg: "AES", wrap: "AESWrap", key: "*"}, envelope.ErrTampered, "d"},
		"no wrap-alg":       {aes, map[string]string{alg: "AES", key: good}, envelope.ErrUnsupported, "d"},
		"wrap-alg":          {aes, map[string]string{alg: "AES", wrap: "DESedeWrap", key: good}, envelope.ErrUnsupported, "d"},
		"env-alg":           {aes, map[string]string{alg: "DES", wrap: "AESWrap", key: good}, envelope.ErrUnsupported, "d"},
		"other key":         {aes, map[string]string{alg: "AES", wrap: "AESWrap", key: encode(aesWrap(macKey, itemKey))}, envelope.ErrMaterials, ""},
		"short":             {aes, map[string]string{alg: "AES", wrap: "AESWrap", key: encode([]byte("x"))}, envelope.ErrMaterials, ""},
		"48 bytes":          {aes, map[string]string{alg: "AES", wrap: "AESWrap", key: encode(aesWrap(wrapKey, make([]byte, 48)))}, envelope.ErrMaterials, ""},
		"RSA for AES":       {rsaProvider, map[string]string{alg: "AES", wrap: "AESWrap", key: good}, envelope.ErrUnsupported, "d"},
		"NoPadding":         {rsaProvider, map[string]string{alg: "AES", wrap: "RSA/ECB/NoPadding", key: good}, envelope.ErrUnsupported, "d"},
		"OAEP of nothing":   {rsaProvider, map[string]string{alg: "AES", wrap: oaepName, key: encode(make([]byte, 128))}, envelope.ErrMaterials, ""},
		"OAEP, short key":   {rsaProvider, map[string]string{alg: "AES", wrap: oaepName, key: encode(shortOAEP)}, envelope.ErrTampered, "d"},
		"OAEP, foreign key": {rsaProvider, map[string]string{alg: "AES", wrap: oaepName, key: encode(oaep(wrapKey))}, envelope.ErrTampered, "v"},
		"PKCS1 of nothing":  {rsaProvider, map[string]string{alg: "AES", wrap: "RSA", key: encode(make([]byte, 128))}, envelope.ErrTampered, "v"},
	} {
		w := writer(c.pairs)
		w.ContentKey = itemKey
		got, err := must(legacy.New(config(c.provider))).DecryptItem(t.Context(), w.Encrypt(plainItem()))
		var own *envelope.Error
		if got != nil || !errors.Is(err, c.class) || !errors.As(err, &own) {
			t.Errorf("%s: %v, want %v", name, err, c.class)
			continue
		}
		at := map[string]bool{"": own.Attribute == "", "d": own.Attribute == envelope.LegacyDescriptionAttribute,
			"v": own.Attribute == "secret" || own.Attribute == "map"}
		if !at[c.attribute] {
			t.Errorf("%s: at %q", name, own.Attribute)
		}
	}
}

// TestForeignEnvKeys: with RSA anyone can wrap a content key, and the signature
// does not cover it. Values that such a key opens are refused.
func TestForeignEnvKeys(t *testing.T) {
	d := must(legacy.New(config(must(legacy.NewWrapped(legacy.WrappedConfig{UnwrappingKey: rsaKey(),
		Verification: hmacKey()})))))
	w := writer(map[string]string{"amzn-ddb-env-alg": "AES", "amzn-ddb-env-key": encode(oaep(itemKey)),
		"amzn-ddb-wrap-alg": "RSA/ECB/OAEPWithSHA-256AndMGF1Padding"})
	w.ContentKey = itemKey
	item := w.Encrypt(plainItem())
	for range 400 {
		key := make([]byte, 16)
		_, _ = rand.Read(key)
		altered := maps.Clone(item)
		altered[envelope.LegacyDescriptionAttribute] = b(fields("amzn-ddb-map-sym-mode", "/CBC/PKCS5Padding",
			"amzn-ddb-env-key", encode(oaep(key)), "amzn-ddb-wrap-alg", "RSA/ECB/OAEPWithSHA-256AndMGF1Padding"))
		if _, err := d.DecryptItem(t.Context(), altered); !errors.Is(err, envelope.ErrTampered) {
			t.Fatalf("a foreign content key: %v", err)
		}
	}
}

// TestRSAGuessesNoKey: the stand-in for a content key with a wrong padding is
// fresh, so no value can be made for it.
func TestRSAGuessesNoKey(t *testing.T) {
	d := must(legacy.New(config(must(legacy.NewWrapped(legacy.WrappedConfig{UnwrappingKey: rsaKey(),
		Verification: hmacKey()})))))
	for _, guess := range [][]byte{make([]byte, 16), make([]byte, 24), make([]byte, 32)} {
		w := writer(map[string]string{"amzn-ddb-wrap-alg": "RSA", "amzn-ddb-env-key": encode(make([]byte, 128))})
		w.ContentKey = guess
		if _, err := d.DecryptItem(t.Context(), w.Encrypt(plainItem())); !errors.Is(err, envelope.ErrTampered) {
			t.Errorf("%d bytes: %v", len(guess), err)
		}
	}
}

// TestSignatureAlgorithms: the description's name selects the hash of an RSA
// signature from a list.
func TestSignatureAlgorithms(t *testing.T) {
	d := must(legacy.New(config(must(legacy.NewStatic(legacy.StaticConfig{ContentKey: contentKey,
		Verification: must(legacy.NewRSA(&rsaKey().PublicKey))})))))
	for _, c := range []struct {
		name  string
		sign  func([]byte) []byte
		class error
	}{
		{"", signRSA, nil}, {"SHA256withRSA", signRSA, nil},
		{"SHA512withRSA", func(record []byte) []byte {
			sum := sha512.Sum512(record)
			return must(rsa.SignPKCS1v15(rand.Reader, rsaKey(), crypto.SHA512, sum[:]))
		}, nil},
		{"SHA384withRSA", func(record []byte) []byte {
			sum := sha512.Sum384(record)
			return must(rsa.SignPKCS1v15(rand.Reader, rsaKey(), crypto.SHA384, sum[:]))
		}, nil},
		{"SHA384withRSA", signRSA, envelope.ErrTampered}, {"SHA224withRSA", signRSA, envelope.ErrTampered},
		{"SHA1withRSA", signRSA, envelope.ErrUnsupported}, {"NONEwithRSA", signRSA, envelope.ErrUnsupported},
		{"HmacSHA256", signRSA, envelope.ErrUnsupported},
	} {
		w := writer(map[string]string{"amzn-ddb-map-signingAlg": c.name})
		if c.name == "" {
			w = writer(nil)
		}
		w.Sign = c.sign
		_, err := d.DecryptItem(t.Context(), w.Encrypt(plainItem()))
		if !errors.Is(err, c.class) {
			t.Errorf("%s: %v, want %v", c.name, err, c.class)
		}
	}
}

// TestKMSFaults: what the description may say of a key of AWS KMS.
func TestKMSFaults(t *testing.T) {
	f := kmsFixture()
	for name, c := range map[string]struct {
		change map[string]string
		class  error
	}{
		"wrap-alg":          {map[string]string{"amzn-ddb-wrap-alg": "AESWrap"}, envelope.ErrUnsupported},
		"no env-alg":        {map[string]string{"amzn-ddb-env-alg": ""}, envelope.ErrTampered},
		"no sig-alg":        {map[string]string{"amzn-ddb-sig-alg": ""}, envelope.ErrTampered},
		"no env-key":        {map[string]string{"amzn-ddb-env-key": ""}, envelope.ErrTampered},
		"DES":               {map[string]string{"amzn-ddb-env-alg": "DES/56"}, envelope.ErrUnsupported},
		"AES of 64 bits":    {map[string]string{"amzn-ddb-env-alg": "AES/64"}, envelope.ErrUnsupported},
		"AES of no number":  {map[string]string{"amzn-ddb-env-alg": "AES/x"}, envelope.ErrUnsupported},
		"MD5":               {map[string]string{"amzn-ddb-sig-alg": "HmacMD5/128"}, envelope.ErrUnsupported},
		"huge MAC":          {map[string]string{"amzn-ddb-sig-alg": "HmacSHA256/1000000"}, envelope.ErrUnsupported},
		"seven bits":        {map[string]string{"amzn-ddb-sig-alg": "HmacSHA256/7"}, envelope.ErrUnsupported},
		"signed length":     {map[string]string{"amzn-ddb-sig-alg": "HmacSHA256/+256"}, envelope.ErrUnsupported},
		"another algorithm": {map[string]string{"amzn-ddb-env-alg": "AES/256"}, envelope.ErrMaterials},
		"another blob":      {map[string]string{"amzn-ddb-env-key": encode([]byte("x"))}, envelope.ErrMaterials},
	} {
		texts := []string{"amzn-ddb-map-sym-mode", "/CBC/PKCS5Padding"}
		for name, value := range map[string]string{"amzn-ddb-wrap-alg": "kms", "amzn-ddb-env-alg": "AES/128",
			"amzn-ddb-sig-alg": "HmacSHA256/256", "amzn-ddb-env-key": encode([]byte("blob"))} {
			if v, changed := c.change[name]; changed {
				value = v
			}
			texts = append(texts, name, value)
		}
		item := maps.Clone(f.stored)
		item[envelope.LegacyDescriptionAttribute] = b(fields(texts...))
		if _, err := f.decryptor().DecryptItem(t.Context(), item); !errors.Is(err, c.class) {
			t.Errorf("%s: %v, want %v", name, err, c.class)
		}
	}
	for name, answer := range map[string]error{"denied": envelope.ErrKeyDenied, "cancelled": context.Canceled} {
		provider := must(legacy.NewKMS(legacy.KMSConfig{Client: failing{answer}}))
		_, err := must(legacy.New(config(provider))).DecryptItem(t.Context(), f.stored)
		failsWith(t, err, answer, "decrypt", "")
		if err == nil {
			t.Error(name)
		}
	}
	short := must(legacy.NewKMS(legacy.KMSConfig{Client: answering{}}))
	_, err := must(legacy.New(config(short))).DecryptItem(t.Context(), f.stored)
	failsWith(t, err, envelope.ErrMaterials, "decrypt", "")
}

type failing struct{ err error }

func (f failing) Decrypt(context.Context, []byte, map[string]string) ([]byte, error) {
	return nil, f.err
}

type answering struct{}

func (answering) Decrypt(context.Context, []byte, map[string]string) ([]byte, error) {
	return make([]byte, 16), nil
}

// TestFramingOfKMSVectors: the public vectors under a key of AWS KMS reach AWS KMS
// with the context of their writer.
func TestFramingOfKMSVectors(t *testing.T) {
	v := readPublicVectors(t)
	asked := 0
	for _, file := range []string{"aws-kms-direct-1.json", "aws-kms-aes128-1.json", "kms-nonbmp-hashkey-1.json"} {
		for table, items := range v.items(t, file) {
			for _, item := range items {
				if !envelope.IsLegacy(item) {
					continue
				}
				keys := []string{"hashKey"}
				if item["rangeKey"] != nil {
					keys = append(keys, "rangeKey")
				}
				kms := &recordingKMS{}
				c := legacy.Config{TableName: table, PartitionKey: "hashKey", DefaultAction: envelope.SignOnly,
					Actions:  map[string]envelope.Action{"hashKey": envelope.SignOnly},
					Provider: must(legacy.NewKMS(legacy.KMSConfig{Client: kms}))}
				if len(keys) > 1 {
					c.SortKey, c.Actions["rangeKey"] = "rangeKey", envelope.SignOnly
				}
				_, err := must(legacy.New(c)).DecryptItem(t.Context(), item)
				if !errors.Is(err, envelope.ErrKeyDenied) {
					t.Fatalf("%s: %v", file, err)
				}
				want := map[string]string{"*aws-kms-table*": table, "*amzn-ddb-sig-alg*": "HmacSHA256/256",
					"*amzn-ddb-env-alg*": "AES/256"}
				if strings.Contains(file, "128") {
					want["*amzn-ddb-env-alg*"] = "AES/128"
				}
				for _, k := range keys {
					switch key := item[k].(type) {
					case *types.AttributeValueMemberS:
						want[k] = key.Value
					case *types.AttributeValueMemberN:
						want[k] = key.Value
					}
				}
				// A blob of AWS KMS begins with its version.
				if !maps.Equal(kms.context, want) || len(kms.blob) < 100 || kms.blob[0] != 1 {
					t.Errorf("%s: context %q, want %q; blob of %d bytes", file, kms.context, want, len(kms.blob))
				}
				asked++
			}
		}
	}
	if asked < 25 {
		t.Errorf("only %d items", asked)
	}
}

type recordingKMS struct {
	blob    []byte
	context map[string]string
}

func (k *recordingKMS) Decrypt(_ context.Context, blob []byte, context map[string]string) ([]byte, error) {
	k.blob, k.context = blob, context
	return nil, envelope.ErrKeyDenied
}

// TestKeysDoNotPrint: neither configurations nor providers show a key.
func TestKeysDoNotPrint(t *testing.T) {
	secret := []byte("0123456789abcdef")
	key := must(legacy.NewHMAC("HmacSHA256", secret))
	c := legacy.StaticConfig{ContentKey: secret, Verification: key}
	w := legacy.WrappedConfig{WrappingKey: secret, Verification: key}
	values := []any{c, &c, w, &w, key, *key, must(legacy.NewStatic(c)), must(legacy.NewWrapped(w)),
		legacy.MetaStoreConfig{}, metaStore(&rows{}), must(legacy.New(config(must(legacy.NewStatic(c)))))}
	for _, v := range values {
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		for _, text := range []string{fmt.Sprintf("%v", v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v),
			fmt.Sprintf("%x", v), fmt.Sprintf("%s", v), log.String()} {
			for _, shown := range []string{string(secret), "30313233", "48 49 50 51", "0x30, 0x31"} {
				if strings.Contains(text, shown) {
					t.Errorf("%T shows its key: %.200s", v, text)
				}
			}
		}
		if out, err := json.Marshal(v); err == nil && strings.Contains(string(out), encode(secret)[:10]) {
			t.Errorf("%T marshals its key", v)
		}
	}
	if _, err := json.Marshal(c); err == nil {
		t.Error("a configuration is marshalled")
	}
}

// TestProviderConfiguration: constructors refuse what cannot work.
func TestProviderConfiguration(t *testing.T) {
	small := &rsa.PrivateKey{}
	for name, err := range map[string]error{
		"no verification":      second(legacy.NewStatic(legacy.StaticConfig{ContentKey: contentKey})),
		"zero verification":    second(legacy.NewStatic(legacy.StaticConfig{ContentKey: contentKey, Verification: &legacy.VerificationKey{}})),
		"content key":          second(legacy.NewStatic(legacy.StaticConfig{ContentKey: contentKey[:15], Verification: hmacKey()})),
		"no wrapping key":      second(legacy.NewWrapped(legacy.WrappedConfig{Verification: hmacKey()})),
		"two wrapping keys":    second(legacy.NewWrapped(legacy.WrappedConfig{WrappingKey: wrapKey, UnwrappingKey: rsaKey(), Verification: hmacKey()})),
		"wrapping key":         second(legacy.NewWrapped(legacy.WrappedConfig{WrappingKey: wrapKey[:15], Verification: hmacKey()})),
		"RSA key":              second(legacy.NewWrapped(legacy.WrappedConfig{UnwrappingKey: small, Verification: hmacKey()})),
		"wrapped verification": second(legacy.NewWrapped(legacy.WrappedConfig{WrappingKey: wrapKey})),
		"MAC key":              second(legacy.NewHMAC("HmacSHA256", nil)),
		"MAC algorithm":        second(legacy.NewHMAC("HmacMD5", macKey)),
		"RSA public key":       second(legacy.NewRSA(nil)),
		"RSA empty key":        second(legacy.NewRSA(&rsa.PublicKey{})),
		"KMS client":           second(legacy.NewKMS(legacy.KMSConfig{})),
		"nil KMS client":       second(legacy.NewKMS(legacy.KMSConfig{Client: (*recordingKMS)(nil)})),
		"meta table":           second(legacy.NewMetaStore(legacy.MetaStoreConfig{TableName: "m", MaterialName: "n", Provider: staticProvider()})),
		"material name":        second(legacy.NewMetaStore(legacy.MetaStoreConfig{Table: &rows{}, TableName: "m", Provider: staticProvider()})),
		"meta table name":      second(legacy.NewMetaStore(legacy.MetaStoreConfig{Table: &rows{}, MaterialName: "n", Provider: staticProvider()})),
		"meta provider":        second(legacy.NewMetaStore(legacy.MetaStoreConfig{Table: &rows{}, TableName: "m", MaterialName: "n"})),
		"nested meta store":    second(legacy.NewMetaStore(legacy.MetaStoreConfig{Table: &rows{}, TableName: "m", MaterialName: "n", Provider: metaStore(&rows{})})),
		"cache time":           second(legacy.NewMetaStore(legacy.MetaStoreConfig{Table: &rows{}, TableName: "m", MaterialName: "n", Provider: staticProvider(), CacheTime: -1})),
		"signed only":          second(legacy.NewMetaStore(legacy.MetaStoreConfig{Table: &rows{}, TableName: "m", MaterialName: "n", Provider: staticProvider(), SignedOnly: []string{"enc"}})),
	} {
		if !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := legacy.NewHMAC("HmacMD5", macKey); !errors.Is(err, envelope.ErrUnsupported) {
		t.Error("an unknown MAC is not unsupported")
	}
}

func second[T any](_ T, err error) error { return err }
