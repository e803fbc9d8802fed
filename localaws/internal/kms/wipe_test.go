// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"bytes"
	"crypto/cipher"
	"errors"
	"maps"
	"testing"
)

// TestPlaintextIsWiped: no copy of a plaintext that this package has made
// outlives its answer, whether the request succeeded or not.
func TestPlaintextIsWiped(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	zero := func(name string, b []byte) {
		t.Helper()
		if !bytes.Equal(b, make([]byte, len(b))) {
			t.Errorf("%s: %q is left", name, b)
		}
	}
	for name, in := range map[string]*encryptInput{
		"encrypted": {KeyID: &arn},
		"dry run":   {KeyID: &arn, DryRun: true},
		"invalid":   {},
		"denied":    {KeyID: &arn},
	} {
		in.Plaintext = []byte("a data key")
		who := root(here)
		if name == "denied" {
			who = w.user(here, "stranger")
		}
		_, err := w.kms.encrypt(t.Context(), w.newCall(who, "Encrypt"), in)
		if (err == nil) != (name == "encrypted") {
			t.Errorf("%s: %v", name, err)
		}
		zero(name, in.Plaintext)
	}
	for _, out := range []any{&decryptOutput{Plaintext: []byte("secret")}, &dataKeyOutput{Plaintext: []byte("secret")},
		&randomOutput{Plaintext: []byte("secret")}} {
		body, err := encode(out)
		if err != nil || !bytes.Contains(body, []byte(`"Plaintext":"c2VjcmV0"`)) {
			t.Fatalf("%s %v", body, err)
		}
		switch x := out.(type) {
		case *decryptOutput:
			zero("decrypt", x.Plaintext)
		case *dataKeyOutput:
			zero("data key", x.Plaintext)
		case *randomOutput:
			zero("random", x.Plaintext)
		}
	}
}

// keepingAEAD keeps the plaintexts that pass through it.
type keepingAEAD struct {
	cipher.AEAD
	kept [][]byte
}

func (a *keepingAEAD) Seal(dst, nonce, plaintext, aad []byte) []byte {
	a.kept = append(a.kept, plaintext)
	return a.AEAD.Seal(dst, nonce, plaintext, aad)
}

func (a *keepingAEAD) Open(dst, nonce, ciphertext, aad []byte) ([]byte, error) {
	plaintext, err := a.AEAD.Open(dst, nonce, ciphertext, aad)
	a.kept = append(a.kept, plaintext)
	return plaintext, err
}

// TestMaterialLeavesNoPlaintext looks at every plaintext that was sealed or
// opened, after the answer has been sent.
func TestMaterialLeavesNoPlaintext(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	k, _ := w.kms.findByARN(arn)
	v := k.family.load().newest()
	aead := &keepingAEAD{AEAD: v.aead}
	v.aead = aead
	blob := decoded(t, w.do(root(here), "Encrypt",
		members{"KeyId": arn, "Plaintext": []byte("secret"), "EncryptionContext": members{"a": "1"}})["CiphertextBlob"])
	other := bytes.Clone(blob)
	other[len(other)-1]++
	sourced := members{"CiphertextBlob": blob, "SourceEncryptionContext": members{"a": "1"}, "DestinationKeyId": arn}
	for name, c := range map[string]struct {
		operation string
		in        members
		code      string // of the refusal; empty: none
		passed    int    // plaintexts through the material
	}{
		"encrypt":          {"Encrypt", members{"KeyId": arn, "Plaintext": []byte("secret")}, "", 1},
		"encrypt dry":      {"Encrypt", members{"KeyId": arn, "Plaintext": []byte("secret"), "DryRun": true}, "DryRunOperationException", 0},
		"decrypt":          {"Decrypt", members{"CiphertextBlob": blob, "EncryptionContext": members{"a": "1"}}, "", 1},
		"decrypt dry":      {"Decrypt", members{"CiphertextBlob": blob, "EncryptionContext": members{"a": "1"}, "DryRun": true}, "DryRunOperationException", 1},
		"decrypt changed":  {"Decrypt", members{"CiphertextBlob": other, "EncryptionContext": members{"a": "1"}}, "InvalidCiphertextException", 1},
		"re-encrypt":       {"ReEncrypt", sourced, "", 2},
		"re-encrypt dry":   {"ReEncrypt", with(sourced, "DryRun", true), "DryRunOperationException", 1},
		"data key":         {"GenerateDataKey", members{"KeyId": arn, "KeySpec": "AES_256"}, "", 1},
		"data key dry":     {"GenerateDataKey", members{"KeyId": arn, "KeySpec": "AES_256", "DryRun": true}, "DryRunOperationException", 0},
		"wrapped data key": {"GenerateDataKeyWithoutPlaintext", members{"KeyId": arn, "KeySpec": "AES_256"}, "", 1},
	} {
		aead.kept = nil
		_, err := w.try(root(here), c.operation, c.in)
		if c.code == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if c.code != "" {
			checkError(t, err, c.code, "")
		}
		if len(aead.kept) != c.passed {
			t.Errorf("%s: %d plaintexts", name, len(aead.kept))
		}
		for _, p := range aead.kept {
			if !bytes.Equal(p, make([]byte, len(p))) {
				t.Errorf("%s: %q is left", name, p)
			}
		}
	}
}

// with returns a copy of m with one more member.
func with(m members, name string, value any) members {
	m = maps.Clone(m)
	m[name] = value
	return m
}

func TestDrawKeyWipesWhatWasNotSealed(t *testing.T) {
	own := errors.New("the key is gone")
	var kept []byte
	got, err := drawKey(24, func(plaintext []byte) error {
		kept = plaintext
		return own
	})
	if !errors.Is(err, own) || got != nil || !bytes.Equal(kept, make([]byte, 24)) {
		t.Errorf("%x, %v; %x is left", got, err, kept)
	}
}
