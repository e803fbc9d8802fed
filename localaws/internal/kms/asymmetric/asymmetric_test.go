// SPDX-License-Identifier: Apache-2.0

package asymmetric

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

var curveSpecs = []string{"ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"}

func generate(t testing.TB, spec string) (*Pair, []byte) {
	t.Helper()
	p, material, err := Generate(spec)
	if err != nil {
		t.Fatal(err)
	}
	return p, material
}

// rsaPair is a pair of testdata, since drawing one takes seconds.
func rsaPair(t testing.TB, bits int) *Pair {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("rsa-%d.pem", bits)))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	p, err := Parse(fmt.Sprintf("RSA_%d", bits), block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestUsage(t *testing.T) {
	for spec, want := range map[string]string{
		"RSA_2048": UsageEncrypt, "RSA_3072": UsageEncrypt, "RSA_4096": UsageEncrypt,
		"ECC_NIST_P256": UsageAgreement, "ECC_NIST_P384": UsageAgreement, "ECC_NIST_P521": UsageAgreement,
		"SYMMETRIC_DEFAULT": "", "ECC_SECG_P256K1": "", "SM2": "", "HMAC_256": "", "": "",
	} {
		if got := Usage(spec); got != want {
			t.Errorf("%s: %q", spec, got)
		}
		if got := EncryptionAlgorithms(spec); (len(got) == 2) != (want == UsageEncrypt) {
			t.Errorf("%s: %q", spec, got)
		}
	}
}

// The limits are those of the documentation of AWS KMS; one byte more fails.
func TestEncryption(t *testing.T) {
	for bits, limits := range map[int][2]int{2048: {214, 190}, 3072: {342, 318}, 4096: {470, 446}} {
		spec := fmt.Sprintf("RSA_%d", bits)
		var p *Pair
		if bits == 2048 {
			p, _ = generate(t, spec)
		} else {
			p = rsaPair(t, bits)
		}
		for i, algorithm := range EncryptionAlgorithms(spec) {
			if n := MaxPlaintext(spec, algorithm); n != limits[i] {
				t.Errorf("%s %s: at most %d bytes", spec, algorithm, n)
			}
			plaintext := make([]byte, limits[i])
			_, _ = rand.Read(plaintext)
			ciphertext, err := p.Encrypt(algorithm, plaintext)
			if err != nil || len(ciphertext) != bits/8 {
				t.Fatalf("%s %s: %d bytes, %v", spec, algorithm, len(ciphertext), err)
			}
			if got, err := p.Decrypt(algorithm, ciphertext); err != nil || !bytes.Equal(got, plaintext) {
				t.Errorf("%s %s: %v", spec, algorithm, err)
			}
			if _, err := p.Encrypt(algorithm, append(plaintext, 0)); err == nil {
				t.Errorf("%s %s: %d bytes are encrypted", spec, algorithm, len(plaintext)+1)
			}
			other := EncryptionAlgorithms(spec)[1-i]
			flipped := slices.Clone(ciphertext)
			flipped[len(flipped)/2] ^= 1
			for name, wrong := range map[string]struct {
				algorithm  string
				ciphertext []byte
			}{
				"algorithm": {other, ciphertext}, "bit": {algorithm, flipped}, "short": {algorithm, ciphertext[1:]},
				"long": {algorithm, append(slices.Clone(ciphertext), 0)}, "empty": {algorithm, nil},
				"too large": {algorithm, bytes.Repeat([]byte{0xff}, bits/8)},
			} {
				if got, err := p.Decrypt(wrong.algorithm, wrong.ciphertext); err != ErrCiphertext || got != nil {
					t.Errorf("%s %s, %s: %v", spec, algorithm, name, err)
				}
			}
		}
	}
}

// A ciphertext is as long as the modulus (RFC 8017, section 7.1.2, step 1b): without
// a leading zero it is the same number, and still not a ciphertext.
func TestLeadingZero(t *testing.T) {
	p, _ := generate(t, "RSA_2048")
	for range 10_000 {
		ciphertext, err := p.Encrypt("RSAES_OAEP_SHA_256", []byte("key"))
		if err != nil {
			t.Fatal(err)
		}
		if ciphertext[0] != 0 {
			continue
		}
		if _, err := p.Decrypt("RSAES_OAEP_SHA_256", ciphertext); err != nil {
			t.Error(err)
		}
		if _, err := p.Decrypt("RSAES_OAEP_SHA_256", ciphertext[1:]); err != ErrCiphertext {
			t.Errorf("without its leading zero: %v", err)
		}
		return
	}
	t.Fatal("no ciphertext has a leading zero")
}

// Both sides agree on one secret, of the length of a coordinate.
func TestSharedSecret(t *testing.T) {
	for i, spec := range curveSpecs {
		a, _ := generate(t, spec)
		b, _ := generate(t, spec)
		ab, err := a.SharedSecret(b.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		ba, err := b.SharedSecret(a.PublicKey())
		if want := []int{32, 48, 66}[i]; err != nil || !bytes.Equal(ab, ba) || len(ab) != want {
			t.Errorf("%s: %d bytes, %v", spec, len(ab), err)
		}
		if own, err := a.SharedSecret(a.PublicKey()); err != nil || bytes.Equal(own, ab) {
			t.Errorf("%s: own public key: %v", spec, err)
		}
		elsewhere, _ := generate(t, curveSpecs[(i+1)%3])
		bad := slices.Clone(b.PublicKey())
		bad[len(bad)-1] ^= 1
		compressed := slices.Clone(b.PublicKey())
		compressed[len(compressed)-2*len(ab)-1] = 2
		for name, other := range map[string][]byte{
			"none": nil, "off the curve": bad, "another curve": elsewhere.PublicKey(), "compressed": compressed,
			"P-224": otherCurve(t), "trailing byte": append(slices.Clone(b.PublicKey()), 0), "RSA": rsaPair(t, 3072).PublicKey(),
		} {
			if got, err := a.SharedSecret(other); err != ErrPublicKey || got != nil {
				t.Errorf("%s, %s: %v", spec, name, err)
			}
		}
	}
}

// Material gives the same pair back and is refused under every other spec.
func TestParse(t *testing.T) {
	for _, spec := range append([]string{"RSA_2048"}, curveSpecs...) {
		p, material := generate(t, spec)
		again, err := Parse(spec, material)
		if err != nil || !bytes.Equal(again.PublicKey(), p.PublicKey()) {
			t.Errorf("%s: %v", spec, err)
		}
		if _, err := x509.ParsePKIXPublicKey(p.PublicKey()); err != nil {
			t.Errorf("%s: %v", spec, err)
		}
		for other := range specs {
			if _, err := Parse(other, material); (err == nil) != (other == spec) || err != nil && !errors.Is(err,
				ErrMaterial) {
				t.Errorf("%s as %s: %v", spec, other, err)
			}
		}
		for _, bad := range [][]byte{nil, otherMaterial(t), material[1:], material[:len(material)-1],
			make([]byte, 32)} {
			if _, err := Parse(spec, bad); !errors.Is(err, ErrMaterial) {
				t.Errorf("%s: %d bytes: %v", spec, len(bad), err)
			}
		}
	}
}

// otherMaterial is a private key on a curve that no key spec has.
func otherMaterial(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(otherKey(t))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// otherCurve is a public key on such a curve.
func otherCurve(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&otherKey(t).PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func otherKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestPairsDoNotPrint(t *testing.T) {
	p := rsaPair(t, 3072)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, p); text != "[key pair]" || strings.Contains(text, p.rsa.D.String()) {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

func TestPairsAreFresh(t *testing.T) {
	var materials [][]byte
	for range fresh.Draws {
		_, material := generate(t, "ECC_NIST_P256")
		// The private scalar, which DER has at a fixed place.
		materials = append(materials, material[36:68])
	}
	fresh.Bytes(t, "private key", materials)
	p := rsaPair(t, 3072)
	var ciphertexts [][]byte
	for range fresh.Draws {
		c, err := p.Encrypt("RSAES_OAEP_SHA_256", []byte("same"))
		if err != nil {
			t.Fatal(err)
		}
		ciphertexts = append(ciphertexts, c)
	}
	fresh.Bytes(t, "ciphertext", ciphertexts)
}
