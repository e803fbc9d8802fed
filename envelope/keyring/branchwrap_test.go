// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

var (
	wrapKey          = bytes.Repeat([]byte{1}, 32)
	wrapIntermediate = bytes.Repeat([]byte{2}, 32)
	wrapContext      = []byte("context")
	wrapVersion      = uuid.MustParse("11111111-1111-4111-8111-111111111111")
)

func wrapOnce(t *testing.T) []byte {
	t.Helper()
	wrapped, err := wrapUnderBranchKey(wrapKey, wrapVersion, "tenant", wrapIntermediate, wrapContext)
	if err != nil || len(wrapped) != branchWrappedLength {
		t.Fatalf("%d bytes, %v", len(wrapped), err)
	}
	return wrapped
}

// Two items of one branch key share neither salt nor iv.
func TestBranchWrappingDrawsSaltAndIV(t *testing.T) {
	var all [][]byte
	for range fresh.Draws {
		all = append(all, wrapOnce(t))
	}
	for name, at := range map[string][2]int{"salt": {0, 16}, "iv": {16, 28}, "sealed key": {44, 76}, "tag": {76, 92}} {
		var parts [][]byte
		for _, wrapped := range all {
			parts = append(parts, wrapped[at[0]:at[1]])
		}
		fresh.Bytes(t, name, parts)
	}
	for _, wrapped := range all {
		if uuid.UUID(wrapped[28:44]) != wrapVersion {
			t.Fatalf("version %x", wrapped[28:44])
		}
	}
}

// The wrapping binds the branch key, its id, its version and the encryption
// context, and every byte of itself.
func TestBranchWrappingBinds(t *testing.T) {
	wrapped := wrapOnce(t)
	got, err := unwrapUnderBranchKey(wrapKey, "tenant", wrapped, wrapContext)
	if err != nil || !bytes.Equal(got, wrapIntermediate) {
		t.Fatalf("%x, %v", got, err)
	}
	refused := func(what string, key []byte, id string, wrapped, context []byte) {
		t.Helper()
		if got, err := unwrapUnderBranchKey(key, id, wrapped, context); !errors.Is(err, materials.ErrMaterials) ||
			got != nil {
			t.Errorf("%s: %x, %v", what, got, err)
		}
	}
	refused("branch key", wrapIntermediate, "tenant", wrapped, wrapContext)
	refused("id", wrapKey, "tenanu", wrapped, wrapContext)
	refused("context", wrapKey, "tenant", wrapped, []byte("contexu"))
	refused("no context", wrapKey, "tenant", wrapped, nil)
	for i := range wrapped {
		flipped := slices.Clone(wrapped)
		flipped[i] ^= 1
		refused("byte", wrapKey, "tenant", flipped, wrapContext)
	}
}

// The bytes are those of the specification: the wrapping key is one block of
// HMAC-SHA256 over counter, label, zero, salt and length in bits.
func TestBranchWrappingBytes(t *testing.T) {
	wrapped := wrapOnce(t)
	mac := hmac.New(sha256.New, wrapKey)
	mac.Write([]byte("\x00\x00\x00\x01" + "aws-kms-hierarchy" + "\x00" + string(wrapped[:16]) + "\x00\x00\x01\x00"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	aad := "aws-kms-hierarchy" + "tenant" + string(wrapVersion[:]) + string(wrapContext)
	if got, err := aead.Open(nil, wrapped[16:28], wrapped[44:], []byte(aad)); err != nil ||
		!bytes.Equal(got, wrapIntermediate) {
		t.Errorf("%x, %v", got, err)
	}
}
