package dynamodb

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

var (
	bucketTables = storage.Bucket{Name: "dynamodb/tables"}
	bucketTokens = storage.Bucket{Name: "dynamodb/tokens"}
)

// tableKeySize is that of a table's random key.
const tableKeySize = 32

// bucketItems holds the sealed items of one table under one table key: a
// re-encryption writes the next bucket and drops this one in one transaction.
func bucketItems(tableID string, generation int) storage.Bucket {
	return storage.Bucket{Name: "dynamodb/items/" + tableID + "/" + strconv.Itoa(generation), PlainValues: true}
}

// sealer turns items into what lies on disk, under one table key.
type sealer struct {
	tableID string
	mac     []byte // HMAC-SHA256 key for item keys
	aead    cipher.AEAD
}

// newSealer derives the two keys of a table from its table key, which it does
// not keep.
func newSealer(tableID string, tableKey []byte) (*sealer, error) {
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
	return &sealer{tableID, mac, aead}, nil
}

// String keeps the keys out of messages.
func (s *sealer) String() string { return "sealer of table " + s.tableID }

// GoString does the same for %#v.
func (s *sealer) GoString() string { return s.String() }

// itemKey is the name of an item on disk.
func (s *sealer) itemKey(primary string) []byte {
	h := hmac.New(sha256.New, s.mac)
	h.Write([]byte(primary))
	return h.Sum(make([]byte, 0, sha256.Size))
}

// associated binds a sealed item to its table and key.
func (s *sealer) associated(itemKey []byte) []byte {
	return append([]byte(s.tableID+"\x00"), itemKey...)
}

// seal returns nonce, ciphertext and tag of an item.
func (s *sealer) seal(itemKey []byte, it schema.Item) []byte {
	const nonceSize = 12
	plain := schema.AppendItem(make([]byte, 0, 1024), it)
	out := make([]byte, nonceSize, nonceSize+len(plain)+s.aead.Overhead())
	rand.Read(out) // never fails
	return s.aead.Seal(out, out[:nonceSize], plain, s.associated(itemKey))
}

// open is the reverse of seal.
func (s *sealer) open(itemKey, sealed []byte) (schema.Item, error) {
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("a stored item is cut short")
	}
	plain, err := s.aead.Open(nil, sealed[:n], sealed[n:], s.associated(itemKey))
	if err != nil {
		return nil, errors.New("a stored item is not what this table key sealed")
	}
	it, err := ddbjson.Unmarshal(plain)
	if err != nil {
		return nil, fmt.Errorf("a stored item: %w", err)
	}
	return it, nil
}

func newTableKey() []byte {
	key := make([]byte, tableKeySize)
	rand.Read(key) // never fails
	return key
}
