// SPDX-License-Identifier: Apache-2.0

package format

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
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
		"only key empty":             {replace("\x00\x02\x00\x01a\x00\x011\x00\x01b\x00\x00", "\x00\x01\x00\x00\x00\x011"), ErrMalformed},
		"context key not UTF-8":      {replace("\x00\x01b\x00\x00", "\x00\x01\xff\x00\x00"), ErrMalformed},
		"context value not UTF-8":    {replace("\x00\x01a\x00\x011", "\x00\x01a\x00\x01\x80"), ErrMalformed},
		"more pairs than bytes":      {replace("\x00\x02\x00\x01a", "\xff\xff\x00\x01a"), ErrMalformed},
		"no key":                     {replace("\x02\x00\x01p\x00\x04info\x00\x06cipher\x00\x00\x00\x00\x00\x00", "\x00"), ErrMalformed},
		"more keys than bytes":       {replace("\x02\x00\x01p", "\xff\x00\x01p"), ErrMalformed},
		"provider id not UTF-8":      {replace("\x00\x01p", "\x00\x01\xfe"), ErrMalformed},
		"last provider id not UTF-8": {replace("\x06cipher\x00\x00\x00\x00\x00\x00", "\x06cipher\x00\x01\xfe\x00\x00\x00\x00"), ErrMalformed},
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

// Every length field of the header holds its largest value and no more.
func TestHeaderFillsItsLengthFields(t *testing.T) {
	const most = math.MaxUint16
	text := strings.Repeat("x", most+1)
	for name, set := range map[string]func(h *Header, n int){
		"legend":            func(h *Header, n int) { h.Legend = bytes.Repeat([]byte{LegendSign}, n) },
		"provider id":       func(h *Header, n int) { h.EncryptedDataKeys[1].ProviderID = text[:n] },
		"provider info":     func(h *Header, n int) { h.EncryptedDataKeys[1].ProviderInfo = []byte(text[:n]) },
		"ciphertext":        func(h *Header, n int) { h.EncryptedDataKeys[1].Ciphertext = []byte(text[:n]) },
		"context key":       func(h *Header, n int) { h.Context = materials.EncryptionContext{text[:n]: "v"} },
		"context value":     func(h *Header, n int) { h.Context = materials.EncryptionContext{"k": text[:n]} },
		"first provider id": func(h *Header, n int) { h.EncryptedDataKeys[0].ProviderID = text[:n] },
	} {
		for _, n := range []int{1, 255, 256, most - 1, most, most + 1} {
			h := testHeader()
			set(h, n)
			b, err := h.Append(nil)
			if n > most {
				if !errors.Is(err, ErrInvalid) && !errors.Is(err, materials.ErrConfiguration) || b != nil {
					t.Errorf("%s of %d bytes: %d bytes, %v", name, n, len(b), err)
				}
				continue
			}
			if err != nil || len(b) != h.Size() {
				t.Errorf("%s of %d bytes: %d bytes of %d, %v", name, n, len(b), h.Size(), err)
				continue
			}
			again, err := ParseHeader(b)
			if err != nil {
				t.Errorf("%s of %d bytes: %v", name, n, err)
			} else if !reflect.DeepEqual(normal(again), normal(h)) {
				t.Errorf("%s of %d bytes is read as another header", name, n)
			}
		}
	}
	for n, fits := range map[int]bool{0: false, 1: true, 254: true, 255: true, 256: false} {
		h := testHeader()
		h.EncryptedDataKeys = slices.Repeat(h.EncryptedDataKeys[:1], n)
		b, err := h.Append(nil)
		if (err == nil) != fits || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%d encrypted data keys: %v", n, err)
		}
		if again, err := ParseHeader(b); fits && (err != nil || len(again.EncryptedDataKeys) != n) {
			t.Errorf("%d encrypted data keys are read as %v, %v", n, again, err)
		}
	}
	pairs := make(materials.EncryptionContext, most+1)
	for i := range most {
		pairs[strconv.Itoa(i)] = ""
	}
	h := testHeader()
	h.Context = pairs
	b, err := h.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParseHeader(b); err != nil || len(again.Context) != most {
		t.Errorf("%d pairs: %v", most, err)
	}
	pairs["one more"] = ""
	if _, err := h.Append(nil); !errors.Is(err, materials.ErrConfiguration) {
		t.Errorf("%d pairs: %v", most+1, err)
	}
}

// normal returns a header without the difference between nil and empty.
func normal(h *Header) Header {
	c := *h
	c.EncryptedDataKeys = slices.Clone(h.EncryptedDataKeys)
	for i := range c.EncryptedDataKeys {
		k := &c.EncryptedDataKeys[i]
		k.ProviderInfo, k.Ciphertext = append([]byte{}, k.ProviderInfo...), append([]byte{}, k.Ciphertext...)
	}
	return c
}

// A few required keys are looked for one by one, more of them in a sorted copy.
func TestStoredContextAtItsBoundary(t *testing.T) {
	for n := range 2*fewKeys + 2 {
		full, required := materials.EncryptionContext{"stored": "x", "zz": "y"}, []string{}
		for i := range n {
			k := fmt.Sprintf("k%02d", i)
			full[k], required = "v", append(required, k)
		}
		slices.Reverse(required)
		if got := StoredContext(full, required); len(got) != 2 || got["stored"] != "x" || got["zz"] != "y" {
			t.Errorf("%d required: %v", n, got)
		}
	}
}

func TestFlavorsAreSuites(t *testing.T) {
	for flavor, want := range map[byte]materials.AlgorithmSuite{
		FlavorSymmetric: materials.SuiteSymmetricSignature, FlavorSigned: materials.SuiteDigitalSignature,
	} {
		h := testHeader()
		h.Flavor = flavor
		b, err := h.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseHeader(b); err != nil || again.Suite() != want {
			t.Errorf("flavor %d: %v, %v", flavor, again, err)
		}
	}
}
