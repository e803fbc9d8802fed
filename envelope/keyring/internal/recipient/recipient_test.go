// SPDX-License-Identifier: Apache-2.0

package recipient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

func encryption(t *testing.T, maxKeys int) *materials.Encryption {
	t.Helper()
	m, err := materials.NewEncryption(materials.SuiteSymmetricSignature, nil, nil, nil, maxKeys)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func key() []byte { return bytes.Repeat([]byte{0xA7}, materials.IntermediateKeyLength) }

func wiped(key []byte) bool { return len(key) == 32 && len(bytes.Trim(key, "\x00")) == 0 }

func TestDrawIsFresh(t *testing.T) {
	var keys, wrapped [][]byte
	for range fresh.Draws {
		k, w, err := Draw(func(intermediate []byte) ([]byte, error) {
			return append([]byte("w"), intermediate...),
				nil
		})
		if err != nil {
			t.Fatal(err)
		}
		keys, wrapped = append(keys, k), append(wrapped, w[1:])
	}
	fresh.Bytes(t, "intermediate key", keys)
	if len(keys[0]) != materials.IntermediateKeyLength || !slices.EqualFunc(keys, wrapped, bytes.Equal) {
		t.Error("the key that was wrapped is not the one returned")
	}
}

func TestDrawWipesWhatWasNotWrapped(t *testing.T) {
	own := errors.New("no key today")
	var kept []byte
	k, w, err := Draw(func(intermediate []byte) ([]byte, error) {
		kept = intermediate
		return []byte("half"), own
	})
	if !errors.Is(err, own) || k != nil || w != nil {
		t.Errorf("got %v, %v, %v", k, w, err)
	}
	if !wiped(kept) {
		t.Errorf("%x is left", kept)
	}
}

func TestOpenWipes(t *testing.T) {
	m := encryption(t, 0)
	if err := m.AddRecipient(materials.Recipient{ProviderID: "p", IntermediateKey: key(),
		WrappedIntermediateKey: []byte("w")}); err != nil {
		t.Fatal(err)
	}
	d, err := materials.NewDecryption(materials.SuiteSymmetricSignature, nil)
	if err != nil {
		t.Fatal(err)
	}
	wrong := key()
	wrong[31]++
	for _, k := range [][]byte{wrong, key()} {
		err := Open(d, k, m.EncryptedDataKeys()[0])
		if right := &k[0] != &wrong[0]; (err == nil) != right || (d.DataKey() != nil) != right {
			t.Errorf("the right key: %t: %v", right, err)
		}
		if !wiped(k) {
			t.Errorf("%x is left", k)
		}
	}
	if !bytes.Equal(d.DataKey(), m.DataKey()) {
		t.Error("another data key came out")
	}
}

func TestAddWipes(t *testing.T) {
	for name, c := range map[string]struct {
		err, want error
		max       int
	}{
		"added":               {nil, nil, 2},
		"one too many":        {nil, materials.ErrMaterials, 1},
		"failed":              {fmt.Errorf("%w: no answer", materials.ErrMaterials), materials.ErrMaterials, 2},
		"can only decrypt":    {fmt.Errorf("%w: no key", materials.ErrConfiguration), materials.ErrConfiguration, 2},
		"error without class": {context.Canceled, materials.ErrMaterials, 2},
	} {
		m := encryption(t, c.max)
		if err := m.AddRecipient(materials.Recipient{ProviderID: "p", IntermediateKey: key(),
			WrappedIntermediateKey: []byte("w")}); err != nil {
			t.Fatal(err)
		}
		r := materials.Recipient{ProviderID: "p", IntermediateKey: key(), WrappedIntermediateKey: []byte("w")}
		err := Add(m, r, c.err)
		if !errors.Is(err, c.want) || c.err != nil && !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want == materials.ErrConfiguration && errors.Is(err, materials.ErrMaterials) {
			t.Errorf("%s: of two classes: %v", name, err)
		}
		if c.err != nil && c.err != context.Canceled && err != c.err {
			t.Errorf("%s: %v was wrapped again", name, err)
		}
		if !wiped(r.IntermediateKey) {
			t.Errorf("%s: %x is left", name, r.IntermediateKey)
		}
		if n := len(m.EncryptedDataKeys()); (n == 2) != (name == "added") {
			t.Errorf("%s: %d recipients", name, n)
		}
	}
}

// prepare is a keyring of one key.
type prepare func() (materials.Recipient, error)

func (p prepare) Prepare(context.Context, *materials.Encryption) (materials.Recipient, error) {
	return p()
}

func TestEncryptWipes(t *testing.T) {
	own := errors.New("no key today")
	for _, failure := range []error{nil, own} {
		m, kept := encryption(t, 0), key()
		err := Encrypt(t.Context(), prepare(func() (materials.Recipient, error) {
			return materials.Recipient{ProviderID: "p", IntermediateKey: kept, WrappedIntermediateKey: []byte("w")},
				failure
		}), m)
		if !errors.Is(err, failure) || (m.Complete() == nil) != (failure == nil) {
			t.Errorf("%v: %v", failure, err)
		}
		if !wiped(kept) {
			t.Errorf("%v: %x is left", failure, kept)
		}
	}
}

// The list of an item's keys is short, whatever the item holds.
func TestNoneErrorIsShort(t *testing.T) {
	one := materials.EncryptedDataKey{ProviderID: "elsewhere", ProviderInfo: []byte("k")}
	for n, want := range map[int]string{
		0: "belongs to this keyring", 1: `; there are "elsewhere" "k"`, 5: `"elsewhere" "k"`, 6: " and 1 more",
		255: " and 250 more",
	} {
		text := new(Attempts).Err(slices.Repeat([]materials.EncryptedDataKey{one}, n)).Error()
		if !strings.HasSuffix(text, want) || strings.Count(text, "elsewhere") != min(n, 5) {
			t.Errorf("%d keys: %s", n, text)
		}
	}
	long := materials.EncryptedDataKey{ProviderID: strings.Repeat("x", 1000),
		ProviderInfo: bytes.Repeat([]byte("y"), 1000)}
	if text := new(Attempts).Err([]materials.EncryptedDataKey{long}).Error(); len(text) > 400 {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}

// What failed is kept, each attempt with its error.
func TestAttempts(t *testing.T) {
	one, two := &materials.KeyError{Provider: "p", KeyID: "one"}, errors.New("two")
	var tried Attempts
	tried.Add(one)
	tried.Add(two)
	err := tried.Err(nil)
	var key *materials.KeyError
	var none *NoneError
	if !errors.Is(err, materials.ErrMaterials) || !errors.As(err, &key) || key != one || !errors.Is(err, two) ||
		errors.As(err, &none) {
		t.Errorf("got %v", err)
	}
	err = new(Attempts).Err([]materials.EncryptedDataKey{{ProviderID: "other", ProviderInfo: []byte("a")}})
	if !errors.Is(err, materials.ErrMaterials) || !errors.As(err, &none) || errors.As(err, &key) {
		t.Errorf("got %v", err)
	}
}

// The points of an ECDH keyring are binary, so the message has them in
// hexadecimal. Information of another form stays quoted.
func TestNoneErrorPrintsPoints(t *testing.T) {
	info := format.ECDHInfo{Recipient: append([]byte{2}, make([]byte, 32)...), Sender: append([]byte{3},
		make([]byte, 32)...)}.Append(nil)
	text := new(Attempts).Err([]materials.EncryptedDataKey{{ProviderID: "raw-ecdh", ProviderInfo: info},
		{ProviderID: "raw-ecdh", ProviderInfo: info[:70]}}).Error()
	zeros := strings.Repeat("0", 64)
	for _, says := range []string{`"raw-ecdh" recipient 02` + zeros + " sender 03" + zeros,
		`, "raw-ecdh" "\x01\x00\x00\x00!\x02`} {
		if !strings.Contains(text, says) {
			t.Errorf("%s does not say %s", text, says)
		}
	}
}
