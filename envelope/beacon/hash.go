// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"crypto/fips140"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha512"
	"encoding"
	"encoding/binary"
	"hash"
	"sync"
)

// keyInfo begins the info of the HKDF that derives a beacon's key.
const keyInfo = "AWS_DBE_SCAN_BEACON"

// macKeyLength of a beacon's HMAC key in bytes.
const macKeyLength = 64

// macKey is the HMAC-SHA384 key of one beacon. Outside of FIPS 140-3 mode it is
// kept as the two states of SHA-384 after the key's pads, which saves half of
// the work for a short value. In that mode crypto/hmac does the work, since it
// is the validated one.
type macKey struct {
	key          []byte // in FIPS 140-3 mode
	inner, outer []byte // else
}

// deriveKey derives the key of the beacon of this name. (Specification:
// [search-config], "HMAC Key Generation".)
//
// [search-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/search-config.md#hmac-key-generation
func deriveKey(beaconKey []byte, name string) (macKey, error) {
	prk, err := hkdf.Extract(sha512.New, beaconKey, nil)
	if err != nil {
		return macKey{}, err
	}
	defer clear(prk)
	key, err := hkdf.Expand(sha512.New, prk, keyInfo+name, macKeyLength)
	if err != nil {
		return macKey{}, err
	}
	if fips140.Enabled() {
		return macKey{key: key}, nil
	}
	defer clear(key)
	return padded(key)
}

const (
	innerPad = 0x36 // RFC 2104
	outerPad = 0x5c
)

// padded returns the states after the pads of a key of at most one block.
func padded(key []byte) (macKey, error) {
	s := borrowScratch()
	defer s.giveBack()
	var block [sha512.BlockSize]byte
	defer clear(block[:])
	copy(block[:], key)
	var m macKey
	var err error
	for i := range block {
		block[i] ^= innerPad
	}
	s.inner.Reset()
	s.inner.Write(block[:])
	if m.inner, err = s.inner.AppendBinary(nil); err != nil {
		return macKey{}, err
	}
	for i := range block {
		block[i] ^= innerPad ^ outerPad
	}
	s.inner.Reset()
	s.inner.Write(block[:])
	m.outer, err = s.inner.AppendBinary(nil)
	return m, err
}

func (k *macKey) wipe() {
	clear(k.key)
	clear(k.inner)
	clear(k.outer)
}

// digest is what the standard library's SHA-384 can do.
type digest interface {
	hash.Hash
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// scratch is the memory of hashing. It holds no secrets between uses.
type scratch struct {
	inner, outer digest
	sum          [sha512.Size384]byte
	value        []byte // a serialized value
	partition    [1]byte
}

var scratches = sync.Pool{New: func() any {
	return &scratch{inner: sha512.New384().(digest), outer: sha512.New384().(digest)}
}}

func borrowScratch() *scratch { return scratches.Get().(*scratch) }

// maxScratch is the longest value whose memory is kept for the next one. The
// values of an item are shorter.
const maxScratch = 512 << 10

// zeros do not fill a block.
var zeros [sha512.BlockSize - 1]byte

// giveBack overwrites everything and gives the memory back. A digest keeps the
// last bytes written to it; zeros replace them.
func (s *scratch) giveBack() {
	clear(s.sum[:])
	if s.clearValue(); cap(s.value) > maxScratch {
		s.value = nil
	}
	for _, d := range []digest{s.inner, s.outer} {
		d.Reset()
		d.Write(zeros[:])
		d.Reset()
	}
	scratches.Put(s)
}

func (s *scratch) clearValue() {
	clear(s.value)
	s.value = s.value[:0]
}

// hash returns the first 8 bytes of the HMAC of value. A partition other than 0
// is appended as one byte. (Specification: [beacons], "basicHash" and "Beacon
// Partition Encoding".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#basichash
func (k *macKey) hash(s *scratch, value []byte, partition byte) (uint64, error) {
	if k.key != nil {
		mac := hmac.New(sha512.New384, k.key)
		s.write(mac, value, partition)
		mac.Sum(s.sum[:0])
		return binary.BigEndian.Uint64(s.sum[:]), nil
	}
	if err := s.inner.UnmarshalBinary(k.inner); err != nil {
		return 0, err
	}
	s.write(s.inner, value, partition)
	s.inner.Sum(s.sum[:0])
	if err := s.outer.UnmarshalBinary(k.outer); err != nil {
		return 0, err
	}
	s.outer.Write(s.sum[:])
	s.outer.Sum(s.sum[:0])
	return binary.BigEndian.Uint64(s.sum[:]), nil
}

func (s *scratch) write(h hash.Hash, value []byte, partition byte) {
	h.Write(value)
	if partition != 0 {
		s.partition[0] = partition
		h.Write(s.partition[:])
	}
}

// digits is the number of hexadecimal digits of a beacon of so many bits.
func digits(length int) int { return (length + 3) / 4 }

// appendHex appends the last length bits of a hash as hexadecimal digits.
func appendHex(dst []byte, h uint64, length int) []byte {
	h &= 1<<length - 1
	for i := digits(length) - 1; i >= 0; i-- {
		dst = append(dst, "0123456789abcdef"[h>>(4*i)&0xf])
	}
	return dst
}
