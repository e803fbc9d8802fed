// SPDX-License-Identifier: Apache-2.0

package ddbnumber_test

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/ddbnumber"
	"pgregory.net/rapid"
)

func TestNormalize(t *testing.T) {
	nines := strings.Repeat("9", 38)
	for _, c := range []struct {
		in, want string
		err      error
	}{
		{"0", "0", nil},
		{"-0", "0", nil},
		{"+0.000", "0", nil},
		{"0e999999999999999999999", "0", nil},
		{"1e3", "1000", nil},
		{"1E+3", "1000", nil},
		{".5", "0.5", nil},
		{"5.", "5", nil},
		{"-.50", "-0.5", nil},
		{"007", "7", nil},
		{"+12", "12", nil},
		{"-12", "-12", nil},
		{"1.2300", "1.23", nil},
		{"1.23e1", "12.3", nil},
		{"1.23e-3", "0.00123", nil},
		{"100.5", "100.5", nil},
		{"1000e-2", "10", nil},
		{nines, nines, nil},
		{nines + "e88", nines + strings.Repeat("0", 88), nil},
		{nines + "e89", "", ddbnumber.ErrOverflow},
		{"1e125", "1" + strings.Repeat("0", 125), nil},
		{"1e126", "", ddbnumber.ErrOverflow},
		{"1e-130", "0." + strings.Repeat("0", 129) + "1", nil},
		{"-1e-130", "-0." + strings.Repeat("0", 129) + "1", nil},
		{"9e-131", "", ddbnumber.ErrUnderflow},
		{nines + "0", nines + "0", nil},
		{nines + "1", "", ddbnumber.ErrPrecision},
		{"1" + strings.Repeat("0", 38) + "1", "", ddbnumber.ErrPrecision},
		{"0." + strings.Repeat("0", 20) + nines, "0." + strings.Repeat("0", 20) + nines, nil},
		{"1." + strings.Repeat("0", 37) + "1", "", ddbnumber.ErrPrecision},
		{"1." + strings.Repeat("0", 500), "1", nil},
		{"0." + strings.Repeat("0", 500) + "1e501", "1", nil},
		{strings.Repeat("1", 200), "", ddbnumber.ErrOverflow},
		{"1e999999999", "", ddbnumber.ErrOverflow},
		{"1e-999999999", "", ddbnumber.ErrUnderflow},
		{"1e99999999999999999999999999", "", ddbnumber.ErrOverflow},
		{"", "", ddbnumber.ErrSyntax},
		{"+", "", ddbnumber.ErrSyntax},
		{".", "", ddbnumber.ErrSyntax},
		{"-.e1", "", ddbnumber.ErrSyntax},
		{"e5", "", ddbnumber.ErrSyntax},
		{"1e", "", ddbnumber.ErrSyntax},
		{"1e+", "", ddbnumber.ErrSyntax},
		{"1e1.5", "", ddbnumber.ErrSyntax},
		{"1..2", "", ddbnumber.ErrSyntax},
		{"1.2.3", "", ddbnumber.ErrSyntax},
		{" 1", "", ddbnumber.ErrSyntax},
		{"1 ", "", ddbnumber.ErrSyntax},
		{"1e5 ", "", ddbnumber.ErrSyntax},
		{"--1", "", ddbnumber.ErrSyntax},
		{"0x10", "", ddbnumber.ErrSyntax},
		{"NaN", "", ddbnumber.ErrSyntax},
		{"Infinity", "", ddbnumber.ErrSyntax},
		{"1_000", "", ddbnumber.ErrSyntax},
		{"١", "", ddbnumber.ErrSyntax},
		{"0e", "", ddbnumber.ErrSyntax},
		{"1e999x", "", ddbnumber.ErrSyntax},
	} {
		got, err := ddbnumber.Normalize(c.in)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("Normalize(%.50q) = %q, %v; want %q, %v", c.in, got, err, c.want, c.err)
		}
		// Validate is stricter about some exponents: TestValidateExponents.
		if verr := ddbnumber.Validate(c.in); !errors.Is(verr, c.err) && !strings.Contains(c.in, "e999999999999999") {
			t.Errorf("Validate(%.50q) = %v, want %v", c.in, verr, c.err)
		}
	}
}

func TestMessage(t *testing.T) {
	for in, want := range map[string]string{
		"":   "The parameter cannot be converted to a numeric value: ",
		"x1": "The parameter cannot be converted to a numeric value: x1",
		"1e126": "Number overflow. Attempting to store a number with magnitude larger than " +
			"supported range",
		"-1e-131": "Number underflow. Attempting to store a number with magnitude smaller than " +
			"supported range",
		strings.Repeat("12", 20): "Attempting to store more than 38 significant digits in a Number",
		"1":                      "",
	} {
		_, err := ddbnumber.Normalize(in)
		if got := ddbnumber.Message(err, in); got != want {
			t.Errorf("Message for %q: %q, want %q", in, got, want)
		}
	}
	if !errors.Is(ddbnumber.ErrOverflow, ddbnumber.ErrRange) || !errors.Is(ddbnumber.ErrUnderflow, ddbnumber.ErrRange) {
		t.Error("overflow and underflow must match ErrRange")
	}
	if errors.Is(ddbnumber.ErrOverflow, ddbnumber.ErrUnderflow) {
		t.Error("overflow matches underflow")
	}
}

func TestNormalShortIntegersDoNotAllocate(t *testing.T) {
	for _, s := range []string{"0", "7", "-7", "1234567890", "0.25", "-12.5"} {
		if n := testing.AllocsPerRun(100, func() { _, _ = ddbnumber.Normalize(s) }); n != 0 {
			t.Errorf("Normalize(%q): %v allocations", s, n)
		}
	}
}

// numbers draws valid numbers in many spellings, of which a good part are close
// to one another.
func numbers() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		text := rapid.StringMatching(`[+-]?0{0,3}([0-9]{1,20}\.?[0-9]{0,18}|\.[0-9]{1,38})`).Draw(t, "mantissa")
		switch rapid.IntRange(0, 3).Draw(t, "size") {
		case 0:
			text += rapid.StringMatching(`[eE][+-]?0{0,2}[0-9]{1,2}`).Draw(t, "exponent")
		case 1:
			text += rapid.StringMatching(`e-?1[0-3][0-9]`).Draw(t, "exponent")
		}
		return text
	}).Filter(func(s string) bool { return ddbnumber.Validate(s) == nil })
}

func rational(t interface{ Fatalf(string, ...any) }, s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("math/big refuses %q", s)
	}
	return r
}

func TestNormalizeKeepsTheValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := numbers().Draw(t, "number")
		got, err := ddbnumber.Normalize(s)
		if err != nil {
			t.Fatalf("Normalize(%q): %v", s, err)
		}
		if rational(t, s).Cmp(rational(t, got)) != 0 {
			t.Fatalf("Normalize(%q) = %q: another value", s, got)
		}
		checkNormal(t, got)
	})
}

func checkNormal(t interface{ Fatalf(string, ...any) }, s string) {
	digits := strings.TrimPrefix(s, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if strings.ContainsAny(s, "eE+") || whole == "" || (len(whole) > 1 && whole[0] == '0') ||
		(point && (fraction == "" || strings.HasSuffix(fraction, "0"))) || s == "-0" {
		t.Fatalf("%q is not normal", s)
	}
	if again, err := ddbnumber.Normalize(s); err != nil || again != s {
		t.Fatalf("Normalize(%q) = %q, %v: not stable", s, again, err)
	}
}

func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers().Draw(t, "a"), numbers().Draw(t, "b")
		if rapid.IntRange(0, 4).Draw(t, "near") == 0 {
			// A neighbour: the same number, or one that differs in its sign or exponent only.
			b, _ = ddbnumber.Normalize(a)
			b = rapid.SampledFrom([]string{b, "-" + b, b + "e1", b + "e-1"}).Draw(t, "neighbour")
			if ddbnumber.Validate(b) != nil {
				b = "0"
			}
		}
		want := rational(t, a).Cmp(rational(t, b))
		if got := ddbnumber.Compare(a, b); got != want {
			t.Fatalf("Compare(%q, %q) = %d, want %d", a, b, got, want)
		}
		ka, err := ddbnumber.SortKey(a)
		if err != nil {
			t.Fatalf("SortKey(%q): %v", a, err)
		}
		kb, err := ddbnumber.SortKey(b)
		if err != nil {
			t.Fatalf("SortKey(%q): %v", b, err)
		}
		if got := bytes.Compare(ka, kb); got != want {
			t.Fatalf("sort keys of %q and %q: %x and %x order %d, want %d", a, b, ka, kb, got, want)
		}
		if want != 0 && (bytes.HasPrefix(ka, kb) || bytes.HasPrefix(kb, ka)) {
			t.Fatalf("sort keys of %q and %q: one is a prefix of the other", a, b)
		}
		if len(ka) > 22 {
			t.Fatalf("sort key of %d bytes", len(ka))
		}
	})
}

func TestArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers().Draw(t, "a"), numbers().Draw(t, "b")
		x, y := rational(t, a), rational(t, b)
		checkResult(t, a+" + "+b, new(big.Rat).Add(x, y), func() (string, error) { return ddbnumber.Add(a, b) })
		checkResult(t, a+" - "+b, new(big.Rat).Sub(x, y), func() (string, error) { return ddbnumber.Sub(a, b) })
	})
}

// checkResult compares a result with the exact one; where it was refused, the
// exact result must break the limit that the error names.
func checkResult(t *rapid.T, what string, exact *big.Rat, f func() (string, error)) {
	got, err := f()
	if err == nil {
		if rational(t, got).Cmp(exact) != 0 {
			t.Fatalf("%s = %q, want %s", what, got, exact.FloatString(180))
		}
		checkNormal(t, got)
		return
	}
	// 180 decimals hold every sum of two valid numbers exactly.
	text := strings.TrimRight(exact.FloatString(180), "0")
	if want := ddbnumber.Validate(text); want == nil {
		t.Fatalf("%s: %v, but %q is a valid number", what, err, text)
	}
}

func TestArithmeticLimits(t *testing.T) {
	nines := strings.Repeat("9", 38)
	for _, c := range []struct {
		a, b, sum string
		err       error
	}{
		{"1", "2", "3", nil},
		{"0", "-5", "-5", nil},
		{"0.1", "0.2", "0.3", nil},
		{"-7", "7", "0", nil},
		{nines, "1", "1" + strings.Repeat("0", 38), nil},
		{nines, "0.1", "", ddbnumber.ErrPrecision},
		{nines, "2", "", ddbnumber.ErrPrecision},
		{"1e125", "-1e-130", "", ddbnumber.ErrPrecision},
		{nines + "e88", "1e88", "", ddbnumber.ErrOverflow},
		{"9e125", "1e125", "", ddbnumber.ErrOverflow},
		{"1.1e-130", "-1e-130", "", ddbnumber.ErrUnderflow},
		{"x", "1", "", ddbnumber.ErrSyntax},
		{"1", "", "", ddbnumber.ErrSyntax},
	} {
		got, err := ddbnumber.Add(c.a, c.b)
		if got != c.sum || !errors.Is(err, c.err) {
			t.Errorf("Add(%q, %q) = %q, %v; want %q, %v", c.a, c.b, got, err, c.sum, c.err)
		}
	}
	if got, err := ddbnumber.Sub("5", "5e0"); got != "0" || err != nil {
		t.Errorf("5 - 5 = %q, %v", got, err)
	}
	if got, err := ddbnumber.Sub("5", "0"); got != "5" || err != nil {
		t.Errorf("5 - 0 = %q, %v", got, err)
	}
}

// Sizes were measured on AWS at the limit of 400 KB, to the byte.
func TestSize(t *testing.T) {
	for in, want := range map[string]int{
		"0": 1, "-0": 1, "x": 1, "1": 2, "12": 2, "123": 3, "1234": 3, strings.Repeat("9", 38): 20, "0042": 2, "100": 2,
		"1010":      3,
		"0.0000001": 2, "1E125": 2, "1E-100": 2, "1.5": 3, "15": 2, "1.200": 3, "1.234": 4, "3.14159": 5, "123456": 4,
		"100.5": 4,
		"0.15":  2, "-42": 3, "-1.5": 4,
	} {
		if got := ddbnumber.Size(in); got != want {
			t.Errorf("Size(%s) = %d, want %d", in, got, want)
		}
	}
}

// TestValidateExponents: DynamoDB reads an exponent of 64 bits, and holds zero to
// the range by the exponent that it is written with. Recorded on AWS in October 2026.
func TestValidateExponents(t *testing.T) {
	for in, want := range map[string]error{
		"1e99999999999": ddbnumber.ErrOverflow, "1e-99999999999": ddbnumber.ErrUnderflow,
		"1e2147483648": ddbnumber.ErrOverflow, "1e9223372036854775807": ddbnumber.ErrOverflow,
		"1e9223372036854775808": ddbnumber.ErrSyntax, "1E+9223372036854775808": ddbnumber.ErrSyntax,
		"1e-9223372036854775808": ddbnumber.ErrUnderflow, "1e-9223372036854775809": ddbnumber.ErrSyntax,
		"0e9223372036854775808": ddbnumber.ErrSyntax, "1e00000000000000000000000000001": nil,
		"0e126": ddbnumber.ErrOverflow, "-0.0E+126": ddbnumber.ErrOverflow, "0e125": nil, "0e+0125": nil,
		"0e-131": ddbnumber.ErrUnderflow, "0e-130": nil, "0": nil, "-0.00": nil, "0e0": nil,
		"0." + strings.Repeat("0", 200): nil, "1e-130": nil, "1e125": nil, "0.1e126": nil, "10e-131": nil,
		"1e": ddbnumber.ErrSyntax, "0e": ddbnumber.ErrSyntax, "0e126x": ddbnumber.ErrSyntax,
	} {
		if err := ddbnumber.Validate(in); !errors.Is(err, want) {
			t.Errorf("Validate(%.50q) = %v, want %v", in, err, want)
		}
		if want == nil {
			if _, err := ddbnumber.Normalize(in); err != nil {
				t.Errorf("Normalize(%.50q): %v", in, err)
			}
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"0", "-0.00", "1e3", ".5", "5.", "+12e-7", "1e999999999", "9e125", "1e-130", "1..2", "e",
		"", strings.Repeat("9", 39)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ddbnumber.Normalize(s)
		if err != nil {
			if got != "" || ddbnumber.Message(err, s) == "" {
				t.Fatalf("Normalize(%q) = %q, %v", s, got, err)
			}
			return
		}
		checkNormal(t, got)
		if len(got) > 192 {
			t.Fatalf("%d bytes of text", len(got))
		}
		if len(s) < 300 && !strings.ContainsAny(s, "eE") && rational(t, s).Cmp(rational(t, got)) != 0 {
			t.Fatalf("Normalize(%q) = %q: another value", s, got)
		}
		if ddbnumber.Compare(s, got) != 0 {
			t.Fatalf("%q and its normal form %q differ", s, got)
		}
	})
}

func BenchmarkNormalize(b *testing.B) {
	for _, s := range []string{"12345", "-123.456", "1.5e10"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = ddbnumber.Normalize(s)
			}
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		ddbnumber.Compare("12345.5", "-3")
	}
}
