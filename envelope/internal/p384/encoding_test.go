// SPDX-License-Identifier: Apache-2.0

package p384

import (
	"bytes"
	"crypto/fips140"
	"errors"
	"math/big"
	"testing"
)

// TestEncodings holds one fault each: the signature is good but for that. The
// expectation is written down, and crypto/ecdsa is asked too.
func TestEncodings(t *testing.T) {
	// r and s that need 49 bytes each, so that there are zeros to leave out.
	compressed, hash, der := signed(t)
	for der[3] != 49 || der[4+49+1] != 49 {
		compressed, hash, der = signed(t)
	}
	k, err := ParseCompressed(compressed)
	if err != nil {
		t.Fatal(err)
	}
	r, s := new(big.Int).SetBytes(der[4:53]), new(big.Int).SetBytes(der[55:])
	zero, minus := new(big.Int), big.NewInt(-1)
	sequence := func(body ...[]byte) []byte {
		b := bytes.Join(body, nil)
		return append([]byte{0x30, byte(len(b))}, b...)
	}
	rb, sb := der[2:53], der[53:]
	for _, c := range []struct {
		name string
		der  []byte
		want bool
	}{
		{"as signed", der, true},
		{"n - s", encodeDER(r, new(big.Int).Sub(bigN, s)), true},
		{"nil", nil, false},
		{"one byte", der[:1], false},
		{"empty sequence", sequence(), false},
		{"only r", sequence(rb), false},
		{"three integers", sequence(rb, sb, []byte{2, 1, 1}), false},
		{"byte after the sequence", append(bytes.Clone(der), 0), false},
		{"byte after s", sequence(rb, sb, []byte{0}), false},
		{"cut off", der[:len(der)-1], false},
		{"set for sequence", append([]byte{0x31}, der[1:]...), false},
		{"bit string for integer", sequence(append([]byte{3}, rb[1:]...), sb), false},
		{"long form of a short length", append([]byte{0x30, 0x81}, der[1:]...), false},
		{"longer form of a short length", append([]byte{0x30, 0x82, 0}, der[1:]...), false},
		{"indefinite length", append(append([]byte{0x30, 0x80}, der[2:]...), 0, 0), false},
		{"long form of the length of r", sequence(append([]byte{2, 0x81}, rb[1:]...), sb), false},
		{"length 0xff", append([]byte{0x30, 0xff}, der[2:]...), false},
		{"zero before r", sequence(append([]byte{2, 50, 0}, rb[2:]...), sb), false},
		{"zero before s", sequence(rb, append([]byte{2, 50, 0}, sb[2:]...)), false},
		{"r without its zero", sequence(append([]byte{2, 48}, rb[3:]...), sb), false},
		{"s without its zero", sequence(rb, append([]byte{2, 48}, sb[3:]...)), false},
		{"r empty", sequence([]byte{2, 0}, sb), false},
		{"s empty", sequence(rb, []byte{2, 0}), false},
		{"r zero", encodeDER(zero, s), false},
		{"s zero", encodeDER(r, zero), false},
		{"both zero", encodeDER(zero, zero), false},
		{"r one", encodeDER(big.NewInt(1), s), false},
		{"r minus one", encodeDER(minus, s), false},
		{"s minus one", encodeDER(r, minus), false},
		{"r negative", encodeDER(new(big.Int).Neg(r), s), false},
		{"s negative", encodeDER(r, new(big.Int).Neg(s)), false},
		{"r - n", encodeDER(new(big.Int).Sub(r, bigN), s), false},
		{"r + n", encodeDER(new(big.Int).Add(r, bigN), s), false},
		{"s + n", encodeDER(r, new(big.Int).Add(s, bigN)), false},
		{"r is n", encodeDER(bigN, s), false},
		{"s is n", encodeDER(r, bigN), false},
		{"r is p", encodeDER(bigP, s), false},
		{"s is n - 1", encodeDER(r, new(big.Int).Sub(bigN, big.NewInt(1))), false},
		{"r too long", encodeDER(new(big.Int).Lsh(r, 64), s), false},
		{"s of 200 bytes", encodeDER(r, new(big.Int).Lsh(big.NewInt(1), 900)), false},
		{"swapped", encodeDER(s, r), false},
	} {
		if got := k.Verify(hash, c.der); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if _, std := standardVerdict(compressed, hash, c.der); std != c.want {
			t.Errorf("%s: crypto/ecdsa says %v, want %v", c.name, std, c.want)
		}
	}
}

// TestKeyEncodings holds one fault each.
func TestKeyEncodings(t *testing.T) {
	good, hash, der := signed(t)
	x := func(a *big.Int) []byte { return append([]byte{2}, a.FillBytes(make([]byte, size))...) }
	with := func(first byte) []byte { return append([]byte{first}, good[1:]...) }
	// The x of no point: the first at or above 1 whose cube is of no use.
	var offCurve *big.Int
	for i := int64(1); offCurve == nil; i++ {
		a := big.NewInt(i)
		yy := new(big.Int).Exp(a, big.NewInt(3), bigP)
		yy.Sub(yy, new(big.Int).Mul(a, big.NewInt(3))).Add(yy, valueOf(curveB)).Mod(yy, bigP)
		if big.Jacobi(yy, bigP) < 0 {
			offCurve = a
		}
	}
	// The x of a point, written as x + p: the smallest x that has one and a
	// point, if it fits.
	var notCanonical []byte
	for i := int64(0); notCanonical == nil; i++ {
		b := x(big.NewInt(i))
		if ok, _ := standardVerdict(b, hash, der); ok {
			notCanonical = x(new(big.Int).Add(big.NewInt(i), bigP))
		}
	}
	for _, c := range []struct {
		name string
		key  []byte
		want bool
	}{
		{"as signed", good, true},
		{"the other root", with(good[0] ^ 1), true},
		{"nil", nil, false},
		{"infinity", []byte{0}, false},
		{"infinity of 49 bytes", make([]byte, CompressedSize), false},
		{"first byte 0", with(0), false},
		{"first byte 1", with(1), false},
		{"uncompressed mark", with(4), false},
		{"hybrid mark", with(6), false},
		{"first byte 0x82", with(0x82), false},
		{"short", good[:CompressedSize-1], false},
		{"long", append(bytes.Clone(good), 0), false},
		{"off the curve", x(offCurve), false},
		{"x is p", x(bigP), false},
		{"x + p", notCanonical, false},
		{"x all ones", x(new(big.Int).Sub(bigR, big.NewInt(1))), false},
		{"uncompressed", append(append([]byte{4}, good[1:]...), good[1:]...), false},
	} {
		k, err := ParseCompressed(c.key)
		if (err == nil) != c.want || err != nil && !errors.Is(err, ErrInvalidKey) {
			t.Errorf("%s: %v, want a key: %v", c.name, err, c.want)
		}
		if std, _ := standardVerdict(c.key, hash, der); std != c.want {
			t.Errorf("%s: crypto/elliptic says %v, want %v", c.name, std, c.want)
		}
		if err != nil && k.Verify(hash, der) {
			t.Errorf("%s: no key, but it verifies", c.name)
		}
	}
	k := new(PublicKey)
	if k.Verify(hash, der) {
		t.Error("the zero key verifies")
	}
	if err := k.SetCompressed(good); err != nil || !k.Verify(hash, der) {
		t.Errorf("%v, or a good signature refused", err)
	}
	if k.SetCompressed(x(offCurve)) == nil || k.Verify(hash, der) {
		t.Error("the key before the error still verifies")
	}
}

// TestLargeX uses an x-coordinate between n and p, so that r = x - n, which no
// random signature ever has: a point with such an x is taken for R, and Q is
// made from it with u1 = 0 or 1.
func TestLargeX(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		found := 0
		for i := int64(0); found < 8; i++ {
			x := new(big.Int).Add(bigN, big.NewInt(i))
			compressed := append([]byte{2 + byte(i&1)}, x.FillBytes(make([]byte, size))...)
			// Q = R, u1 = 0 and u2 = 1: hash 0, r = s = x - n.
			r := big.NewInt(i)
			der := encodeDER(r, r)
			keyOK, want := standardVerdict(compressed, make([]byte, size), der)
			if !keyOK {
				continue
			}
			if want != (i > 0) {
				t.Fatalf("n + %d: crypto/ecdsa says %v", i, want)
			}
			k, err := ParseCompressed(compressed)
			if err != nil {
				t.Fatal(err)
			}
			if got := k.Verify(make([]byte, size), der); got != want {
				t.Fatalf("n + %d: %v, want %v", i, got, want)
			}
			if want {
				found++
			}
		}
	})
}

// TestAllocations: verifying has nothing to leave behind.
func TestAllocations(t *testing.T) {
	if alwaysStandard || fips140.Enabled() {
		t.Skip("crypto/ecdsa does the work, and it allocates")
	}
	compressed, hash, der := signed(t)
	var k PublicKey
	if n := testing.AllocsPerRun(20, func() {
		if k.SetCompressed(compressed) != nil || !k.Verify(hash, der) {
			t.Fatal("refused")
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
