// SPDX-License-Identifier: Apache-2.0

package ddbnumber

const (
	// MaxDigits is the largest number of significant digits of a number.
	MaxDigits = 38
	// MaxExponent and MinExponent bound the power of ten of the first
	// significant digit of a number other than zero.
	MaxExponent = 125
	MinExponent = -130
)

// maxText is the longest normalized text: sign, "0.", 129 zeros before the
// first digit and 38 digits, with room to spare.
const maxText = 192

// exponentCap is where a written exponent stops growing. It is far outside of
// the range even after the longest mantissa moved the point back, and far from
// overflowing an int64.
const exponentCap = 1 << 50

// decimal is a number taken apart: digits[0].digits[1:n] times 10^exp, with
// neither first nor last digit zero. Zero has n == 0 and neither sign nor
// exponent.
type decimal struct {
	neg      bool
	n        int
	exp      int
	mantissa int             // length of the text before the exponent
	digits   [MaxDigits]byte // 0 to 9, not ASCII
}

// low returns the power of ten of the last digit.
func (d *decimal) low() int { return d.exp - d.n + 1 }

// parse reads the grammar [+-]?(digits[.digits?] | .digits)([eE][+-]?digits)?
// in one pass. After ErrPrecision d holds the first 38 digits, after any other
// error nothing of use.
func (d *decimal) parse(s string) error {
	*d = decimal{}
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		d.neg = s[i] == '-'
		i++
	}
	var (
		seen, point, long bool
		first             int64 // power of ten of the first significant digit, before the exponent
		zeros             int   // zeros since the last significant digit
		whole             int64 // digits before the point since the first significant one
		fraction          int64 // digits after the point
	)
mantissa:
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			seen = true
			if point {
				fraction++
			}
			if c == '0' && d.n == 0 {
				continue
			}
			if !point {
				whole++
			}
			if c == '0' {
				zeros++
				continue
			}
			if d.n == 0 {
				first = -fraction // corrected below when the digit stands before the point
				d.digits[0] = c - '0'
				d.n = 1
				continue
			}
			if d.n+zeros >= MaxDigits {
				long = true
				continue
			}
			d.n += zeros // the array is zero there already
			zeros = 0
			d.digits[d.n] = c - '0'
			d.n++
		case c == '.' && !point:
			point = true
		default:
			break mantissa
		}
	}
	if !seen {
		return ErrSyntax
	}
	d.mantissa = i
	exponent, err := parseExponent(s[i:])
	if err != nil {
		return err
	}
	if d.n == 0 {
		d.neg = false
		return nil
	}
	if whole > 0 {
		first = whole - 1
	}
	switch first += exponent; {
	case first > MaxExponent:
		return ErrOverflow
	case first < MinExponent:
		return ErrUnderflow
	case long:
		d.exp = int(first)
		return ErrPrecision
	}
	d.exp = int(first)
	return nil
}

// parseExponent reads what follows the mantissa: nothing, or an exponent to the
// very end.
func parseExponent(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	if s[0] != 'e' && s[0] != 'E' {
		return 0, ErrSyntax
	}
	s = s[1:]
	neg := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		neg = s[0] == '-'
		s = s[1:]
	}
	if s == "" {
		return 0, ErrSyntax
	}
	var e int64
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, ErrSyntax
		}
		if e < exponentCap {
			e = e*10 + int64(c-'0')
		}
	}
	if neg {
		e = -e
	}
	return e, nil
}

// append writes the plain form without an exponent.
func (d *decimal) append(dst []byte) []byte {
	if d.n == 0 {
		return append(dst, '0')
	}
	if d.neg {
		dst = append(dst, '-')
	}
	if d.exp < 0 {
		dst = append(dst, '0', '.')
		for i := d.exp; i < -1; i++ {
			dst = append(dst, '0')
		}
		for _, c := range d.digits[:d.n] {
			dst = append(dst, '0'+c)
		}
		return dst
	}
	for i := 0; i < d.n || i <= d.exp; i++ {
		if i == d.exp+1 {
			dst = append(dst, '.')
		}
		if i < d.n {
			dst = append(dst, '0'+d.digits[i])
		} else {
			dst = append(dst, '0')
		}
	}
	return dst
}

// cmp orders by value.
func (d *decimal) cmp(o *decimal) int {
	switch {
	case d.n == 0 && o.n == 0:
		return 0
	case d.n == 0:
		return sign(o.neg)
	case o.n == 0, d.neg != o.neg:
		return -sign(d.neg)
	}
	c := d.cmpMagnitude(o)
	if d.neg {
		return -c
	}
	return c
}

// sign is the outcome of comparing zero with a number of this sign.
func sign(neg bool) int {
	if neg {
		return 1
	}
	return -1
}

// cmpMagnitude orders two numbers other than zero without their signs.
func (d *decimal) cmpMagnitude(o *decimal) int {
	if d.exp != o.exp {
		if d.exp < o.exp {
			return -1
		}
		return 1
	}
	// The unused tail of the array is zero, so whole arrays compare.
	for i := range d.digits {
		if d.digits[i] != o.digits[i] {
			if d.digits[i] < o.digits[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}
