// SPDX-License-Identifier: Apache-2.0

// Package ciphertext has the form of what symmetric KMS keys encrypt. It is opaque
// to the callers of KMS:
//
//	offset  length  field
//	0       1       format, 1
//	1       1       1 for a multi-Region key id, else 0
//	2       16      key id
//	18      6       account id, big-endian
//	24      4       version of the material, from 0, big-endian
//	28      12      nonce, random
//	40      n       AES-256-GCM ciphertext
//	40+n    16      tag
//
// The Region is not in it, so related multi-Region keys open each other's
// ciphertext. The associated data are the head, which is the first 28 bytes, and
// the encryption context: the pairs in the order of their keys, each string behind
// its length in four bytes. A random nonce bounds the use of one version to 2^32
// encryptions, which rotation lifts.
package ciphertext

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/ddbseal/ddbseal/localaws/internal/kms/keyname"
)

// Lengths in bytes.
const (
	HeadLength  = 28
	NonceLength = 12
	tagLength   = 16
	Overhead    = HeadLength + NonceLength + tagLength
)

const format = 1

// Head is the parsed head of a ciphertext.
type Head struct {
	MultiRegion bool
	RawID       [16]byte // of the key
	Account     uint64
	Version     uint32 // of the material
}

// None is the account of a head that is none; no account has it.
const None = 1 << 63

// Parse reads the head of a ciphertext and reports whether it is one.
func Parse(b []byte) (Head, bool) {
	if len(b) < Overhead || b[0] != format || b[1] > 1 {
		return Head{}, false
	}
	h := Head{MultiRegion: b[1] == 1, RawID: [16]byte(b[2:18]), Version: binary.BigEndian.Uint32(b[24:28])}
	h.Account = uint64(binary.BigEndian.Uint16(b[18:20]))<<32 | uint64(binary.BigEndian.Uint32(b[20:24]))
	return h, h.Account <= 999_999_999_999
}

// Append appends the head to b.
func (h Head) Append(b []byte) []byte {
	var multiRegion byte
	if h.MultiRegion {
		multiRegion = 1
	}
	b = append(append(b, format, multiRegion), h.RawID[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(h.Account>>32))
	b = binary.BigEndian.AppendUint32(b, uint32(h.Account))
	return binary.BigEndian.AppendUint32(b, h.Version)
}

// KeyID returns the id of the key.
func (h Head) KeyID() string { return keyname.FormatID(h.RawID, h.MultiRegion) }

// AccountID returns the twelve digits of the account.
func (h Head) AccountID() string { return fmt.Sprintf("%012d", h.Account) }

// AccountNumber returns the number of an account's twelve digits.
func AccountNumber(account string) uint64 {
	var n uint64
	for i := range len(account) {
		n = n*10 + uint64(account[i]-'0')
	}
	return n
}

// AppendContext appends the one serialization of an encryption context to b.
func AppendContext(b []byte, encryptionContext map[string]string) []byte {
	var few [8]string
	names := few[:0]
	for name := range encryptionContext {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := encryptionContext[name]
		b = binary.BigEndian.AppendUint32(b, uint32(len(name)))
		b = append(b, name...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(value)))
		b = append(b, value...)
	}
	return b
}
