// SPDX-License-Identifier: Apache-2.0

package ddbnumber

// The first byte of a sort key.
const (
	keyNegative = 0x7f
	keyZero     = 0x80
	keyPositive = 0x81
)

// SortKey returns bytes that order like the numbers themselves under
// bytes.Compare, equal for every spelling of the same number. No key is a
// proper prefix of another, so more bytes may follow it in a composite key.
// At most 22 bytes; the errors are as for [Normalize].
func SortKey(s string) ([]byte, error) {
	return AppendSortKey(make([]byte, 0, 24), s)
}

// AppendSortKey appends the sort key of s to dst; after an error dst is
// returned as it came.
//
// Layout: one byte for the sign (7f, 80 for zero and nothing more, 81), one for
// the exponent plus 130, the digits in pairs plus 1 (01 to 64), and 00. Behind
// the sign of a negative number every byte is complemented.
func AppendSortKey(dst []byte, s string) ([]byte, error) {
	var d decimal
	if err := d.parse(s); err != nil {
		return dst, err
	}
	if d.n == 0 {
		return append(dst, keyZero), nil
	}
	lead, mask := byte(keyPositive), byte(0)
	if d.neg {
		lead, mask = keyNegative, 0xff
	}
	dst = append(dst, lead, byte(d.exp-MinExponent)^mask)
	for i := 0; i < d.n; i += 2 {
		dst = append(dst, (d.digits[i]*10+d.digits[i+1]+1)^mask)
	}
	return append(dst, mask), nil
}
