package format

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The record is hashed in pieces; this builds it in one.
func reference(header, context []byte, parts ...[]byte) [48]byte {
	r := bytes.Clone(header)
	r = binary.BigEndian.AppendUint64(r, uint64(len(context)))
	r = append(r, context...)
	for _, p := range parts {
		r = append(r, p...)
	}
	return sha512.Sum384(r)
}

func signedPart(path, mark, id, value string) []byte {
	b := []byte(path)
	b = binary.BigEndian.AppendUint64(b, uint64(len(value)))
	return append(b, mark+id+value...)
}

func TestRecord(t *testing.T) {
	r := NewRecord()
	for _, size := range []int{0, 1, 100, recordBuffer - 40, recordBuffer - 1, recordBuffer, recordBuffer + 1,
		5 * recordBuffer} {
		text := strings.Repeat("x", size)
		header, context := []byte("header"+text), []byte(text+"context")
		r.Begin(header, context)
		r.Encrypted([]byte("path1"), []byte("\x00\x01"+text))
		for _, v := range []types.AttributeValue{
			&tS{Value: text}, &tN{Value: "1e2"}, &tB{Value: []byte(text)}, &tBOOL{Value: true},
			&tL{Value: tList{&tS{Value: text}}},
		} {
			if err := r.Signed([]byte("path2"+text), v, RefuseEmptyKeys); err != nil {
				t.Fatal(err)
			}
		}
		list, err := AppendValue(nil, &tL{Value: tList{&tS{Value: text}}})
		if err != nil {
			t.Fatal(err)
		}
		encrypted := []byte("path1")
		encrypted = binary.BigEndian.AppendUint64(encrypted, uint64(size))
		encrypted = append(encrypted, "ENCRYPTED\x00\x01"+text...)
		want := reference(header, context, encrypted,
			signedPart("path2"+text, "PLAINTEXT", "\x00\x01", text),
			signedPart("path2"+text, "PLAINTEXT", "\x00\x02", "100"),
			signedPart("path2"+text, "PLAINTEXT", "\xff\xff", text),
			signedPart("path2"+text, "PLAINTEXT", "\x00\x04", "\x01"),
			signedPart("path2"+text, "PLAINTEXT", "\x03\x00", string(list)))
		if got := r.Sum(); got != want {
			t.Errorf("values of %d bytes: got %x, want %x", size, got, want)
		}
	}
	if cap(r.buf) > recordBuffer || cap(r.scratch) > scratchKept {
		t.Errorf("%d and %d bytes are kept", cap(r.buf), cap(r.scratch))
	}
}

func TestRecordRefuses(t *testing.T) {
	r := NewRecord()
	r.Begin(nil, nil)
	for _, v := range []types.AttributeValue{nil, (*tS)(nil), &tS{Value: "\xff"}, &tN{Value: ""},
		&tSS{Value: []string{"a", "a"}}} {
		if err := r.Signed([]byte("p"), v, RefuseEmptyKeys); !errors.Is(err, ErrInvalid) {
			t.Errorf("%T: %v", v, err)
		}
	}
}
