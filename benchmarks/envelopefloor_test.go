// SPDX-License-Identifier: Apache-2.0

package benchmarks

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

// floor does the format's mandatory cryptography for one item with the standard
// library and nothing else: no serialization, no sorting, no maps, no
// randomness. Keys are constant; lengths are real, and so is the memory: each
// attribute has its own plaintext and its own result, as in an item.
type floor struct {
	signed     bool
	header     int // length of the header
	record     []byte
	fields     int
	plain      [][]byte
	sealed     [][]byte
	result     [][]byte // keeps the compiler and the collector honest
	wrapping   cipher.AEAD
	key        [32]byte
	context    []byte
	compressed []byte // public key
	signature  []byte
	message    [48]byte
}

// newFloor takes the lengths of a sealed item, whose binary attributes are
// header, footer and what was encrypted.
func newFloor(tb testing.TB, suite envelope.AlgorithmSuite, sealed envelope.Item) *floor {
	tb.Helper()
	f := &floor{signed: suite.Signed(), context: make([]byte, 150)}
	block, err := aes.NewCipher(f.key[:])
	if err != nil {
		tb.Fatal(err)
	}
	if f.wrapping, err = cipher.NewGCM(block); err != nil {
		tb.Fatal(err)
	}
	total := 0
	for name, v := range sealed {
		b, ok := v.(*types.AttributeValueMemberB)
		switch {
		case name == envelope.HeaderAttribute:
			f.header = len(b.Value)
		case name != envelope.FooterAttribute && ok:
			const around = 2 + 16 // the type and the tag
			plain := make([]byte, len(b.Value)-around)
			f.plain = append(f.plain, plain)
			f.sealed = append(f.sealed, f.wrapping.Seal(nil, f.context[:12], plain, f.path()))
			total += len(b.Value)
		}
	}
	f.fields = len(f.plain)
	f.result = make([][]byte, f.fields)
	// Path, length and mark around each value.
	const around = len("benchmark") + 8 + 1 + 8 + len("attribute-000") + 8 + len("ENCRYPTED")
	f.record = make([]byte, f.header+8+len(f.context)+(f.fields+1)*around+total)
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		tb.Fatal(err)
	}
	f.compressed = append([]byte{2 | point[96]&1}, point[1:49]...)
	if f.signature, err = ecdsa.SignASN1(rand.Reader, key, f.message[:]); err != nil {
		tb.Fatal(err)
	}
	return f
}

func (f *floor) path() []byte { return f.context[:39] }

// derive is HKDF with two outputs.
func (f *floor) derive(info string) error {
	prk, err := hkdf.Extract(sha512.New, f.key[:], nil)
	if err != nil {
		return err
	}
	for range 2 {
		if _, err = hkdf.Expand(sha512.New, prk, info, 32); err != nil {
			return err
		}
	}
	return nil
}

const (
	wrapInfo = "AWS_MPL_INTERMEDIATE_KEYWRAP_ENC"
	itemInfo = "AWS_DBE_COMMIT_KEY" + "0123456789abcdef0123456789abcdef"
)

// symmetric is what encrypting and decrypting share.
func (f *floor) symmetric(wrap func(cipher.AEAD), field func(int, cipher.AEAD) error) error {
	if err := f.derive(wrapInfo); err != nil { // of the intermediate key
		return err
	}
	wrap(f.wrapping) // the intermediate key under the keyring's key
	block, err := aes.NewCipher(f.key[:])
	if err != nil {
		return err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return err
	}
	wrap(aead)                                 // the data key under the intermediate one's
	if err := f.derive(itemInfo); err != nil { // of the data key
		return err
	}
	commit := hmac.New(sha512.New, f.key[:])
	commit.Write(f.record[:f.header])
	commit.Sum(nil)
	root, err := aes.NewCipher(f.key[:])
	if err != nil {
		return err
	}
	stream := make([]byte, 48*f.fields)
	cipher.NewCTR(root, f.key[:16]).XORKeyStream(stream, stream)
	for i := range f.fields {
		block, err := aes.NewCipher(f.key[:])
		if err != nil {
			return err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return err
		}
		if err := field(i, aead); err != nil {
			return err
		}
	}
	digest := sha512.Sum384(f.record)
	tag := hmac.New(sha512.New384, f.key[:])
	tag.Write(digest[:])
	tag.Sum(nil)
	return nil
}

func (f *floor) encrypt() error {
	var key *ecdsa.PrivateKey
	if f.signed {
		var err error
		if key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader); err != nil {
			return err
		}
	}
	err := f.symmetric(
		func(a cipher.AEAD) { a.Seal(nil, f.context[:12], f.key[:], f.context) },
		func(i int, a cipher.AEAD) error {
			f.result[i] = a.Seal(nil, f.context[:12], f.plain[i], f.path())
			return nil
		},
	)
	if err == nil && f.signed {
		_, err = ecdsa.SignASN1(rand.Reader, key, f.message[:])
	}
	return err
}

func (f *floor) decrypt() error {
	err := f.symmetric(
		func(a cipher.AEAD) { a.Seal(nil, f.context[:12], f.key[:], f.context) }, // costs as opening does
		func(i int, a cipher.AEAD) (err error) {
			f.result[i], err = a.Open(nil, f.context[:12], f.sealed[i], f.path())
			return err
		},
	)
	if err == nil && f.signed {
		x, y := elliptic.UnmarshalCompressed(elliptic.P384(), f.compressed)
		point := make([]byte, 97)
		point[0] = 4
		x.FillBytes(point[1:49])
		y.FillBytes(point[49:])
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P384(), point)
		if err != nil {
			return err
		}
		if !ecdsa.VerifyASN1(key, f.message[:], f.signature) {
			return errors.New("the floor's signature does not verify")
		}
	}
	return err
}
