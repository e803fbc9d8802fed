// SPDX-License-Identifier: Apache-2.0

package p384

// parseSignature reads Ecdsa-Sig-Value (RFC 3279, section 2.2.3) in DER and
// reports whether it was that and 0 < r, s < n.
//
// Only one-byte lengths are read: two integers below n take at most 102 bytes,
// so DER, which wants the shortest form of a length, leaves no room for others.
func parseSignature(der []byte) (r, s scalar, ok bool) {
	if len(der) < 2 || der[0] != 0x30 || der[1] >= 0x80 || int(der[1]) != len(der)-2 {
		return r, s, false
	}
	der = der[2:]
	if r, der, ok = parseInteger(der); !ok {
		return r, s, false
	}
	if s, der, ok = parseInteger(der); !ok {
		return r, s, false
	}
	return r, s, len(der) == 0
}

// parseInteger reads an INTEGER between 0 and n, both excluded, of the fewest
// bytes (X.690, section 8.3.2), and returns what follows it.
func parseInteger(der []byte) (a scalar, rest []byte, ok bool) {
	if len(der) < 3 || der[0] != 0x02 || der[1] == 0 || der[1] > size+1 || int(der[1]) > len(der)-2 {
		return a, nil, false
	}
	b, rest := der[2:2+der[1]], der[2+der[1]:]
	switch {
	case b[0] >= 0x80: // negative
		return a, nil, false
	case b[0] == 0:
		if len(b) == 1 || b[1] < 0x80 { // zero, or a byte too many
			return a, nil, false
		}
		b = b[1:]
	}
	if len(b) > size {
		return a, nil, false
	}
	a = limbs(b)
	return a, rest, a.less(&order)
}
