// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

func signingKey(t *testing.T) (*ecdsa.PrivateKey, materials.EncryptionContext) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	compressed := append([]byte{2 | point[96]&1}, point[1:49]...)
	return key, materials.EncryptionContext{materials.ContextPublicKey: base64.StdEncoding.EncodeToString(compressed)}
}

func TestSignaturesHaveOneLength(t *testing.T) {
	key, stored := signingKey(t)
	var digest [format.DigestLength]byte
	for range 100 {
		_, _ = rand.Read(digest[:])
		der, err := signDigest(key, &digest)
		if err != nil {
			t.Fatal(err)
		}
		if len(der) != 103 {
			t.Fatalf("signature of %d bytes", len(der))
		}
		if err := verifySignature(stored, &digest, der); err != nil {
			t.Fatal(err)
		}
		digest[0] ^= 1
		if err := verifySignature(stored, &digest, der); !errors.Is(err, ErrTampered) {
			t.Fatalf("another digest: %v", err)
		}
	}
}

func TestOtherForm(t *testing.T) {
	key, _ := signingKey(t)
	message := sha512.Sum384([]byte("message"))
	der, err := ecdsa.SignASN1(rand.Reader, key, message[:])
	if err != nil {
		t.Fatal(err)
	}
	other, err := otherForm(der)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(der, other) || !ecdsa.VerifyASN1(&key.PublicKey, message[:], other) {
		t.Error("the other form is not another valid signature")
	}
	if again, err := otherForm(other); err != nil || !bytes.Equal(again, der) {
		t.Errorf("the other form of the other form is %x, %v", again, err)
	}
}

func TestVerifySignatureRefusesKeys(t *testing.T) {
	key, stored := signingKey(t)
	var digest [format.DigestLength]byte
	der, err := signDigest(key, &digest)
	if err != nil {
		t.Fatal(err)
	}
	good := stored[materials.ContextPublicKey]
	point, err := base64.StdEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.StdEncoding.EncodeToString
	// The last digit before the padding has four bits that do not count.
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	loose := good[:65] + string(digits[strings.IndexByte(digits, good[65])+1]) + "=="
	infinity := make([]byte, 49)
	beyond := append([]byte{2}, bytes.Repeat([]byte{0xFF}, 48)...)
	for name, text := range map[string]string{
		"bits beyond": loose, "empty": "", "no base64": "!" + good[1:], "line break": good[:4] + "\n" + good[4:],
		"short": encode(point[:48]),
		"long":  encode(append(bytes.Clone(point), 0)), "infinity": encode(infinity),
		"beyond the field":  encode(beyond),
		"other sign":        encode(append([]byte{point[0] ^ 1}, point[1:]...)),
		"uncompressed mark": encode(append([]byte{4}, point[1:]...)),
	} {
		if err := verifySignature(materials.EncryptionContext{materials.ContextPublicKey: text}, &digest,
			der); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Two signatures of one key with one nonce would give the key away.
func TestSignaturesAreFresh(t *testing.T) {
	key, _ := signingKey(t)
	var rs [][]byte
	for range fresh.Draws {
		der, err := signDigest(key, &[format.DigestLength]byte{})
		if err != nil {
			t.Fatal(err)
		}
		var sig struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(der, &sig); err != nil {
			t.Fatal(err)
		}
		rs = append(rs, sig.R.FillBytes(make([]byte, 48)))
	}
	fresh.Bytes(t, "r of the signatures of one digest", rs)
}
