// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// curveDER is the public half of some elliptic-curve key.
var curveDER = der(ecdhPair(ecdh.P384()).PublicKey())

func der(key *ecdh.PublicKey) []byte {
	text, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(err)
	}
	return text
}

func newECDH(t testing.TB, s *fakekms.Server, arn string, partner *ecdh.PublicKey) *awskms.ECDH {
	t.Helper()
	return must[*awskms.ECDH](t)(awskms.NewECDH(awskms.ECDHConfig{Client: s.Client(west), KeyARN: arn,
		PartnerKey: partner}))
}

func ecdhDiscovery(t testing.TB, s *fakekms.Server, arn string) *awskms.ECDH {
	t.Helper()
	return must[*awskms.ECDH](t)(awskms.NewECDHDiscovery(awskms.ECDHConfig{Client: s.Client(west), KeyARN: arn}))
}

// Two KMS keys, a KMS key and a local one, an ephemeral sender and a KMS key:
// each side opens what the schemes let it open, and nothing else costs a call that
// uses the private key.
func TestECDHWhoReads(t *testing.T) {
	for _, curve := range []ecdh.Curve{ecdh.P256(), ecdh.P384(), ecdh.P521()} {
		a, b, local := ecdhPair(curve), ecdhPair(curve), ecdhPair(curve)
		s := &fakekms.Server{}
		s.AddPair(key1, a)
		s.AddPair(key2, b)
		raw := func(k *keyring.RawECDH, err error) materials.Keyring { return must[*keyring.RawECDH](t)(k, err) }
		keyrings := map[string]materials.Keyring{
			"a with b": newECDH(t, s, key1, b.PublicKey()), "b with a": newECDH(t, s, key2, a.PublicKey()),
			"a with local": newECDH(t, s, key1, local.PublicKey()), "a with a": newECDH(t, s, key1, a.PublicKey()),
			"a": ecdhDiscovery(t, s, key1), "b": ecdhDiscovery(t, s, key2),
			"local with a": raw(keyring.NewRawECDH(keyring.RawECDHConfig{PrivateKey: local,
				PartnerKey: a.PublicKey()})),
			"local":          raw(keyring.NewRawECDHDiscovery(local)),
			"somebody for a": raw(keyring.NewRawECDHEphemeral(a.PublicKey())),
		}
		for writer, read := range map[string][]string{
			"a with b": {"a with b", "b with a", "b"}, "b with a": {"a with b", "b with a", "a"},
			"a with local": {"a with local", "local with a", "local"},
			"local with a": {"a with local", "local with a", "a"},
			"a with a":     {"a with a", "a"}, "somebody for a": {"a"},
		} {
			key, edks := seal(t, keyrings[writer])
			for name, reader := range keyrings {
				if name == "somebody for a" {
					continue // cannot read
				}
				before := s.Count("DeriveSharedSecret")
				got, _, err := open(t, s, reader, testContext, edks)
				if opens := slices.Contains(read, name); (err == nil) != opens || opens && !slices.Equal(got, key) {
					t.Errorf("%v: %s reads %s: %v", curve, name, writer, err)
				}
				if n := s.Count("DeriveSharedSecret") - before; err != nil && n != 0 ||
					err == nil && n != 1 && !strings.HasPrefix(name, "local") {
					t.Errorf("%v: %s reads %s with %d calls", curve, name, writer, n)
				}
			}
		}
	}
}

// An item of others does not cost the call for the own public key either.
func TestECDHOthersItemsCostNothing(t *testing.T) {
	s := &fakekms.Server{}
	a, b, c := ecdhPair(ecdh.P256()), ecdhPair(ecdh.P256()), ecdhPair(ecdh.P256())
	s.AddPair(key1, a)
	s.AddPair(key2, b)
	_, edks := seal(t, newECDH(t, s, key2, b.PublicKey()))
	if _, calls, err := open(t, s, newECDH(t, s, key1, c.PublicKey()), testContext, edks); calls != 0 || err == nil {
		t.Errorf("%d calls, %v", calls, err)
	}
}

// Discovery only reads.
func TestECDHDiscoveryDoesNotWrite(t *testing.T) {
	s := &fakekms.Server{}
	s.AddPair(key1, ecdhPair(ecdh.P256()))
	err := ecdhDiscovery(t, s, key1).OnEncrypt(t.Context(), encryption(t))
	if !errors.Is(err, materials.ErrConfiguration) || len(s.Calls()) != 0 {
		t.Errorf("got %v", err)
	}
}

// The own key must be for key agreement, of the spec that its curve has, and on
// the partner's curve.
func TestECDHChecksTheKey(t *testing.T) {
	own, partner := ecdhPair(ecdh.P256()), ecdhPair(ecdh.P256())
	for name, alter := range map[string]func(*kms.GetPublicKeyOutput){
		"usage":     func(o *kms.GetPublicKeyOutput) { o.KeyUsage = types.KeyUsageTypeSignVerify },
		"spec":      func(o *kms.GetPublicKeyOutput) { o.KeySpec = types.KeySpecEccNistP384 },
		"malformed": func(o *kms.GetPublicKeyOutput) { o.PublicKey = append(o.PublicKey, 0) },
		"curve": func(o *kms.GetPublicKeyOutput) {
			o.KeySpec, o.PublicKey = types.KeySpecEccNistP384, curveDER
		},
		"P-224":  func(o *kms.GetPublicKeyOutput) { o.PublicKey = p224 },
		"X25519": func(o *kms.GetPublicKeyOutput) { o.PublicKey = der(ecdhPair(ecdh.X25519()).PublicKey()) },
	} {
		s := &fakekms.Server{PublicKey: alter}
		s.AddPair(key1, own)
		k := newECDH(t, s, key1, partner.PublicKey())
		err := k.OnEncrypt(t.Context(), encryption(t))
		if want := map[bool]error{true: materials.ErrMaterials, false: materials.ErrConfiguration}[name ==
			"malformed"]; !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		if n := s.Count("DeriveSharedSecret"); n != 0 {
			t.Errorf("%s: %d calls of DeriveSharedSecret", name, n)
		}
	}
}

// p224 is a public key on a curve that the format does not have.
var p224 = func() []byte {
	key, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		panic(err)
	}
	text, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	return text
}()

// A sender that is not on the curve costs no secret.
func TestECDHDiscoveryChecksTheSender(t *testing.T) {
	s := &fakekms.Server{}
	own := ecdhPair(ecdh.P256())
	s.AddPair(key1, own)
	_, edks := seal(t, must[*keyring.RawECDH](t)(keyring.NewRawECDHEphemeral(own.PublicKey())))
	edks[0].ProviderInfo[len(edks[0].ProviderInfo)-33] = 5
	_, _, err := open(t, s, ecdhDiscovery(t, s, key1), testContext, edks)
	if !errors.Is(err, materials.ErrMaterials) || !strings.Contains(err.Error(), "not a compressed point of P-256") ||
		s.Count("DeriveSharedSecret") != 0 {
		t.Errorf("got %v", err)
	}
}

// The secret must be of the curve's length and of the algorithm asked for, and is
// wiped after use and when it is refused.
func TestECDHChecksTheSecret(t *testing.T) {
	s := &fakekms.Server{}
	partner := ecdhPair(ecdh.P384())
	s.AddPair(key1, ecdhPair(ecdh.P384()))
	k := newECDH(t, s, key1, partner.PublicKey())
	_, edks := seal(t, k)
	var kept []byte
	for name, alter := range map[string]func(*kms.DeriveSharedSecretOutput){
		"short":     func(o *kms.DeriveSharedSecretOutput) { o.SharedSecret = o.SharedSecret[:32] },
		"long":      func(o *kms.DeriveSharedSecretOutput) { o.SharedSecret = append(o.SharedSecret, make([]byte, 18)...) },
		"empty":     func(o *kms.DeriveSharedSecretOutput) { o.SharedSecret = nil },
		"algorithm": func(o *kms.DeriveSharedSecretOutput) { o.KeyAgreementAlgorithm = "SM2" },
		"wrong":     func(o *kms.DeriveSharedSecretOutput) { o.SharedSecret[0]++ },
		"none":      nil,
	} {
		s.Secret = func(o *kms.DeriveSharedSecretOutput) {
			if alter != nil {
				alter(o)
			}
			kept = o.SharedSecret
		}
		_, _, err := open(t, s, k, testContext, edks)
		if (err == nil) != (alter == nil) || err != nil && !errors.Is(err, materials.ErrMaterials) {
			t.Errorf("%s: %v", name, err)
		}
		if slices.ContainsFunc(kept, func(b byte) bool { return b != 0 }) {
			t.Errorf("%s: the secret is not wiped", name)
		}
		err = k.OnEncrypt(t.Context(), encryption(t))
		if fails := alter != nil && name != "wrong"; (err != nil) != fails {
			t.Errorf("writing, %s: %v", name, err)
		}
		if slices.ContainsFunc(kept, func(b byte) bool { return b != 0 }) {
			t.Errorf("writing, %s: the secret is not wiped", name)
		}
	}
}

func TestECDHConfigurationErrors(t *testing.T) {
	partner, client := ecdhPair(ecdh.P256()).PublicKey(), (&fakekms.Server{}).Client(west)
	for name, c := range map[string]awskms.ECDHConfig{
		"nothing":   {},
		"no client": {KeyARN: key1}, "nil pointer": {KeyARN: key1, Client: (*kms.Client)(nil)},
		"no key": {Client: client}, "alias": {Client: client, KeyARN: "alias/a"},
		"alias ARN": {Client: client, KeyARN: "arn:aws:kms:us-west-2:111122223333:alias/a"},
		"bare id":   {Client: client, KeyARN: "11111111-1111-4111-8111-111111111111"},
		"tokens":    {Client: client, KeyARN: key1, GrantTokens: make([]string, 11)},
	} {
		if k, err := awskms.NewECDHDiscovery(c); !errors.Is(err, materials.ErrConfiguration) || k != nil {
			t.Errorf("discovery, %s: %v", name, err)
		}
		c.PartnerKey = partner
		if k, err := awskms.NewECDH(c); !errors.Is(err, materials.ErrConfiguration) || k != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := awskms.ECDHConfig{Client: client, KeyARN: key1}
	if _, err := awskms.NewECDH(c); !errors.Is(err, materials.ErrConfiguration) {
		t.Errorf("no partner: %v", err)
	}
	c.PartnerKey = ecdhPair(ecdh.X25519()).PublicKey()
	if _, err := awskms.NewECDH(c); !errors.Is(err, materials.ErrConfiguration) {
		t.Errorf("X25519: %v", err)
	}
	c.PartnerKey = partner
	if _, err := awskms.NewECDHDiscovery(c); !errors.Is(err, materials.ErrConfiguration) {
		t.Errorf("discovery with a partner: %v", err)
	}
}
