// SPDX-License-Identifier: Apache-2.0

package ddbnumber

// Add returns the normalized sum of two valid numbers. It is exact: a sum that
// needs more than 38 digits is ErrPrecision, one out of range ErrOverflow or
// ErrUnderflow, and an operand that is not a valid number gives the error of
// [Normalize].
func Add(a, b string) (string, error) { return combine(a, b, false) }

// Sub returns the normalized difference a - b, with the errors of [Add].
func Sub(a, b string) (string, error) { return combine(a, b, true) }

func combine(a, b string, negate bool) (string, error) {
	var x, y, sum decimal
	if err := x.parse(a); err != nil {
		return "", err
	}
	if err := y.parse(b); err != nil {
		return "", err
	}
	if negate && y.n > 0 {
		y.neg = !y.neg
	}
	if err := sum.add(&x, &y); err != nil {
		return "", err
	}
	var buf [maxText]byte
	return string(sum.append(buf[:0])), nil
}

// maxSpan is the number of digit positions an addition must look at. Operands
// that span more differ by at least two in their exponents, so the result
// loses at most one leading digit and, as their last digits stand at different
// positions, no trailing one: it has more than 38 digits for certain.
const maxSpan = MaxDigits + 1

// add sets d to x + y. x and y must not be d.
func (d *decimal) add(x, y *decimal) error {
	if x.n == 0 {
		*d = *y
		return nil
	}
	if y.n == 0 {
		*d = *x
		return nil
	}
	low, high := min(x.low(), y.low()), max(x.exp, y.exp)
	if high-low+1 > maxSpan {
		return ErrPrecision
	}
	big, small := x, y
	if x.cmpMagnitude(y) < 0 {
		big, small = y, x
	}
	// acc holds the digits from the lowest position up, with room for a carry.
	var acc [maxSpan + 1]int8
	for i, c := range big.digits[:big.n] {
		acc[big.exp-i-low] = int8(c)
	}
	step := int8(1)
	if big.neg != small.neg {
		step = -1
	}
	for i, c := range small.digits[:small.n] {
		acc[small.exp-i-low] += step * int8(c)
	}
	for i := range len(acc) - 1 {
		switch {
		case acc[i] > 9:
			acc[i] -= 10
			acc[i+1]++
		case acc[i] < 0:
			acc[i] += 10
			acc[i+1]--
		}
	}
	top, bottom := len(acc)-1, 0
	for top >= 0 && acc[top] == 0 {
		top--
	}
	*d = decimal{}
	if top < 0 {
		return nil
	}
	for acc[bottom] == 0 {
		bottom++
	}
	d.neg, d.exp = big.neg, low+top
	switch {
	case d.exp > MaxExponent:
		return ErrOverflow
	case d.exp < MinExponent:
		return ErrUnderflow
	case top-bottom+1 > MaxDigits:
		return ErrPrecision
	}
	for i := top; i >= bottom; i-- {
		d.digits[d.n] = byte(acc[i])
		d.n++
	}
	return nil
}
