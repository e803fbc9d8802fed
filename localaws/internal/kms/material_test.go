// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/kms/ciphertext"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// TestBlobsOfOtherKeys changes the fields that say under which key a ciphertext
// was made. With the key named, each is refused for that, before the material
// is tried; without it, the ciphertext names a key that is not there.
func TestBlobsOfOtherKeys(t *testing.T) {
	w := newWorld(t)
	for _, multi := range []bool{false, true} {
		arn := w.key(members{"MultiRegion": multi})
		blob := decoded(t, w.do(root(here), "Encrypt",
			members{"KeyId": arn, "Plaintext": []byte("secret")})["CiphertextBlob"])
		for name, c := range map[string]struct {
			change         func([]byte) []byte
			named, unnamed string // codes
		}{
			"another account": {func(b []byte) []byte { b[23] ^= 1; return b }, "IncorrectKeyException", "AccessDeniedException"},
			"account of a known one": {func(b []byte) []byte {
				n := ciphertext.AccountNumber(abroad)
				binary.BigEndian.PutUint16(b[18:], uint16(n>>32))
				binary.BigEndian.PutUint32(b[20:], uint32(n))
				return b
			}, "IncorrectKeyException", "AccessDeniedException"},
			"high half of the account": {func(b []byte) []byte { b[19] ^= 1; return b }, "IncorrectKeyException", "AccessDeniedException"},
			"account of 13 digits":     {func(b []byte) []byte { b[18] = 0xFF; return b }, "InvalidCiphertextException", "InvalidCiphertextException"},
			"first of 13 digits": {func(b []byte) []byte {
				binary.BigEndian.PutUint16(b[18:], uint16(1_000_000_000_000>>32))
				binary.BigEndian.PutUint32(b[20:], uint32(1_000_000_000_000&0xFFFFFFFF))
				return b
			}, "InvalidCiphertextException", "InvalidCiphertextException"},
			"last of 12 digits": {func(b []byte) []byte {
				binary.BigEndian.PutUint16(b[18:], uint16(999_999_999_999>>32))
				binary.BigEndian.PutUint32(b[20:], uint32(999_999_999_999&0xFFFFFFFF))
				return b
			}, "IncorrectKeyException", "AccessDeniedException"},
			"multi-Region flag": {func(b []byte) []byte { b[1] ^= 1; return b }, "IncorrectKeyException", "AccessDeniedException"},
			"flag of two":       {func(b []byte) []byte { b[1] = 2; return b }, "InvalidCiphertextException", "InvalidCiphertextException"},
			"first of the id":   {func(b []byte) []byte { b[2] ^= 1; return b }, "IncorrectKeyException", "AccessDeniedException"},
			"last of the id":    {func(b []byte) []byte { b[17] ^= 1; return b }, "IncorrectKeyException", "AccessDeniedException"},
			"format":            {func(b []byte) []byte { b[0] = 2; return b }, "InvalidCiphertextException", "InvalidCiphertextException"},
			"the next version":  {func(b []byte) []byte { b[27]++; return b }, "InvalidCiphertextException", "InvalidCiphertextException"},
			"the last version":  {func(b []byte) []byte { copy(b[24:], "\xff\xff\xff\xff"); return b }, "InvalidCiphertextException", "InvalidCiphertextException"},
			"a negative version": {func(b []byte) []byte {
				copy(b[24:], "\x80\x00\x00\x00")
				return b
			}, "InvalidCiphertextException", "InvalidCiphertextException"},
			"no plaintext":  {func(b []byte) []byte { return b[:ciphertext.Overhead] }, "InvalidCiphertextException", "InvalidCiphertextException"},
			"cut in a tag":  {func(b []byte) []byte { return b[:ciphertext.Overhead-1] }, "InvalidCiphertextException", "InvalidCiphertextException"},
			"header alone":  {func(b []byte) []byte { return b[:ciphertext.HeadLength] }, "InvalidCiphertextException", "InvalidCiphertextException"},
			"one byte more": {func(b []byte) []byte { return append(b, 0) }, "InvalidCiphertextException", "InvalidCiphertextException"},
		} {
			changed := c.change(bytes.Clone(blob))
			for _, named := range []bool{true, false} {
				in, code := members{"CiphertextBlob": changed}, c.unnamed
				if named {
					in["KeyId"], code = arn, c.named
				}
				if out, err := w.try(root(here), "Decrypt", in); err == nil {
					t.Errorf("%s, key named %t: answered %v", name, named, out)
				} else if e, ok := err.(*request.Error); !ok || e.Code != code {
					t.Errorf("%s, key named %t: %v, want %s", name, named, err, code)
				}
			}
			// As another service of this server asks.
			_, err := w.kms.Decrypt(t.Context(), w.newCall(root(here), "GetItem").Via("kms", "Decrypt", dynamo), arn,
				changed, nil)
			if e, ok := err.(*request.Error); !ok || e.Code != c.named {
				t.Errorf("%s, of a service: %v, want %s", name, err, c.named)
			}
		}
		if got := w.do(root(here), "Decrypt",
			members{"CiphertextBlob": blob, "KeyId": arn}); string(decoded(t, got["Plaintext"])) != "secret" {
			t.Errorf("the unchanged ciphertext opens as %v", got)
		}
	}
}

// TestVersionsOpenTheirOwn: rotation adds a version, which seals from then on,
// and each version opens what names it.
func TestVersionsOpenTheirOwn(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	var blobs [][]byte
	for version := range 4 {
		if version > 0 {
			w.do(root(here), "RotateKeyOnDemand", members{"KeyId": arn})
			w.advance(24 * time.Hour)
		}
		blob := decoded(t, w.do(root(here), "Encrypt",
			members{"KeyId": arn, "Plaintext": []byte{byte(version)}})["CiphertextBlob"])
		if got := binary.BigEndian.Uint32(blob[24:]); got != uint32(version) {
			t.Errorf("sealed under version %d, want %d", got, version)
		}
		blobs = append(blobs, blob)
	}
	materials := make(map[string]bool)
	for version, blob := range blobs {
		out := w.do(root(here), "Decrypt", members{"CiphertextBlob": blob})
		if got := decoded(t, out["Plaintext"]); !slices.Equal(got, []byte{byte(version)}) {
			t.Errorf("version %d opens %v", version, got)
		}
		materials[out["KeyMaterialId"].(string)] = true
		for other := range 5 {
			if other == version {
				continue
			}
			moved := bytes.Clone(blob)
			moved[27] = byte(other)
			w.fails(root(here), "Decrypt", members{"CiphertextBlob": moved, "KeyId": arn}, "InvalidCiphertextException",
				"")
		}
	}
	if len(materials) != 4 {
		t.Errorf("%d materials for 4 versions", len(materials))
	}
}

// TestCiphertextIsOfItsAccount: a key of another account with the same id is
// another key.
func TestCiphertextIsOfItsAccount(t *testing.T) {
	w := newWorld(t)
	arn := w.key(members{"Policy": policyText(rootStatement(), statement("Allow", root(abroad).ARN, "kms:*"))})
	sealed := w.do(root(abroad), "Encrypt", members{"KeyId": arn, "Plaintext": []byte("x")})["CiphertextBlob"]
	for _, who := range []string{here, abroad} { // the key's account, and the caller's
		if got := w.do(root(who), "Decrypt", members{"CiphertextBlob": sealed}); got["KeyId"] != arn {
			t.Errorf("%s: opened under %v", who, got["KeyId"])
		}
	}
	h, ok := ciphertext.Parse(decoded(t, sealed))
	if !ok || h.AccountID() != here || !strings.HasSuffix(arn, h.KeyID()) {
		t.Errorf("the ciphertext names %s of %s", h.KeyID(), h.AccountID())
	}
	if got := (ciphertext.Head{Account: 1}).AccountID(); got != "000000000001" || ciphertext.AccountNumber(got) != 1 {
		t.Errorf("account %q", got)
	}
}
