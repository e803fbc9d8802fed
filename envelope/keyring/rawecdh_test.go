// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

var ecdhCurves = []ecdh.Curve{ecdh.P256(), ecdh.P384(), ecdh.P521()}

var ecdhKeys sync.Map // one key pair for each curve

func ecdhKey(curve ecdh.Curve) *ecdh.PrivateKey {
	if k, has := ecdhKeys.Load(curve); has {
		return k.(*ecdh.PrivateKey)
	}
	k, _ := ecdhKeys.LoadOrStore(curve, newECDHKey(curve))
	return k.(*ecdh.PrivateKey)
}

func newECDHKey(curve ecdh.Curve) *ecdh.PrivateKey {
	k, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

func rawECDH(t testing.TB, private *ecdh.PrivateKey, partner *ecdh.PublicKey) *keyring.RawECDH {
	t.Helper()
	k, err := keyring.NewRawECDH(keyring.RawECDHConfig{PrivateKey: private, PartnerKey: partner})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ephemeral(t testing.TB, recipient *ecdh.PublicKey) *keyring.RawECDH {
	t.Helper()
	k, err := keyring.NewRawECDHEphemeral(recipient)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func discovery(t testing.TB, private *ecdh.PrivateKey) *keyring.RawECDH {
	t.Helper()
	k, err := keyring.NewRawECDHDiscovery(private)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Each side of a pair reads what either wrote, a discovery keyring what was
// written for its key, and no other keyring reads anything.
func TestRawECDHWhoReads(t *testing.T) {
	for _, curve := range ecdhCurves {
		a, b, c := newECDHKey(curve), newECDHKey(curve), newECDHKey(curve)
		elsewhere := newECDHKey(ecdh.P256())
		if curve == ecdh.P256() {
			elsewhere = newECDHKey(ecdh.P384())
		}
		readers := map[string]*keyring.RawECDH{
			"a with b": rawECDH(t, a, b.PublicKey()), "b with a": rawECDH(t, b, a.PublicKey()),
			"b's discovery": discovery(t, b), "a's discovery": discovery(t, a), "c's discovery": discovery(t, c),
			"a with c": rawECDH(t, a, c.PublicKey()), "c with b": rawECDH(t, c, b.PublicKey()),
			"a with a": rawECDH(t, a, a.PublicKey()), "another curve": discovery(t, elsewhere),
		}
		for _, written := range []struct {
			writer *keyring.RawECDH
			read   []string
		}{
			{readers["a with b"], []string{"a with b", "b with a", "b's discovery"}},
			{readers["b with a"], []string{"a with b", "b with a", "a's discovery"}},
			{ephemeral(t, b.PublicKey()), []string{"b's discovery"}},
			{readers["a with a"], []string{"a with a", "a's discovery"}},
		} {
			key, edks := seal(t, written.writer, testContext)
			if edks[0].ProviderID != "raw-ecdh" || len(edks) != 1 || len(edks[0].Ciphertext) != 160 {
				t.Fatalf("%v: not the format's fields: %v", curve, edks)
			}
			for _, provider := range []string{"raw-ecdh", "aws-kms-ecdh"} { // the name says who wrote it
				edks[0].ProviderID = provider
				for name, reader := range readers {
					if slices.Contains(written.read, name) {
						mustOpen(t, reader, testContext, key, edks)
						continue
					}
					err := mustFail(t, reader, testContext, edks, materials.ErrMaterials)
					if !strings.Contains(err.Error(), "none of the item's") {
						t.Errorf("%v, %s: %v", curve, name, err)
					}
				}
			}
		}
	}
}

// Discovery only reads, and ephemeral senders only write.
func TestRawECDHDirections(t *testing.T) {
	b := ecdhKey(ecdh.P256())
	reader, writer := discovery(t, b), ephemeral(t, b.PublicKey())
	err := reader.OnEncrypt(t.Context(), encryption(t, testContext))
	if !errors.Is(err, materials.ErrConfiguration) || !strings.Contains(err.Error(), "can only decrypt") {
		t.Errorf("got %v", err)
	}
	_, edks := seal(t, writer, testContext)
	err = mustFail(t, writer, testContext, edks, materials.ErrConfiguration)
	if !strings.Contains(err.Error(), "can only encrypt") {
		t.Errorf("got %v", err)
	}
	m := decryption(t, testContext) // which another keyring has opened
	if err := m.SetDataKey(make([]byte, 32), make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	if err := writer.OnDecrypt(t.Context(), m, edks); err != nil {
		t.Errorf("materials with a data key: %v", err)
	}
}

// Salts, intermediate keys, and the ephemeral sender are new for every item.
func TestRawECDHDraws(t *testing.T) {
	b := ecdhKey(ecdh.P256())
	for name, k := range map[string]*keyring.RawECDH{
		"static": rawECDH(t, b, b.PublicKey()), "ephemeral": ephemeral(t, b.PublicKey()),
	} {
		all := prepared(t, k)
		fresh.Bytes(t, name+": intermediate key", parts(all, intermediateKey))
		fresh.Bytes(t, name+": salt", parts(all, func(r materials.Recipient) []byte {
			return r.WrappedIntermediateKey[:32]
		}))
		if name == "ephemeral" {
			fresh.Bytes(t, name+": sender's X", parts(all, func(r materials.Recipient) []byte {
				return r.ProviderInfo[len(r.ProviderInfo)-32:]
			}))
		}
	}
}

// Every bit of the stored points and of the ciphertext counts for a discovery
// keyring, which takes the sender from the item.
func TestRawECDHDiscoveryTrustsNoBit(t *testing.T) {
	for _, curve := range ecdhCurves {
		b := ecdhKey(curve)
		_, edks := seal(t, ephemeral(t, b.PublicKey()), testContext)
		k, info := discovery(t, b), edks[0].ProviderInfo
		step := 1
		if curve != ecdh.P256() {
			step = 7 // decompression is slow
		}
		for bit := 0; bit < 8*len(info); bit += step {
			flipped := edks[0]
			flipped.ProviderInfo = slices.Clone(info)
			flipped.ProviderInfo[bit/8] ^= 0x80 >> (bit % 8)
			mustFail(t, k, testContext, []materials.EncryptedDataKey{flipped}, materials.ErrMaterials)
		}
	}
}

// A point with another prefix, off the curve, or with a coordinate that is not
// less than the field's prime is refused by name.
func TestRawECDHRefusesPoints(t *testing.T) {
	b := ecdhKey(ecdh.P256())
	_, edks := seal(t, ephemeral(t, b.PublicKey()), testContext)
	parsed, err := format.ParseECDHInfo(edks[0].ProviderInfo)
	if err != nil {
		t.Fatal(err)
	}
	point := func(prefix byte, fill byte) []byte {
		p := []byte{prefix}
		for range 32 {
			p = append(p, fill)
		}
		return p
	}
	for name, sender := range map[string][]byte{
		"prefix 0": point(0, 0), "prefix 4": append([]byte{4}, parsed.Sender[1:]...),
		"prefix 6": append([]byte{6}, parsed.Sender[1:]...), "too large": point(2, 0xff),
		"off the curve": append(point(2, 0)[:32], 1),
	} {
		edk := edks[0]
		edk.ProviderInfo = format.ECDHInfo{Recipient: parsed.Recipient, Sender: sender}.Append(nil)
		err := mustFail(t, discovery(t, b), testContext, []materials.EncryptedDataKey{edk}, materials.ErrMaterials)
		if !strings.Contains(err.Error(), "not a compressed point of P-256") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A malformed encrypted data key is skipped and named, wherever it stands.
func TestRawECDHNamesTheMalformed(t *testing.T) {
	b := ecdhKey(ecdh.P384())
	k := rawECDH(t, b, b.PublicKey())
	key, edks := seal(t, k, testContext)
	bad := edks[0]
	bad.ProviderInfo = edks[0].ProviderInfo[1:]
	mustOpen(t, k, testContext, key, []materials.EncryptedDataKey{bad, edks[0]})
	mustOpen(t, k, testContext, key, []materials.EncryptedDataKey{edks[0], bad})
	broken := edks[0]
	broken.Ciphertext = broken.Ciphertext[:159]
	mustOpen(t, k, testContext, key, []materials.EncryptedDataKey{broken, edks[0]})
	err := mustFail(t, k, testContext, []materials.EncryptedDataKey{broken, bad}, materials.ErrMaterials)
	for _, says := range []string{"number 2", "malformed: provider information of 106 bytes", "159 bytes, not 160"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}

// Of a cancelled caller only one key is tried: each costs a scalar
// multiplication.
func TestRawECDHStopsWhenCancelled(t *testing.T) {
	b := ecdhKey(ecdh.P256())
	k := rawECDH(t, b, b.PublicKey())
	_, edks := seal(t, k, testContext)
	wrong := edks[0]
	wrong.Ciphertext = slices.Clone(wrong.Ciphertext)
	wrong.Ciphertext[60]++
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := decryption(t, testContext)
	err := k.OnDecrypt(ctx, m, []materials.EncryptedDataKey{wrong, edks[0]})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, materials.ErrMaterials) || m.DataKey() != nil {
		t.Errorf("got %v", err)
	}
}

// mutate changes one thing about an encrypted data key.
func mutate(r *mathrand.Rand, key materials.EncryptedDataKey) materials.EncryptedDataKey {
	key.ProviderInfo, key.Ciphertext = slices.Clone(key.ProviderInfo), slices.Clone(key.Ciphertext)
	part := &key.ProviderInfo
	if r.IntN(2) == 0 {
		part = &key.Ciphertext
	}
	switch at := r.IntN(len(*part)); r.IntN(5) {
	case 0:
		(*part)[at] ^= 1 << r.IntN(8)
	case 1:
		(*part)[at] += byte(1 + r.IntN(255))
	case 2:
		*part = (*part)[:at]
	case 3:
		*part = slices.Insert(*part, at, byte(r.IntN(256)))
	default:
		*part = slices.Delete(*part, at, at+1)
	}
	return key
}

// Whatever is changed about an encrypted data key, no keyring opens it, and the
// error is of one class.
func TestRawECDHRandomMutations(t *testing.T) {
	r := mathrand.New(mathrand.NewPCG(1, 2))
	b := ecdhKey(ecdh.P256())
	for _, c := range []struct{ writer, reader *keyring.RawECDH }{
		{rawECDH(t, b, b.PublicKey()), rawECDH(t, b, b.PublicKey())}, {ephemeral(t, b.PublicKey()), discovery(t, b)},
	} {
		_, edks := seal(t, c.writer, testContext)
		for range 5000 {
			changed := mutate(r, edks[0])
			if slices.Equal(changed.ProviderInfo, edks[0].ProviderInfo) &&
				slices.Equal(changed.Ciphertext, edks[0].Ciphertext) {
				continue // such as a byte inserted beside its like
			}
			mustFail(t, c.reader, testContext, []materials.EncryptedDataKey{changed}, materials.ErrMaterials)
		}
	}
}
