// SPDX-License-Identifier: Apache-2.0

package format

import (
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// DigestLength is the length of the record's SHA-384 digest.
const DigestLength = sha512.Size384

const (
	markEncrypted = "ENCRYPTED"
	markPlaintext = "PLAINTEXT"
	// recordBuffer: short fields are gathered to this size before they are
	// hashed, longer ones are hashed where they lie. So the record of a 400 KB
	// item is never copied, and the memory held between items is small.
	recordBuffer = 4096
	// scratchKept is the largest scratch space kept for the next item.
	scratchKept = 64 << 10
)

// Record is the canonical record, what all of an item's signatures are over,
// hashed as it is written:
//
//	header
//	u64 length, serialized full encryption context
//	for each signed attribute in canonical order
//	  encrypted: path, u64 length without the type id, "ENCRYPTED", type id, ciphertext, tag
//	  signed:    path, u64 length without the type id, "PLAINTEXT", type id, serialized value
//
// It holds nothing secret: all of it stands in the clear in the item. A Record
// is reused through Begin and belongs to one goroutine at a time. (Structured
// Encryption specification, [footer], "Canonical Record".)
//
// [footer]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/footer.md#canonical-record
type Record struct {
	hash    hash.Hash
	buf     []byte
	scratch []byte
}

// NewRecord returns an empty record.
func NewRecord() *Record {
	return &Record{hash: sha512.New384(), buf: make([]byte, 0, recordBuffer)}
}

// Begin starts a new record with header and serialized full context.
func (r *Record) Begin(header, context []byte) {
	r.hash.Reset()
	r.buf = r.buf[:0]
	r.bytes(header)
	r.uint64(len(context))
	r.bytes(context)
}

// Encrypted adds an encrypted attribute; value is type id, ciphertext and tag.
// (Specification: [footer], "Canonical Encrypted Field".)
//
// [footer]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/footer.md#canonical-encrypted-field
func (r *Record) Encrypted(path, value []byte) {
	r.bytes(path)
	r.uint64(len(value) - TypeIDLength)
	r.text(markEncrypted)
	r.bytes(value)
}

// Signed adds an attribute that is signed in the clear, in its normalized
// form. An attribute that fails adds nothing. Errors: [ErrInvalid], as [Append].
// (Specification: [footer], "Canonical Plaintext Field".)
//
// [footer]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/footer.md#canonical-plaintext-field
func (r *Record) Signed(path []byte, v types.AttributeValue, empty EmptyKeys) error {
	id, err := TypeOf(v)
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		if !utf8.ValidString(v.Value) {
			return invalid("string is not UTF-8")
		}
		r.signed(path, id, len(v.Value))
		r.text(v.Value)
	case *types.AttributeValueMemberN:
		n, err := normalize(v.Value)
		if err != nil {
			return err
		}
		r.signed(path, id, len(n))
		r.text(n)
	case *types.AttributeValueMemberB:
		r.signed(path, id, len(v.Value))
		r.bytes(v.Value)
	default:
		// The length stands before the value, so nested values are serialized
		// apart.
		if _, err := SizeBound(v); err != nil {
			return err
		}
		b, err := Append(r.scratch[:0], v, empty)
		if err != nil {
			return err
		}
		r.signed(path, id, len(b))
		r.bytes(b)
		if cap(b) <= scratchKept {
			r.scratch = b
		}
	}
	return nil
}

func (r *Record) signed(path []byte, id TypeID, length int) {
	r.bytes(path)
	r.uint64(length)
	r.text(markPlaintext)
	r.room(TypeIDLength)
	r.buf = binary.BigEndian.AppendUint16(r.buf, uint16(id))
}

// Sum returns the digest of all that was added.
// (Specification: [footer], "Hash Calculation".)
//
// [footer]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/footer.md#hash-calculation
func (r *Record) Sum() (digest [DigestLength]byte) {
	r.flush()
	r.hash.Sum(digest[:0])
	return digest
}

func (r *Record) flush() {
	r.hash.Write(r.buf)
	r.buf = r.buf[:0]
}

// room makes sure that n more bytes fit the buffer.
func (r *Record) room(n int) {
	if len(r.buf)+n > recordBuffer {
		r.flush()
	}
}

func (r *Record) uint64(n int) {
	r.room(8)
	r.buf = binary.BigEndian.AppendUint64(r.buf, uint64(n))
}

func (r *Record) bytes(b []byte) {
	if r.room(len(b)); len(b) > recordBuffer {
		r.hash.Write(b)
		return
	}
	r.buf = append(r.buf, b...)
}

func (r *Record) text(s string) {
	for {
		r.room(min(len(s), recordBuffer))
		n := min(len(s), recordBuffer)
		r.buf = append(r.buf, s[:n]...)
		if s = s[n:]; s == "" {
			return
		}
	}
}
