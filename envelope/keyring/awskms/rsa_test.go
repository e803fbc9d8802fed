// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

const (
	oaep1   = types.EncryptionAlgorithmSpecRsaesOaepSha1
	oaep256 = types.EncryptionAlgorithmSpecRsaesOaepSha256
)

func newRSA(t testing.TB, c awskms.RSAConfig) *awskms.RSA {
	t.Helper()
	if c.KeyARN == "" {
		c.KeyARN = key1
	}
	if c.Algorithm == "" {
		c.Algorithm = oaep256
	}
	return must[*awskms.RSA](t)(awskms.NewRSA(c))
}

// A keyring with a public key and no client writes without any call, and one with
// a client and no public key reads with one.
func TestRSAHalves(t *testing.T) {
	s := &fakekms.Server{}
	s.AddPair(key1, rsaPair())
	for _, algorithm := range []types.EncryptionAlgorithmSpec{oaep1, oaep256} {
		writer := newRSA(t, awskms.RSAConfig{Algorithm: algorithm, PublicKey: &rsaPair().PublicKey})
		key, edks := seal(t, writer)
		if len(edks) != 1 || edks[0].ProviderID != "aws-kms-rsa" || string(edks[0].ProviderInfo) != key1 ||
			len(edks[0].Ciphertext) != 48+256 {
			t.Fatalf("not the format's fields: %v", edks)
		}
		reader := newRSA(t, awskms.RSAConfig{Algorithm: algorithm, Client: s.Client(west)})
		got, calls, err := open(t, s, reader, testContext, edks)
		if err != nil || calls != 1 || !slices.Equal(got, key) {
			t.Fatalf("%d calls, %v", calls, err)
		}
		if c := s.Calls()[len(s.Calls())-1]; c.Operation != "Decrypt" || c.Algorithm != string(algorithm) {
			t.Errorf("call %+v", c)
		}
		_, calls, err = open(t, s, writer, testContext, edks)
		if !errors.Is(err, materials.ErrConfiguration) || calls != 0 {
			t.Errorf("a keyring without a client reads: %v", err)
		}
		other := map[types.EncryptionAlgorithmSpec]types.EncryptionAlgorithmSpec{oaep1: oaep256, oaep256: oaep1}
		wrong := newRSA(t, awskms.RSAConfig{Algorithm: other[algorithm], Client: s.Client(west)})
		if _, _, err := open(t, s, wrong, testContext, edks); !errors.Is(err, materials.ErrMaterials) {
			t.Errorf("the other algorithm: %v", err)
		}
	}
	if n := s.Count("GetPublicKey"); n != 0 {
		t.Errorf("%d calls of GetPublicKey", n)
	}
}

// The intermediate key is new for every item, and so is the padding.
func TestRSADraws(t *testing.T) {
	k := newRSA(t, awskms.RSAConfig{PublicKey: &rsaPair().PublicKey})
	var keys, wrapped [][]byte
	for range fresh.Draws {
		r := must[materials.Recipient](t)(k.Prepare(t.Context(), encryption(t)))
		keys, wrapped = append(keys, r.IntermediateKey), append(wrapped, r.WrappedIntermediateKey)
	}
	fresh.Bytes(t, "intermediate key", keys)
	fresh.Bytes(t, "wrapped intermediate key", wrapped)
}

// A public key that is not this key's would write items that nothing opens.
func TestRSARefusesAnotherPublicKey(t *testing.T) {
	s := &fakekms.Server{}
	s.AddPair(key1, rsaPair())
	other := &rsa.PublicKey{N: new(big.Int).Add(rsaPair().N, big.NewInt(2)), E: 65537}
	k := newRSA(t, awskms.RSAConfig{Client: s.Client(west), PublicKey: other})
	m := encryption(t)
	if err := k.OnEncrypt(t.Context(), m); !errors.Is(err, materials.ErrConfiguration) ||
		!strings.Contains(err.Error(), "not the public key of this key") || m.Complete() == nil {
		t.Errorf("got %v", err)
	}
	right := newRSA(t, awskms.RSAConfig{Client: s.Client(west), PublicKey: &rsaPair().PublicKey})
	_, edks := seal(t, right)
	if _, _, err := open(t, s, right, testContext, edks); err != nil {
		t.Error(err)
	}
}

// The key must be an RSA key for encryption.
func TestRSAChecksTheKey(t *testing.T) {
	for name, alter := range map[string]func(*kms.GetPublicKeyOutput){
		"usage":     func(o *kms.GetPublicKeyOutput) { o.KeyUsage = types.KeyUsageTypeSignVerify },
		"malformed": func(o *kms.GetPublicKeyOutput) { o.PublicKey = o.PublicKey[1:] },
		"curve":     func(o *kms.GetPublicKeyOutput) { o.PublicKey = curveDER },
		"2047 bits": func(o *kms.GetPublicKeyOutput) { o.PublicKey = rsaDER(2047) },
	} {
		s := &fakekms.Server{PublicKey: alter}
		s.AddPair(key1, rsaPair())
		k := newRSA(t, awskms.RSAConfig{Client: s.Client(west)})
		err := k.OnEncrypt(t.Context(), encryption(t))
		if !errors.Is(err, materials.ErrConfiguration) && !errors.Is(err, materials.ErrMaterials) {
			t.Errorf("%s: %v", name, err)
		}
		s.PublicKey = nil
		seal(t, k)
	}
}

// rsaDER is a public key without a known private half.
func rsaDER(bits uint) []byte {
	text, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: ones(bits), E: 65537})
	if err != nil {
		panic(err)
	}
	return text
}

func ones(bits uint) *big.Int {
	return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(1))
}

// Keys of 2047 bits are too short, and those of 2048 are not.
func TestRSAKeyLength(t *testing.T) {
	for bits, takes := range map[uint]bool{2047: false, 2048: true} {
		_, err := awskms.NewRSA(awskms.RSAConfig{KeyARN: key1, Algorithm: oaep1,
			PublicKey: &rsa.PublicKey{N: ones(bits), E: 65537}})
		if (err == nil) != takes {
			t.Errorf("%d bits: %v", bits, err)
		}
		s := &fakekms.Server{PublicKey: func(o *kms.GetPublicKeyOutput) { o.PublicKey = rsaDER(bits) }}
		s.AddPair(key1, rsaPair())
		err = newRSA(t, awskms.RSAConfig{Client: s.Client(west)}).OnEncrypt(t.Context(), encryption(t))
		if (err == nil) != takes {
			t.Errorf("%d bits of AWS KMS: %v", bits, err)
		}
	}
}

// A public key that cannot encrypt fails without a recipient.
func TestRSAUnusableKey(t *testing.T) {
	k := newRSA(t, awskms.RSAConfig{PublicKey: &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2048), E: 2}})
	m := encryption(t)
	err := k.OnEncrypt(t.Context(), m)
	var e *materials.KeyError
	if !errors.Is(err, materials.ErrMaterials) || !errors.As(err, &e) || e.KeyID != key1 || m.Complete() == nil {
		t.Errorf("got %v", err)
	}
}

// What AWS KMS decrypts must be the digest of this item's context and a key.
func TestRSAChecksThePlaintext(t *testing.T) {
	s := &fakekms.Server{}
	s.AddPair(key1, rsaPair())
	k := newRSA(t, awskms.RSAConfig{Client: s.Client(west)})
	_, edks := seal(t, k)
	if _, _, err := open(t, s, k, materials.EncryptionContext{"aws-crypto-table-name": "others"},
		edks); !errors.Is(err, materials.ErrMaterials) || !strings.Contains(err.Error(), "another encryption context") {
		t.Errorf("another context: %v", err)
	}
	var kept []byte
	for name, alter := range map[string]func([]byte) []byte{
		"short": func(p []byte) []byte { return p[:79] }, "long": func(p []byte) []byte { return append(p, 0) },
		"no digest": func(p []byte) []byte { return p[sha512.Size384:] }, "empty": func([]byte) []byte { return nil },
		"first bit": func(p []byte) []byte { p[0] ^= 0x80; return p },
		"last bit":  func(p []byte) []byte { p[47] ^= 1; return p },
		"key":       func(p []byte) []byte { p[79] ^= 1; return p },
	} {
		s.Plaintext = func(p []byte) []byte { kept = alter(p); return kept }
		if _, _, err := open(t, s, k, testContext, edks); !errors.Is(err, materials.ErrMaterials) {
			t.Errorf("%s: %v", name, err)
		}
		if slices.ContainsFunc(kept, func(b byte) bool { return b != 0 }) {
			t.Errorf("%s: the answer is not wiped", name)
		}
	}
	s.Plaintext = func(p []byte) []byte { kept = p; return p }
	if _, _, err := open(t, s, k, testContext, edks); err != nil || slices.Max(kept) != 0 {
		t.Errorf("%v, answer wiped: %t", err, slices.Max(kept) == 0)
	}
}

// A replica opens what another Region's key wrapped. A single-Region key of the
// same id elsewhere is another key.
func TestRSAMultiRegion(t *testing.T) {
	s := &fakekms.Server{}
	for _, arn := range []string{mrkWest, mrkEast, key1} {
		s.AddPair(arn, rsaPair())
	}
	_, edks := seal(t, newRSA(t, awskms.RSAConfig{KeyARN: mrkEast, PublicKey: &rsaPair().PublicKey}))
	k := newRSA(t, awskms.RSAConfig{KeyARN: mrkWest, Client: s.Client(west)})
	if _, calls, err := open(t, s, k, testContext, edks); err != nil || calls != 1 || s.Calls()[0].KeyID != mrkWest {
		t.Errorf("%d calls, %v", calls, err)
	}
	_, edks = seal(t, newRSA(t, awskms.RSAConfig{KeyARN: strings.Replace(key1, west, east, 1),
		PublicKey: &rsaPair().PublicKey}))
	k = newRSA(t, awskms.RSAConfig{Client: s.Client(west)})
	if _, calls, err := open(t, s, k, testContext, edks); err == nil || calls != 0 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

// An encryptor of suite 0x6701 is refused, under the keyring alone and as one of
// several; the error says what to set.
func TestRSASuite(t *testing.T) {
	s := &fakekms.Server{}
	s.AddPair(key1, rsaPair())
	k := newRSA(t, awskms.RSAConfig{Client: s.Client(west)})
	raw := must[*keyring.RawAES](t)(keyring.NewRawAES(keyring.RawAESConfig{Namespace: "n", Name: "k",
		Key: make([]byte, 32)}))
	child := must[*keyring.Multi](t)(keyring.NewMulti(raw, k))
	nested := must[*keyring.Multi](t)(keyring.NewMulti(raw, child))
	generator := must[*keyring.Multi](t)(keyring.NewMulti(k, raw))
	for name, k := range map[string]materials.Keyring{"alone": k, "child": child, "nested": nested,
		"generator": generator} {
		c := envelope.Config{LogicalTableName: "t", PartitionKey: "id", Keyring: k,
			Actions: map[string]envelope.Action{"id": envelope.SignOnly}}
		for _, suite := range []envelope.AlgorithmSuite{0, envelope.SuiteDigitalSignature} {
			c.AlgorithmSuite = suite
			_, err := envelope.NewItemEncryptor(c)
			if !errors.Is(err, envelope.ErrConfiguration) {
				t.Fatalf("%s: %v", name, err)
			}
			for _, says := range []string{key1, "0x6700 only, not 0x6701", "SuiteSymmetricSignature",
				"reads items of both suites"} {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%s: %v does not say %q", name, err, says)
				}
			}
		}
		c.AlgorithmSuite = envelope.SuiteSymmetricSignature
		e := must[*envelope.ItemEncryptor](t)(envelope.NewItemEncryptor(c))
		sealed := must[envelope.Item](t)(e.EncryptItem(t.Context(), envelope.Item{"id": exampleOrder()["id"]}))
		if _, err := e.DecryptItem(t.Context(), sealed); err != nil {
			t.Errorf("%s: %v", name, err)
		}

		// A materials manager of the caller's hides the keyring until the first write.
		cmm := must[materials.CMM](t)(materials.NewDefaultCMM(k))
		c.Keyring, c.CMM, c.AlgorithmSuite = nil, cmm, 0
		e = must[*envelope.ItemEncryptor](t)(envelope.NewItemEncryptor(c))
		before := len(s.Calls())
		if _, err := e.EncryptItem(t.Context(), envelope.Item{"id": exampleOrder()["id"]}); !errors.Is(err,
			envelope.ErrConfiguration) || len(s.Calls()) != before {
			t.Errorf("%s: materials manager: %v", name, err)
		}
	}
	// The header decides on reading: a 0x6700 configuration reads what others wrote
	// in 0x6701, and no encrypted data key of this keyring is among those.
	_, edks := seal(t, k)
	m := must[*materials.Decryption](t)(materials.NewDecryption(materials.SuiteDigitalSignature,
		materials.EncryptionContext{materials.ContextPublicKey: "x"}))
	before := len(s.Calls())
	if err := k.OnDecrypt(t.Context(), m, edks); !errors.Is(err, materials.ErrMaterials) || len(s.Calls()) != before {
		t.Errorf("an item of suite 0x6701: %v", err)
	}
}

func TestRSAConfigurationErrors(t *testing.T) {
	public, client := &rsaPair().PublicKey, (&fakekms.Server{}).Client(west)
	newRSA(t, awskms.RSAConfig{Client: client, GrantTokens: []string{strings.Repeat("t", 8192)}})
	for name, c := range map[string]awskms.RSAConfig{
		"nothing":         {},
		"no algorithm":    {KeyARN: key1, Client: client},
		"symmetric":       {KeyARN: key1, Client: client, Algorithm: types.EncryptionAlgorithmSpecSymmetricDefault},
		"neither":         {KeyARN: key1, Algorithm: oaep1},
		"nil pointer":     {KeyARN: key1, Algorithm: oaep1, Client: (*kms.Client)(nil)},
		"alias":           {KeyARN: "alias/a", Algorithm: oaep1, PublicKey: public},
		"alias ARN":       {KeyARN: "arn:aws:kms:us-west-2:111122223333:alias/a", Algorithm: oaep1, PublicKey: public},
		"bare id":         {KeyARN: "11111111-1111-4111-8111-111111111111", Algorithm: oaep1, PublicKey: public},
		"empty key":       {KeyARN: key1, Algorithm: oaep1, PublicKey: &rsa.PublicKey{}},
		"short key":       {KeyARN: key1, Algorithm: oaep1, PublicKey: &rsa.PublicKey{N: big.NewInt(35), E: 3}},
		"too many tokens": {KeyARN: key1, Algorithm: oaep1, Client: client, GrantTokens: make([]string, 11)},
		"empty token":     {KeyARN: key1, Algorithm: oaep1, Client: client, GrantTokens: []string{""}},
		"long token": {KeyARN: key1, Algorithm: oaep1, Client: client,
			GrantTokens: []string{strings.Repeat("t", 8193)}},
	} {
		if k, err := awskms.NewRSA(c); !errors.Is(err, materials.ErrConfiguration) || k != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
