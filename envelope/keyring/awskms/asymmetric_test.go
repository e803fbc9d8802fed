// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

var rsaPair = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func ecdhPair(curve ecdh.Curve) *ecdh.PrivateKey {
	key, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// asymmetric are keyrings of both kinds under key1, which fetch their public keys.
func asymmetric(t testing.TB) map[string]func(s *fakekms.Server) materials.Keyring {
	t.Helper()
	own, partner := ecdhPair(ecdh.P256()), ecdhPair(ecdh.P256())
	return map[string]func(s *fakekms.Server) materials.Keyring{
		"RSA": func(s *fakekms.Server) materials.Keyring {
			s.AddPair(key1, rsaPair())
			return must[*awskms.RSA](t)(awskms.NewRSA(awskms.RSAConfig{Client: s.Client(west), KeyARN: key1,
				Algorithm: oaep256, GrantTokens: []string{"token"}}))
		},
		"ECDH": func(s *fakekms.Server) materials.Keyring {
			s.AddPair(key1, own)
			return must[*awskms.ECDH](t)(awskms.NewECDH(awskms.ECDHConfig{Client: s.Client(west), KeyARN: key1,
				PartnerKey: partner.PublicKey(), GrantTokens: []string{"token"}}))
		},
	}
}

// The public key is asked for at the first use, once, and without grant tokens,
// which the other calls have.
func TestPublicKeyIsAskedForOnce(t *testing.T) {
	for name, newKeyring := range asymmetric(t) {
		s := &fakekms.Server{}
		k := newKeyring(s)
		if n := len(s.Calls()); n != 0 {
			t.Errorf("%s: %d calls at construction", name, n)
		}
		for range 3 {
			_, edks := seal(t, k)
			if _, _, err := open(t, s, k, testContext, edks); err != nil {
				t.Fatal(name, err)
			}
		}
		if n := s.Count("GetPublicKey"); n != 1 {
			t.Errorf("%s: %d calls of GetPublicKey", name, n)
		}
		for _, c := range s.Calls() {
			if (c.Operation == "GetPublicKey") != (len(c.GrantTokens) == 0) || c.KeyID != key1 || len(c.Context) > 0 {
				t.Errorf("%s: call %+v", name, c)
			}
		}
	}
}

// Many goroutines at the first use ask for the public key once together.
func TestPublicKeyIsAskedForTogether(t *testing.T) {
	for name, newKeyring := range asymmetric(t) {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			s := &fakekms.Server{Fault: func(context.Context, fakekms.Call) error { <-release; return nil }}
			k := newKeyring(s)
			for range 8 {
				go func() {
					if err := k.OnEncrypt(t.Context(), encryption(t)); err != nil {
						t.Error(name, err)
					}
				}()
			}
			synctest.Wait() // all but one for their turn
			close(release)
			synctest.Wait()
			if n := s.Count("GetPublicKey"); n != 1 {
				t.Errorf("%s: %d calls of GetPublicKey", name, n)
			}
		})
	}
}

// A failure to get the public key has the caller's cause and is not kept. A
// caller who waits for another's call leaves with its own context.
func TestPublicKeyFailureIsNotKept(t *testing.T) {
	for name, newKeyring := range asymmetric(t) {
		s := &fakekms.Server{}
		k := newKeyring(s)
		for _, fault := range []error{fakekms.Throttled(), context.Canceled, fakekms.Denied("kms:GetPublicKey")} {
			s.Fault = func(context.Context, fakekms.Call) error { return fault }
			err := k.OnEncrypt(t.Context(), encryption(t))
			var e *materials.KeyError
			if !errors.Is(err, fault) || !errors.Is(err, materials.ErrMaterials) || !errors.As(err, &e) ||
				e.KeyID != key1 || e.Provider != map[string]string{"RSA": "aws-kms-rsa", "ECDH": "aws-kms-ecdh"}[name] {
				t.Errorf("%s: %v", name, err)
			}
			denied := e != nil && e.Missing == "kms:GetPublicKey"
			if wants := e.Code == "AccessDeniedException"; denied != wants || errors.Is(err,
				materials.ErrKeyDenied) != wants {
				t.Errorf("%s: %v", name, err)
			}
		}
		started, ended := make(chan struct{}), make(chan error)
		s.Fault = func(ctx context.Context, c fakekms.Call) error { close(started); <-ctx.Done(); return ctx.Err() }
		first, cancelFirst := context.WithCancel(t.Context())
		go func() { ended <- k.OnEncrypt(first, encryption(t)) }()
		<-started
		second, cancelSecond := context.WithCancel(t.Context())
		cancelSecond()
		if err := k.OnEncrypt(second, encryption(t)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the waiting caller: %v", name, err)
		}
		cancelFirst()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the asking caller: %v", name, err)
		}
		s.Fault = nil
		_, edks := seal(t, k)
		if _, _, err := open(t, s, k, testContext, edks); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A reader that cannot get its own public key says so and asks once only.
func TestECDHReaderWithoutPublicKey(t *testing.T) {
	s := &fakekms.Server{}
	own := ecdhPair(ecdh.P256())
	s.AddPair(key1, own)
	_, edks := seal(t, newECDH(t, s, key1, own.PublicKey()))
	s.Fault = func(context.Context, fakekms.Call) error { return fakekms.Denied("kms:GetPublicKey") }
	for _, k := range []materials.Keyring{newECDH(t, s, key1, own.PublicKey()), ecdhDiscovery(t, s, key1)} {
		_, calls, err := open(t, s, k, testContext, slices.Repeat(edks, 3))
		var e *materials.KeyError
		if calls != 1 || !errors.Is(err, materials.ErrKeyDenied) || !errors.As(err, &e) ||
			e.Missing != "kms:GetPublicKey" {
			t.Errorf("%d calls, %v", calls, err)
		}
	}
}

// Materials with a data key are left alone, encrypted data keys of another provider
// are not tried, and a good one behind a bad one opens.
func TestAsymmetricTriesItsOwn(t *testing.T) {
	for name, newKeyring := range asymmetric(t) {
		s := &fakekms.Server{}
		k := newKeyring(s)
		key, edks := seal(t, k)
		before := len(s.Calls())
		m := must[*materials.Decryption](t)(materials.NewDecryption(materials.SuiteSymmetricSignature, testContext))
		if err := m.SetDataKey(make([]byte, 32), make([]byte, 32)); err != nil {
			t.Fatal(err)
		}
		if err := k.OnDecrypt(t.Context(), m, edks); err != nil || len(s.Calls()) != before {
			t.Errorf("%s: materials with a data key: %v", name, err)
		}
		other, flipped := edks[0], edks[0]
		other.ProviderID = "another"
		if _, calls, err := open(t, s, k, testContext, []materials.EncryptedDataKey{other}); err == nil || calls != 0 {
			t.Errorf("%s: another provider: %d calls, %v", name, calls, err)
		}
		flipped.Ciphertext = slices.Clone(flipped.Ciphertext)
		flipped.Ciphertext[len(flipped.Ciphertext)-1] ^= 1
		got, calls, err := open(t, s, k, testContext, []materials.EncryptedDataKey{flipped, edks[0]})
		if err != nil || calls != 2 || !slices.Equal(got, key) {
			t.Errorf("%s: the second one: %d calls, %v", name, calls, err)
		}
	}
}

// A denial names the permission that the operation needs.
func TestAsymmetricDenials(t *testing.T) {
	for name, want := range map[string]string{"RSA": "kms:Decrypt", "ECDH": "kms:DeriveSharedSecret"} {
		s := &fakekms.Server{}
		k := asymmetric(t)[name](s)
		_, edks := seal(t, k)
		s.Fault = func(context.Context, fakekms.Call) error { return fakekms.Denied(want) }
		_, _, err := open(t, s, k, testContext, edks)
		var e *materials.KeyError
		if !errors.Is(err, materials.ErrKeyDenied) || !errors.As(err, &e) || e.Missing != want || e.KeyID != key1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An answer of another key is not used, whichever call gives it.
func TestAsymmetricAnswersAreChecked(t *testing.T) {
	for name, newKeyring := range asymmetric(t) {
		s := &fakekms.Server{Answer: func(string) string { return key2 }}
		k := newKeyring(s)
		if err := k.OnEncrypt(t.Context(), encryption(t)); !errors.Is(err, materials.ErrMaterials) {
			t.Errorf("%s: GetPublicKey: %v", name, err)
		}
		s.Answer = nil
		_, edks := seal(t, k)
		s.Answer = func(string) string { return key2 }
		if _, _, err := open(t, s, k, testContext, edks); !errors.Is(err, materials.ErrMaterials) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every bit of the provider information and, for ECDH, of the ciphertext counts,
// and a malformed encrypted data key does not keep a good one from opening.
func TestAsymmetricHostileKeys(t *testing.T) {
	for name, newKeyring := range asymmetric(t) {
		s := &fakekms.Server{}
		k := newKeyring(s)
		key, edks := seal(t, k)
		refuses := func(what string, n int, edk materials.EncryptedDataKey, free bool) {
			t.Helper()
			_, calls, err := open(t, s, k, testContext, []materials.EncryptedDataKey{edk})
			if !errors.Is(err, materials.ErrMaterials) || free && calls > 0 {
				t.Fatalf("%s: %s %d: %d calls, %v", name, what, n, calls, err)
			}
		}
		for bit := range 8 * len(edks[0].ProviderInfo) {
			flipped := edks[0]
			flipped.ProviderInfo = slices.Clone(flipped.ProviderInfo)
			flipped.ProviderInfo[bit/8] ^= 1 << (bit % 8)
			refuses("information, bit", bit, flipped, true)
		}
		step := map[string]int{"RSA": 61, "ECDH": 1}[name] // an RSA operation is slow
		for bit := 0; bit < 8*len(edks[0].Ciphertext); bit += step {
			flipped := edks[0]
			flipped.Ciphertext = slices.Clone(flipped.Ciphertext)
			flipped.Ciphertext[bit/8] ^= 1 << (bit % 8)
			refuses("ciphertext, bit", bit, flipped, false)
		}
		for n := range len(edks[0].Ciphertext) {
			cut := edks[0]
			cut.Ciphertext = cut.Ciphertext[:n]
			refuses("ciphertext of", n, cut, name == "ECDH" || n <= 48)
		}
		short := edks[0]
		short.Ciphertext = short.Ciphertext[:49]
		_, calls, _ := open(t, s, k, testContext, []materials.EncryptedDataKey{short})
		if (calls == 1) != (name == "RSA") {
			t.Errorf("%s: %d calls for a ciphertext of 49 bytes", name, calls)
		}
		for _, info := range []string{"", "x", "arn:aws:kms:us-west-2:111122223333:alias/a"} {
			bad := edks[0]
			bad.ProviderInfo = []byte(info)
			for _, keys := range [][]materials.EncryptedDataKey{{bad, edks[0]}, {edks[0], bad}} {
				if got, _, err := open(t, s, k, testContext, keys); err != nil || !slices.Equal(got, key) {
					t.Errorf("%s: %q: %v", name, info, err)
				}
			}
			_, calls, err := open(t, s, k, testContext, []materials.EncryptedDataKey{bad})
			var e *materials.KeyError
			if calls > 0 || !errors.Is(err, materials.ErrMaterials) || !errors.As(err, &e) || e.KeyID != "number 1" {
				t.Errorf("%s: %q: %d calls, %v", name, info, calls, err)
			}
		}
	}
}

// A cancelled caller does not go on to the next encrypted data key.
func TestAsymmetricCancellationStops(t *testing.T) {
	for name, newKeyring := range asymmetric(t) {
		s := &fakekms.Server{}
		k := newKeyring(s)
		_, edks := seal(t, k)
		ctx, cancel := context.WithCancel(t.Context())
		s.Fault = func(context.Context, fakekms.Call) error { cancel(); return ctx.Err() }
		before := len(s.Calls())
		m := must[*materials.Decryption](t)(materials.NewDecryption(materials.SuiteSymmetricSignature, testContext))
		err := k.OnDecrypt(ctx, m, slices.Repeat(edks, 255))
		if n := len(s.Calls()) - before; !errors.Is(err, context.Canceled) || n != 1 {
			t.Errorf("%s: %d calls, %v", name, n, err)
		}
	}
}
