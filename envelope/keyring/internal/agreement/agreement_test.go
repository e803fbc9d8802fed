// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/keyring/internal/recipient"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// TestWorked derives the keys of the vectors step by step.
func TestWorked(t *testing.T) {
	folder, named := os.LookupEnv("DDBSEAL_VECTORS")
	if !named {
		folder = filepath.Join("..", "..", "..", "..", "..", "shared", "vectors")
	}
	data, err := os.ReadFile(filepath.Join(folder, "keyrings", "java-3.9.0.json"))
	if errors.Is(err, fs.ErrNotExist) && !named {
		t.Skip("the vectors of the ECDH keyrings are not there")
	}
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct {
			Name string
			EDKs []struct {
				Info string `json:"providerInfoHex"`
			} `json:"edks"`
			Worked *struct {
				EDK                                                  int
				SharedSecret, FixedInfo, Salt, CommitmentKey         string
				WrappingKey, IntermediateKey, WrappedIntermediateKey string
			}
		}
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, c := range vectors.Cases {
		w := c.Worked
		if w == nil {
			continue
		}
		unhex := func(text string) []byte {
			b, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		p, err := parse(unhex(c.EDKs[w.EDK].Info))
		if err != nil {
			t.Fatal(c.Name, err)
		}
		fixed := unhex(w.FixedInfo)
		prefix := len(label) + 1 + len(p.Curve.name) + 1 + len(algorithm) + 1 + len(p.Sender) + len(p.Recipient) + 3
		var k keys
		got := p.derive(&k, unhex(w.SharedSecret), unhex(w.Salt), fixed[prefix:])
		if !bytes.Equal(got, fixed) {
			t.Errorf("%s: fixed information %x, want %x", c.Name, got, fixed)
		}
		if hex.EncodeToString(k.commitment()) != w.CommitmentKey || hex.EncodeToString(k.wrapping()) != w.WrappingKey {
			t.Errorf("%s: keys %x, want %s %s", c.Name, k, w.CommitmentKey, w.WrappingKey)
		}
		ran++
	}
	if ran < 60 {
		t.Errorf("%d cases ran", ran)
	}
}

// Compressing and decompressing give the key back, also the one with X = 0.
func TestCompressedPoints(t *testing.T) {
	for _, c := range curves {
		for range 8 {
			key, err := c.ecdh.GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			point := c.Compress(key.PublicKey())
			got, err := c.Decompress(point)
			if err != nil || !got.Equal(key.PublicKey()) || len(point) != 1+c.secretLength {
				t.Errorf("%v: %x: %v", c, point, err)
			}
		}
		zero := make([]byte, 1+c.secretLength)
		zero[0] = 2
		if key, err := c.Decompress(zero); err != nil || !bytes.Equal(c.Compress(key), zero) {
			t.Errorf("%v: the point with X = 0: %v", c, err)
		}
		for _, bad := range [][]byte{nil, {0}, {2}, zero[1:], append([]byte{4}, zero[1:]...), append(zero, 0),
			append([]byte{2}, bytes.Repeat([]byte{0xff}, c.secretLength)...)} {
			if _, err := c.Decompress(bad); !errors.Is(err, materials.ErrMaterials) {
				t.Errorf("%v: %x: %v", c, bad, err)
			}
		}
	}
	if _, err := CurveOf(ecdh.X25519()); !errors.Is(err, materials.ErrConfiguration) {
		t.Errorf("X25519: %v", err)
	}
}

// onePair is a holder of one pair whose secret it hands out.
type onePair struct {
	Pair
	secret       []byte
	err          error // of Owns
	owned, asked int   // how often each method was called
}

func (h *onePair) Owns(context.Context, Pair) (bool, error) {
	h.owned++
	return h.err == nil, h.err
}

func (h *onePair) Secret(context.Context, Pair) ([]byte, error) {
	h.asked++
	return h.secret, nil
}

func (h *onePair) KeyID() string { return "key" }

// Secrets are wiped after use, whether or not it succeeds.
func TestSecretsAreWiped(t *testing.T) {
	point := make([]byte, 33)
	h := &onePair{Pair: Pair{Curve: curves[0], Recipient: point, Sender: point}}
	fill := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	wiped := func() bool { return bytes.Equal(h.secret, make([]byte, 32)) }
	m, err := materials.NewEncryption(materials.SuiteSymmetricSignature, nil, nil, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	h.secret = fill(7)
	r, err := Prepare(ProviderRaw, h.Pair, h.secret, m)
	if err != nil || !wiped() {
		t.Fatalf("secret %x, %v", h.secret, err)
	}
	if err := m.AddRecipient(r); err != nil {
		t.Fatal(err)
	}
	for secret, opens := range map[byte]bool{7: true, 8: false} {
		d, err := materials.NewDecryption(materials.SuiteSymmetricSignature, nil)
		if err != nil {
			t.Fatal(err)
		}
		h.secret = fill(secret)
		err = Decrypt(t.Context(), ProviderRaw, h, d, m.EncryptedDataKeys())
		if (err == nil) != opens || !wiped() {
			t.Errorf("secret %d: %x, %v", secret, h.secret, err)
		}
	}
}

// Only encrypted data keys of the two providers are looked at, a malformed one is
// skipped, and a holder that cannot tell ends the search.
func TestDecryptLooksAtItsOwn(t *testing.T) {
	point := append([]byte{2}, make([]byte, 32)...)
	p := Pair{Curve: curves[0], Recipient: point, Sender: point}
	h := &onePair{Pair: p}
	m, err := materials.NewEncryption(materials.SuiteSymmetricSignature, nil, nil, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Prepare(ProviderRaw, p, bytes.Repeat([]byte{7}, 32), m)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.AddRecipient(r); err != nil {
		t.Fatal(err)
	}
	good := m.EncryptedDataKeys()[0]
	other, malformed, cut := good, good, good
	other.ProviderID = "another"
	malformed.ProviderInfo = good.ProviderInfo[1:]
	cut.Ciphertext = good.Ciphertext[:159]
	flipped := good
	flipped.Ciphertext = bytes.Clone(good.Ciphertext)
	flipped.Ciphertext[159]++
	var none *recipient.NoneError
	failing := &onePair{Pair: p, err: errors.New("no answer")}
	for name, c := range map[string]struct {
		holder *onePair
		keys   []materials.EncryptedDataKey
		opens  bool
		says   string
		asked  int
	}{
		"good":                   {h, []materials.EncryptedDataKey{good}, true, "", 1},
		"another provider":       {h, []materials.EncryptedDataKey{other}, false, `there are "another"`, 0},
		"another provider, good": {h, []materials.EncryptedDataKey{other, good}, true, "", 1},
		"malformed":              {h, []materials.EncryptedDataKey{malformed}, false, "number 1", 0},
		"malformed, good":        {h, []materials.EncryptedDataKey{malformed, good}, true, "", 1},
		"cut, good":              {h, []materials.EncryptedDataKey{cut, good}, true, "", 1},
		"flipped":                {h, []materials.EncryptedDataKey{flipped}, false, "the wrapped key does not open", 1},
		"no answer":              {failing, []materials.EncryptedDataKey{good, good}, false, "no answer", 0},
	} {
		c.holder.secret, c.holder.asked, c.holder.owned = bytes.Repeat([]byte{7}, 32), 0, 0
		d, err := materials.NewDecryption(materials.SuiteSymmetricSignature, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = Decrypt(t.Context(), ProviderRaw, c.holder, d, c.keys)
		if (err == nil) != c.opens || !c.opens && (!errors.Is(err, materials.ErrMaterials) ||
			!strings.Contains(err.Error(), c.says)) || c.holder.asked != c.asked {
			t.Errorf("%s: asked for %d secrets, %v", name, c.holder.asked, err)
		}
		if errors.As(err, &none) != (name == "another provider") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "no answer" && c.holder.owned != 1 {
			t.Errorf("%s: asked %d times", name, c.holder.owned)
		}
	}
	h.secret = bytes.Repeat([]byte{8}, 32)
	d, err := materials.NewDecryption(materials.SuiteSymmetricSignature, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := Decrypt(t.Context(), ProviderRaw, h, d, []materials.EncryptedDataKey{good}); err == nil ||
		!strings.Contains(err.Error(), "raw-ecdh key key: "+materials.ErrMaterials.Error()+
			": not wrapped under the secret") {
		t.Errorf("another secret: %v", err)
	}
}

func TestCurveNames(t *testing.T) {
	for i, want := range []string{"P-256 ECC_NIST_P256", "P-384 ECC_NIST_P384", "P-521 ECC_NIST_P521"} {
		if got := curves[i].String() + " " + curves[i].KeySpec(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// FuzzUnwrap tries made-up provider information and ciphertexts: each
// fails with materials.ErrMaterials.
func FuzzUnwrap(f *testing.F) {
	for _, c := range curves {
		key, err := c.ecdh.GenerateKey(rand.Reader)
		if err != nil {
			f.Fatal(err)
		}
		point := c.Compress(key.PublicKey())
		info := Pair{Recipient: point, Sender: point}.Info()
		f.Add(info, make([]byte, 160))
		f.Add(info[:len(info)-1], make([]byte, 160))
		f.Add(info, make([]byte, 159))
	}
	f.Fuzz(func(t *testing.T, info, ciphertext []byte) {
		p, err := parse(info)
		if err != nil {
			if !errors.Is(err, materials.ErrMaterials) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(p.Info(), info) {
			t.Fatalf("%x becomes %x", info, p.Info())
		}
		if key, err := p.Curve.Decompress(p.Sender); err == nil && !bytes.Equal(p.Curve.Compress(key), p.Sender) {
			t.Fatalf("%x becomes %x", p.Sender, p.Curve.Compress(key))
		}
		d, err := materials.NewDecryption(materials.SuiteSymmetricSignature, nil)
		if err != nil {
			t.Fatal(err)
		}
		h := &onePair{Pair: p, secret: make([]byte, p.Curve.SecretLength())}
		edk := materials.EncryptedDataKey{ProviderID: ProviderKMS, ProviderInfo: info, Ciphertext: ciphertext}
		err = Decrypt(t.Context(), ProviderRaw, h, d, []materials.EncryptedDataKey{edk})
		if !errors.Is(err, materials.ErrMaterials) || d.DataKey() != nil {
			t.Fatal(err)
		}
	})
}
