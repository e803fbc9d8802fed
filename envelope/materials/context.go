// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"unicode/utf8"
)

// EncryptionContext is the authenticated, not secret, description that is
// bound to a data key: additional authenticated data for local wrapping, the
// EncryptionContext parameter for AWS KMS, where it also appears in policies,
// grants and audit logs.
type EncryptionContext map[string]string

// Context keys that the item encryptor owns. Pairs of an application may not
// begin with [ReservedContextPrefix].
const (
	ReservedContextPrefix    = "aws-crypto-"
	ContextTableName         = "aws-crypto-table-name"
	ContextPartitionName     = "aws-crypto-partition-name"
	ContextSortName          = "aws-crypto-sort-name"
	ContextLegend            = "aws-crypto-legend"
	ContextPublicKey         = "aws-crypto-public-key"
	ContextAttributePrefix   = "aws-crypto-attr."
	maxContextPairs          = math.MaxUint16
	maxContextEntryLength    = math.MaxUint16
	contextCountFieldLength  = 2
	contextLengthFieldLength = 2
)

// Clone returns an independent copy.
func (c EncryptionContext) Clone() EncryptionContext { return maps.Clone(c) }

// AppendSerialized appends the canonical serialization of the context to dst:
// a 16-bit count, then each pair in ascending order of the key's bytes, key and
// value each behind a 16-bit length. An empty context is two zero bytes. It
// fails with [ErrConfiguration] when a key is empty, when a key or value is not
// UTF-8 or longer than 65,535 bytes, or when there are more pairs than that: no
// reader accepts these. (Material Providers specification, [structures],
// "Encryption Context".)
//
// [structures]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/structures.md#encryption-context
func (c EncryptionContext) AppendSerialized(dst []byte) ([]byte, error) {
	if len(c) > maxContextPairs {
		return nil, fmt.Errorf("%w: encryption context of %d pairs, the format holds %d", ErrConfiguration, len(c),
			maxContextPairs)
	}
	var few [16]string // most contexts need no more, so this saves an allocation
	keys := few[:0]
	size := contextCountFieldLength
	for k, v := range c {
		if len(k) > maxContextEntryLength || len(v) > maxContextEntryLength {
			return nil, fmt.Errorf("%w: encryption context entry %.100q is longer than %d bytes", ErrConfiguration, k,
				maxContextEntryLength)
		}
		if k == "" || !utf8.ValidString(k) || !utf8.ValidString(v) {
			return nil, fmt.Errorf("%w: encryption context entry %.100q has an empty key or is not UTF-8",
				ErrConfiguration, k)
		}
		size += 2*contextLengthFieldLength + len(k) + len(v)
		keys = append(keys, k)
	}
	slices.Sort(keys)
	dst = slices.Grow(dst, size)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(keys)))
	for _, k := range keys {
		v := c[k]
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(k)))
		dst = append(dst, k...)
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(v)))
		dst = append(dst, v...)
	}
	return dst, nil
}
