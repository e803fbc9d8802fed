// SPDX-License-Identifier: Apache-2.0

package format

import (
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Versions, flavors and legend letters of the header.
const (
	Version1 = 1 // no attribute is part of the encryption context but the keys
	Version2 = 2 // some attribute is SIGN_AND_INCLUDE_IN_ENCRYPTION_CONTEXT

	FlavorSymmetric = 0 // suite 0x6700
	FlavorSigned    = 1 // suite 0x6701

	LegendEncrypt = 'e' // encrypted and signed
	LegendSign    = 's' // signed
	LegendContext = 'c' // signed and part of the encryption context

	MessageIDLength  = 32
	CommitmentLength = 32
	// MaxLegend is the largest number of signed attributes.
	MaxLegend = math.MaxUint16
)

// Header is the attribute aws_dbe_head:
//
//	bytes  field
//	1      version: 1 or 2
//	1      flavor: the second byte of the suite id 0x67..
//	32     message id
//	2+n    legend: one letter for each signed attribute in canonical order
//	2+     stored encryption context: count, {2+ key, 2+ value} by key bytes
//	1+     encrypted data keys: count, {2+ provider id, 2+ provider info, 2+ ciphertext}
//	32     commitment: keyed hash of all before it
//
// (Structured Encryption specification, [header].)
//
// [header]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/header.md
type Header struct {
	Version           byte
	Flavor            byte
	MessageID         [MessageIDLength]byte
	Legend            []byte
	Context           materials.EncryptionContext
	EncryptedDataKeys []materials.EncryptedDataKey
	Commitment        [CommitmentLength]byte
}

// Size returns the length of the whole header in bytes.
func (h *Header) Size() int {
	n := 1 + 1 + MessageIDLength + 2 + len(h.Legend) + 2 + 1 + CommitmentLength
	for k, v := range h.Context {
		n += 4 + len(k) + len(v)
	}
	for i := range h.EncryptedDataKeys {
		k := &h.EncryptedDataKeys[i]
		n += 6 + len(k.ProviderID) + len(k.ProviderInfo) + len(k.Ciphertext)
	}
	return n
}

// AppendPartial appends the header without its commitment. It fails with
// [ErrInvalid] on a field that does not fit its length field.
// (Specification: [header], "Partial Header".)
//
// [header]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/header.md#partial-header
func (h *Header) AppendPartial(dst []byte) ([]byte, error) {
	if len(h.Legend) > MaxLegend {
		return nil, invalid("%d signed attributes, the header holds %d", len(h.Legend), MaxLegend)
	}
	if n := len(h.EncryptedDataKeys); n == 0 || n > materials.MaxEncryptedDataKeys {
		return nil, invalid("%d encrypted data keys, the header holds 1 to %d", n, materials.MaxEncryptedDataKeys)
	}
	dst = append(dst, h.Version, h.Flavor)
	dst = append(dst, h.MessageID[:]...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(h.Legend)))
	dst = append(dst, h.Legend...)
	dst, err := h.Context.AppendSerialized(dst)
	if err != nil {
		return nil, err
	}
	dst = append(dst, byte(len(h.EncryptedDataKeys)))
	for i := range h.EncryptedDataKeys {
		k := &h.EncryptedDataKeys[i]
		if max(len(k.ProviderID), len(k.ProviderInfo), len(k.Ciphertext)) > math.MaxUint16 {
			return nil, invalid("encrypted data key with a field over %d bytes", math.MaxUint16)
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(k.ProviderID)))
		dst = append(dst, k.ProviderID...)
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(k.ProviderInfo)))
		dst = append(dst, k.ProviderInfo...)
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(k.Ciphertext)))
		dst = append(dst, k.Ciphertext...)
	}
	return dst, nil
}

// Append appends the whole header.
func (h *Header) Append(dst []byte) ([]byte, error) {
	dst, err := h.AppendPartial(dst)
	if err != nil {
		return nil, err
	}
	return append(dst, h.Commitment[:]...), nil
}

// ParseHeader reads a header to its last byte. The byte slices of the result
// alias b. Errors: [ErrMalformed], [ErrVersion]. What parses appends to the
// same bytes again. Nothing in the result is authenticated yet.
// (Specification: [header], "Full Header Value".)
//
// [header]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/header.md#full-header-value
func ParseHeader(b []byte) (*Header, error) {
	c := newCursor(b)
	h := &Header{Version: byte(c.uint8()), Flavor: byte(c.uint8())}
	if !c.ok {
		return nil, malformed("header ends early")
	}
	if h.Version != Version1 && h.Version != Version2 {
		return nil, fmtVersion("version", h.Version)
	}
	if h.Flavor != FlavorSymmetric && h.Flavor != FlavorSigned {
		return nil, fmtVersion("flavor", h.Flavor)
	}
	copy(h.MessageID[:], c.take(MessageIDLength))
	h.Legend = c.short()
	for _, l := range h.Legend {
		switch {
		case l == LegendEncrypt, l == LegendSign:
		case l == LegendContext && h.Version == Version2:
		default:
			// The official libraries accept a 'c' in version 1, where nothing
			// binds the attribute to the context.
			return nil, malformed("legend holds %#02x in version %d", l, h.Version)
		}
	}
	if err := h.parseContext(&c); err != nil {
		return nil, err
	}
	if err := h.parseKeys(&c); err != nil {
		return nil, err
	}
	copy(h.Commitment[:], c.take(CommitmentLength))
	if !c.ok {
		return nil, malformed("header ends early")
	}
	if len(c.b) != 0 {
		return nil, malformed("%d bytes after the header", len(c.b))
	}
	return h, nil
}

// parseContext reads the stored encryption context.
// (Specification: [header], "Encryption Context".)
//
// [header]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/header.md#encryption-context
func (h *Header) parseContext(c *cursor) error {
	n := c.uint16()
	h.Context = make(materials.EncryptionContext, min(n, len(c.b)/4))
	last := ""
	for range n {
		key, value := c.short(), c.short()
		switch {
		case !c.ok:
			return malformed("encryption context ends early")
		case len(key) == 0:
			return malformed("encryption context has an empty key")
		case !utf8.Valid(key), !utf8.Valid(value):
			return malformed("encryption context is not UTF-8")
		case string(key) <= last: // the first key is not empty, so it passes
			return malformed("encryption context keys do not ascend")
		}
		last = string(key)
		h.Context[last] = string(value)
	}
	return nil
}

// parseKeys reads the encrypted data keys.
// (Specification: [header], "Encrypted Data Keys".)
//
// [header]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/header.md#encrypted-data-keys
func (h *Header) parseKeys(c *cursor) error {
	n := c.uint8()
	if c.ok && n == 0 {
		return malformed("no encrypted data key")
	}
	h.EncryptedDataKeys = make([]materials.EncryptedDataKey, 0, min(n, len(c.b)/6))
	for range n {
		id, info, ciphertext := c.short(), c.short(), c.short()
		if !c.ok {
			return malformed("encrypted data keys end early")
		}
		if !utf8.Valid(id) {
			return malformed("provider id is not UTF-8")
		}
		h.EncryptedDataKeys = append(h.EncryptedDataKeys, materials.EncryptedDataKey{
			ProviderID: string(id), ProviderInfo: info, Ciphertext: ciphertext,
		})
	}
	return nil
}

// Suite returns the suite that the flavor stands for.
// (Specification: [header], "Format Flavor".)
//
// [header]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/header.md#format-flavor
func (h *Header) Suite() materials.AlgorithmSuite {
	if h.Flavor == FlavorSigned {
		return materials.SuiteDigitalSignature
	}
	return materials.SuiteSymmetricSignature
}

// fewKeys are looked through one by one; of more, a sorted copy is made.
const fewKeys = 16

// StoredContext returns the pairs of the full context that the header stores:
// all but the required ones.
func StoredContext(full materials.EncryptionContext, required []string) materials.EncryptionContext {
	if len(required) > fewKeys {
		// An item may have any number of attributes in its context.
		required = slices.Sorted(slices.Values(required))
	}
	stored := make(materials.EncryptionContext, 1)
	for k, v := range full {
		omitted := false
		if len(required) > fewKeys {
			_, omitted = slices.BinarySearch(required, k)
		} else {
			omitted = slices.Contains(required, k)
		}
		if !omitted {
			stored[k] = v
		}
	}
	return stored
}
