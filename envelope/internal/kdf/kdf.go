// SPDX-License-Identifier: Apache-2.0

// Package kdf derives the two keys that this format takes from every secret:
// HKDF-SHA512 (RFC 5869) without salt, two outputs of 32 bytes under two
// infos.
//
// crypto/hkdf is most of the time and of the allocations of a small item,
// because each of its calls prepares its keys. Here the states after the
// constant salt and after the pseudorandom key are prepared once, which leaves
// 8 of 14 compressions, and memory is reused after it has been overwritten. In
// FIPS 140-3 mode crypto/hkdf does the work, since that is the validated one.
package kdf

import (
	"crypto/fips140"
	"crypto/hkdf"
	"crypto/sha512"
	"encoding"
	"hash"
	"sync"
)

// Size of a derived key in bytes.
const Size = 32

// Derive writes the keys of the infos a and b to the first 32 bytes of keyA
// and keyB. It fails only if the standard library does.
func Derive(secret []byte, a, b []byte, keyA, keyB []byte) error {
	if fips140.Enabled() {
		return standard(secret, a, b, keyA, keyB)
	}
	return fast(secret, a, b, keyA, keyB)
}

// standard is Derive by crypto/hkdf.
func standard(secret []byte, a, b []byte, keyA, keyB []byte) error {
	prk, err := hkdf.Extract(sha512.New, secret, nil)
	if err != nil {
		return err
	}
	defer clear(prk)
	for _, out := range []struct{ info, key []byte }{{a, keyA}, {b, keyB}} {
		key, err := hkdf.Expand(sha512.New, prk, string(out.info), Size)
		if err != nil {
			return err
		}
		copy(out.key[:Size], key)
		clear(key)
	}
	return nil
}

// digest is what the standard library's SHA-512 can do.
type digest interface {
	hash.Hash
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// state is the memory of one derivation.
type state struct {
	inner, outer           digest
	innerState, outerState []byte // after the pseudorandom key's pads
	block                  [sha512.BlockSize]byte
	sum                    [sha512.Size]byte
}

// states holds no secrets between uses: see wipe.
var states = sync.Pool{New: func() any {
	return &state{inner: sha512.New().(digest), outer: sha512.New().(digest)}
}}

const (
	innerPad = 0x36 // RFC 2104
	outerPad = 0x5c
)

// saltStates are the two states of HMAC under the salt that stands for none:
// zeros.
var saltStates = sync.OnceValues(func() (inner, outer []byte) {
	s := states.New().(*state)
	if err := s.key(make([]byte, sha512.Size)); err != nil {
		panic(err) // the standard library's SHA-512 always saves its state
	}
	return s.innerState, s.outerState
})

// key prepares HMAC-SHA512 under a key of at most one block.
func (s *state) key(key []byte) (err error) {
	clear(s.block[:])
	copy(s.block[:], key)
	for i := range s.block {
		s.block[i] ^= innerPad
	}
	s.inner.Reset()
	s.inner.Write(s.block[:])
	if s.innerState, err = s.inner.AppendBinary(s.innerState[:0]); err != nil {
		return err
	}
	for i := range s.block {
		s.block[i] ^= innerPad ^ outerPad
	}
	s.outer.Reset()
	s.outer.Write(s.block[:])
	s.outerState, err = s.outer.AppendBinary(s.outerState[:0])
	return err
}

// counter ends the input of HKDF's only block.
var counter = []byte{1}

// mac leaves HMAC-SHA512 of the parts in s.sum.
func (s *state) mac(inner, outer []byte, parts ...[]byte) error {
	if err := s.inner.UnmarshalBinary(inner); err != nil {
		return err
	}
	for _, p := range parts {
		s.inner.Write(p)
	}
	s.inner.Sum(s.sum[:0])
	if err := s.outer.UnmarshalBinary(outer); err != nil {
		return err
	}
	s.outer.Write(s.sum[:])
	s.outer.Sum(s.sum[:0])
	return nil
}

func fast(secret []byte, a, b []byte, keyA, keyB []byte) error {
	s := states.Get().(*state)
	defer s.wipe()
	inner, outer := saltStates()
	if err := s.mac(inner, outer, secret); err != nil {
		return err
	}
	if err := s.key(s.sum[:]); err != nil {
		return err
	}
	if err := s.mac(s.innerState, s.outerState, a, counter); err != nil {
		return err
	}
	copy(keyA[:Size], s.sum[:])
	if err := s.mac(s.innerState, s.outerState, b, counter); err != nil {
		return err
	}
	copy(keyB[:Size], s.sum[:])
	return nil
}

// wipe overwrites everything and gives the state back. A digest keeps the last
// bytes written to it; zeros that do not fill a block replace them.
func (s *state) wipe() {
	clear(s.block[:])
	clear(s.sum[:])
	clear(s.innerState)
	clear(s.outerState)
	for _, d := range []digest{s.inner, s.outer} {
		d.Reset()
		d.Write(s.block[:len(s.block)-1])
		d.Reset()
	}
	states.Put(s)
}
