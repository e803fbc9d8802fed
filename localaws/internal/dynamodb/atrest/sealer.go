// SPDX-License-Identifier: Apache-2.0

package atrest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// tableKeySize is the size of a table's random key in bytes.
const tableKeySize = 32

// Sealer turns items into what lies on disk, under one table key.
type Sealer struct {
	tableID string
	mac     []byte // HMAC-SHA256 key for item keys
	aead    cipher.AEAD
}

// NewSealer derives the two keys of a table from its table key, which it does
// not keep. It fails for a key that is not 32 bytes long.
func NewSealer(tableID string, tableKey []byte) (*Sealer, error) {
	if len(tableKey) != tableKeySize {
		return nil, errors.New("the table key has the wrong length")
	}
	mac, err := hkdf.Key(sha256.New, tableKey, []byte(tableID), "ddbseal localaws item keys", 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, tableKey, []byte(tableID), "ddbseal localaws item values", 32)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{tableID, mac, aead}, nil
}

// String keeps the keys out of messages.
func (s *Sealer) String() string { return "sealer of table " + s.tableID }

// GoString does the same for %#v.
func (s *Sealer) GoString() string { return s.String() }

// ItemKey returns the name on disk of the item with an ordered primary key.
func (s *Sealer) ItemKey(primary string) []byte {
	h := hmac.New(sha256.New, s.mac)
	h.Write([]byte(primary))
	return h.Sum(make([]byte, 0, sha256.Size))
}

// associated binds a sealed item to its table and key.
func (s *Sealer) associated(itemKey []byte) []byte {
	return append([]byte(s.tableID+"\x00"), itemKey...)
}

// Seal returns the nonce (12 bytes), ciphertext and tag (16 bytes) of an item,
// which opens only under its own name, table and table key.
func (s *Sealer) Seal(itemKey []byte, it schema.Item) []byte {
	return s.SealText(itemKey, schema.AppendItem(make([]byte, 0, 1024), it))
}

// SealText is [Sealer.Seal] for any text that belongs to the table. name must not
// have the length of the name of an item.
func (s *Sealer) SealText(name, plain []byte) []byte {
	const nonceSize = 12
	out := make([]byte, nonceSize, nonceSize+len(plain)+s.aead.Overhead())
	rand.Read(out) // never fails
	return s.aead.Seal(out, out[:nonceSize], plain, s.associated(name))
}

// Open returns the item that Seal sealed under itemKey.
func (s *Sealer) Open(itemKey, sealed []byte) (schema.Item, error) {
	plain, err := s.OpenText(itemKey, sealed)
	if err != nil {
		return nil, err
	}
	it, err := ddbjson.Unmarshal(plain)
	if err != nil {
		return nil, fmt.Errorf("a stored item: %w", err)
	}
	return it, nil
}

// OpenText returns the text that SealText sealed under name.
func (s *Sealer) OpenText(name, sealed []byte) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("a stored item is cut short")
	}
	plain, err := s.aead.Open(nil, sealed[:n], sealed[n:], s.associated(name))
	if err != nil {
		return nil, errors.New("a stored item is not what this table key sealed")
	}
	return plain, nil
}

func newTableKey() []byte {
	key := make([]byte, tableKeySize)
	rand.Read(key) // never fails
	return key
}
