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
	"testing"

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
	secret []byte
}

func (h *onePair) Owns(context.Context, Pair) (bool, error)     { return true, nil }
func (h *onePair) Secret(context.Context, Pair) ([]byte, error) { return h.secret, nil }
func (h *onePair) KeyID() string                                { return "key" }

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

// FuzzUnwrap gives provider information and ciphertexts that nobody wrote: each
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
