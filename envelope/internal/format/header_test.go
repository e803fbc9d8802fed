package format

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

func testHeader() *Header {
	return &Header{
		Version: Version2, Flavor: FlavorSigned, MessageID: [32]byte{1, 2, 3}, Legend: []byte("cse"),
		Context: materials.EncryptionContext{"b": "", "a": "1"},
		EncryptedDataKeys: []materials.EncryptedDataKey{
			{ProviderID: "p", ProviderInfo: []byte("info"), Ciphertext: []byte("cipher")},
			{ProviderID: "", ProviderInfo: nil, Ciphertext: nil},
		},
		Commitment: [32]byte{9},
	}
}

func TestHeaderBytes(t *testing.T) {
	got, err := testHeader().Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "\x02\x01" + "\x01\x02\x03" + strings.Repeat("\x00", 29) +
		"\x00\x03cse" +
		"\x00\x02" + "\x00\x01a\x00\x011" + "\x00\x01b\x00\x00" +
		"\x02" + "\x00\x01p\x00\x04info\x00\x06cipher" + "\x00\x00\x00\x00\x00\x00" +
		"\x09" + strings.Repeat("\x00", 31)
	if string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	h, err := ParseHeader(got)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.Append(nil); err != nil || !bytes.Equal(again, got) || h.Size() != len(got) {
		t.Errorf("written again as %q, %v, size %d", again, err, h.Size())
	}
	if h.Suite() != materials.SuiteDigitalSignature {
		t.Errorf("suite %v", h.Suite())
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	valid, err := testHeader().Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range valid {
		if _, err := ParseHeader(valid[:i]); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d of %d bytes: %v", i, len(valid), err)
		}
	}
	replace := func(old, new string) []byte {
		if strings.Count(string(valid), old) != 1 {
			t.Fatalf("%q is not there once", old)
		}
		return []byte(strings.Replace(string(valid), old, new, 1))
	}
	first := func(version, flavor byte) []byte {
		b := slices.Clone(valid)
		b[0], b[1] = version, flavor
		return b
	}
	for name, c := range map[string]struct {
		data  []byte
		class error
	}{
		"version 0":                  {first(0, 1), ErrVersion},
		"version 3":                  {first(3, 1), ErrVersion},
		"flavor 2":                   {first(2, 2), ErrVersion},
		"c in version 1":             {first(1, 1), ErrMalformed},
		"unknown legend":             {replace("cse", "cSe"), ErrMalformed},
		"legend too long":            {replace("\x00\x03cse", "\xff\xffcse"), ErrMalformed},
		"trailing byte":              {append(slices.Clone(valid), 0), ErrMalformed},
		"descending context":         {replace("\x00\x01a\x00\x011\x00\x01b\x00\x00", "\x00\x01b\x00\x00\x00\x01a\x00\x011"), ErrMalformed},
		"repeated context":           {replace("\x00\x01b\x00\x00", "\x00\x01a\x00\x00"), ErrMalformed},
		"empty context key":          {replace("\x00\x01a\x00\x011", "\x00\x00\x00\x011"), ErrMalformed},
		"context key not UTF-8":      {replace("\x00\x01b\x00\x00", "\x00\x01\xff\x00\x00"), ErrMalformed},
		"context value not UTF-8":    {replace("\x00\x01a\x00\x011", "\x00\x01a\x00\x01\x80"), ErrMalformed},
		"more pairs than bytes":      {replace("\x00\x02\x00\x01a", "\xff\xff\x00\x01a"), ErrMalformed},
		"no key":                     {replace("\x02\x00\x01p\x00\x04info\x00\x06cipher\x00\x00\x00\x00\x00\x00", "\x00"), ErrMalformed},
		"more keys than bytes":       {replace("\x02\x00\x01p", "\xff\x00\x01p"), ErrMalformed},
		"provider id not UTF-8":      {replace("\x00\x01p", "\x00\x01\xfe"), ErrMalformed},
		"provider info past the end": {replace("\x00\x04info", "\xff\x04info"), ErrMalformed},
		"ciphertext past the end":    {replace("\x00\x06cipher", "\xff\xffcipher"), ErrMalformed},
	} {
		if h, err := ParseHeader(c.data); !errors.Is(err, c.class) || h != nil {
			t.Errorf("%s: %v, %v", name, h, err)
		}
	}
}

func TestAppendHeaderRefuses(t *testing.T) {
	for name, change := range map[string]func(*Header){
		"legend":       func(h *Header) { h.Legend = make([]byte, math.MaxUint16+1) },
		"no key":       func(h *Header) { h.EncryptedDataKeys = nil },
		"256 keys":     func(h *Header) { h.EncryptedDataKeys = make([]materials.EncryptedDataKey, 256) },
		"long key":     func(h *Header) { h.EncryptedDataKeys[0].Ciphertext = make([]byte, math.MaxUint16+1) },
		"long info":    func(h *Header) { h.EncryptedDataKeys[0].ProviderInfo = make([]byte, math.MaxUint16+1) },
		"long context": func(h *Header) { h.Context["a"] = strings.Repeat("x", math.MaxUint16+1) },
	} {
		h := testHeader()
		change(h)
		if _, err := h.Append(nil); !errors.Is(err, ErrInvalid) && !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFooter(t *testing.T) {
	data := make([]byte, 2*48+103)
	for i := range data {
		data[i] = byte(i)
	}
	f, err := ParseFooter(data, 2, true)
	if err != nil || len(f.Tags) != 96 || len(f.Signature) != 103 || !bytes.Equal(f.Append(nil), data) {
		t.Errorf("got %v, %v", f, err)
	}
	if f, err = ParseFooter(data[:96], 2, false); err != nil || !bytes.Equal(f.Append(nil), data[:96]) {
		t.Errorf("got %v, %v", f, err)
	}
	for _, n := range []int{0, 48, 95, 96, 97, 198, 200} {
		if _, err := ParseFooter(make([]byte, n), 2, true); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestStoredContext(t *testing.T) {
	got := StoredContext(materials.EncryptionContext{"a": "1", "b": "2"}, []string{"a", "c"})
	if len(got) != 1 || got["b"] != "2" {
		t.Errorf("got %v", got)
	}
	full, required := materials.EncryptionContext{"stored": "x"}, []string{}
	for i := range 40 {
		full[fmt.Sprint("k", i)] = "v"
		required = append(required, fmt.Sprint("k", 39-i))
	}
	if got := StoredContext(full, required); len(got) != 1 || got["stored"] != "x" {
		t.Errorf("of many: %v", got)
	}
	if required[0] != "k39" {
		t.Error("the caller's keys were sorted")
	}
}
