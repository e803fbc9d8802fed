// SPDX-License-Identifier: Apache-2.0

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

// An attribute that fails adds nothing, wherever in its value the fault is, and
// a record that begins again knows nothing of the one that was given up.
func TestRecordAfterFailures(t *testing.T) {
	good := []types.AttributeValue{
		&tS{Value: "good"}, &tL{Value: tList{&tS{Value: strings.Repeat("x", 100)},
			&tM{Value: tMap{"k": &tN{Value: "1"}}}}}, &tBS{Value: [][]byte{{2}, {1}}},
	}
	deep := types.AttributeValue(&tS{Value: "leaf"})
	for range MaxDepth {
		deep = &tL{Value: tList{deep}}
	}
	bad := []types.AttributeValue{
		nil, (*tL)(nil), &tS{Value: "\xff"}, &tN{Value: "1x"}, &tSS{Value: []string{"a", "b", "a"}},
		&tNS{Value: []string{"1", "x"}}, &tNS{Value: []string{"1", "1.0"}},
		&tBS{Value: [][]byte{{1}, {2}, {1}}},
		&tL{Value: tList{&tS{Value: strings.Repeat("y", 200)}, &tS{Value: "\xff"}}},
		&tL{Value: tList{&tS{Value: "y"}, nil}},
		&tM{Value: tMap{"a": &tS{Value: "y"}, "": &tS{}}}, &tM{Value: tMap{"a\xff": &tS{}}},
		&tM{Value: tMap{"a": &tM{Value: tMap{"b": &tN{Value: "x"}}}}}, deep,
	}
	sum := func(r *Record, failing []types.AttributeValue) [DigestLength]byte {
		r.Begin([]byte("header"), []byte("context"))
		for i, v := range good {
			for _, f := range failing {
				if err := r.Signed([]byte("bad"), f, RefuseEmptyKeys); !errors.Is(err, ErrInvalid) {
					t.Errorf("%T: %v", f, err)
				}
			}
			if err := r.Signed([]byte{'p', byte(i)}, v, RefuseEmptyKeys); err != nil {
				t.Fatal(err)
			}
		}
		return r.Sum()
	}
	want := sum(NewRecord(), nil)
	r := NewRecord()
	if got := sum(r, bad); got != want {
		t.Error("an attribute that failed is part of the record")
	}
	for _, size := range []int{1, recordBuffer - 1, recordBuffer, 3 * recordBuffer} {
		r.Begin([]byte("given up"), make([]byte, size))
		_ = r.Signed([]byte("p"), &tL{Value: tList{&tB{Value: make([]byte, size)}}}, RefuseEmptyKeys)
		if got := sum(r, nil); got != want {
			t.Errorf("after %d bytes of a record that was given up: another digest", size)
		}
	}
}

// The buffer never grows, wherever in it a field begins, and what a large value
// needed is given back.
func TestRecordKeepsLittleMemory(t *testing.T) {
	r := NewRecord()
	for used := recordBuffer - 64; used <= recordBuffer; used++ {
		r.Begin(make([]byte, used-8), nil)
		if err := r.Signed([]byte("p"), &tS{Value: "x"}, RefuseEmptyKeys); err != nil {
			t.Fatal(err)
		}
		r.Encrypted([]byte("q"), []byte("\x00\x01x"))
		want := reference(make([]byte, used-8), nil, signedPart("p", "PLAINTEXT", "\x00\x01", "x"),
			signedPart("q", "ENCRYPTED", "\x00\x01", "x"))
		if got := r.Sum(); got != want || cap(r.buf) > recordBuffer {
			t.Errorf("field at %d: %d bytes are kept, digest %x, want %x", used, cap(r.buf), got, want)
		}
	}
	for _, c := range []struct {
		size  int
		keeps bool
	}{{100, true}, {2 * scratchKept, false}, {100, true}} {
		r.scratch = nil
		if err := r.Signed([]byte("p"), &tL{Value: tList{&tB{Value: make([]byte, c.size)}}},
			RefuseEmptyKeys); err != nil {
			t.Fatal(err)
		}
		if keeps := cap(r.scratch) > 0; keeps != c.keeps || cap(r.scratch) > scratchKept {
			t.Errorf("of a list of %d bytes %d are kept", c.size, cap(r.scratch))
		}
	}
}
