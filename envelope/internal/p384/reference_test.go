// SPDX-License-Identifier: Apache-2.0

package p384

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

var (
	bigP     = elliptic.P384().Params().P
	bigN     = elliptic.P384().Params().N
	bigR     = new(big.Int).Lsh(big.NewInt(1), 384)
	bigRInvP = new(big.Int).ModInverse(bigR, bigP)
)

// integerOf returns the number in six limbs.
func integerOf[T ~[6]uint64](a T) *big.Int {
	z := new(big.Int)
	for i := 5; i >= 0; i-- {
		z.Lsh(z, 64)
		z.Or(z, new(big.Int).SetUint64(a[i]))
	}
	return z
}

// valueOf returns what a stands for, out of Montgomery form.
func valueOf(a element) *big.Int {
	z := integerOf(a)
	z.Mul(z, bigRInvP)
	return z.Mod(z, bigP)
}

// limbsOf returns a, below 2^384.
func limbsOf(a *big.Int) [6]uint64 {
	return limbs(a.FillBytes(make([]byte, size)))
}

// edges are numbers next to which carries go wrong.
var edges = func() []*big.Int {
	one := big.NewInt(1)
	var out []*big.Int
	for _, c := range []*big.Int{
		new(big.Int), bigP, bigN, bigR, new(big.Int).Sub(bigR, bigP), new(big.Int).Sub(bigP, bigN),
		new(big.Int).Rsh(bigP, 1), new(big.Int).Rsh(bigN, 1),
	} {
		for d := int64(-3); d <= 3; d++ {
			out = append(out, new(big.Int).Add(c, big.NewInt(d)))
		}
	}
	for k := uint(16); k < 384; k += 16 {
		out = append(out, new(big.Int).Lsh(one, k), new(big.Int).Sub(new(big.Int).Lsh(one, k), one),
			new(big.Int).Sub(bigP, new(big.Int).Lsh(one, k)), new(big.Int).Sub(bigR, new(big.Int).Lsh(one, k)))
	}
	n := 0
	for _, e := range out {
		if e.Sign() >= 0 && e.Cmp(bigR) < 0 {
			out[n] = e
			n++
		}
	}
	return out[:n]
}()

// anyLimbs draws a number below 2^384: at random, an edge, or one whose limbs
// are mostly all zeros or all ones.
func anyLimbs(t *rapid.T, label string) [6]uint64 {
	switch rapid.IntRange(0, 2).Draw(t, label+" kind") {
	case 0:
		return limbsOf(rapid.SampledFrom(edges).Draw(t, label))
	case 1:
		var a [6]uint64
		for i := range a {
			a[i] = rapid.SampledFrom([]uint64{0, 1, ^uint64(0), ^uint64(0) - 1, k0, k1, 1 << 63,
				0x123456789abcdef0}).Draw(t, label)
		}
		return a
	default:
		return limbs(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, label))
	}
}

// anyScalar draws a number below n.
func anyScalar(t *rapid.T, label string) scalar {
	a := scalar(anyLimbs(t, label))
	if d, borrow := subtract(&a, &order); borrow == 0 {
		return d
	}
	return a
}

// key is a key pair whose private half the test knows.
type key struct {
	d          *big.Int
	compressed []byte
	std        *ecdsa.PublicKey
}

func newKey(tb testing.TB, d *big.Int) key {
	tb.Helper()
	k, err := ecdh.P384().NewPrivateKey(d.FillBytes(make([]byte, size)))
	if err != nil {
		tb.Fatal(err)
	}
	u := k.PublicKey().Bytes()
	std, err := ecdsa.ParseUncompressedPublicKey(elliptic.P384(), u)
	if err != nil {
		tb.Fatal(err)
	}
	return key{d, append([]byte{2 + u[len(u)-1]&1}, u[1:1+size]...), std}
}

// testKeys returns keys with private halves at random and at the ends.
func testKeys(tb testing.TB, random int) []key {
	var keys []key
	for i := int64(1); i <= 5; i++ {
		keys = append(keys, newKey(tb, big.NewInt(i)), newKey(tb, new(big.Int).Sub(bigN, big.NewInt(i))))
	}
	for range random {
		keys = append(keys, newKey(tb, randomBelow(bigN)))
	}
	return keys
}

// randomBelow returns a number between 1 and max-1.
func randomBelow(max *big.Int) *big.Int {
	b := make([]byte, size+8)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	z := new(big.Int).SetBytes(b)
	z.Mod(z, new(big.Int).Sub(max, big.NewInt(1)))
	return z.Add(z, big.NewInt(1))
}

// standardVerdict is the verdict of crypto/ecdsa on a compressed key.
func standardVerdict(compressed, hash, der []byte) (keyOK, ok bool) {
	x, y := elliptic.UnmarshalCompressed(elliptic.P384(), compressed)
	if x == nil {
		return false, false
	}
	u := make([]byte, 1+2*size)
	u[0] = 4
	x.FillBytes(u[1 : 1+size])
	y.FillBytes(u[1+size:])
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P384(), u)
	if err != nil {
		return false, false
	}
	return true, len(hash) > 0 && ecdsa.VerifyASN1(pub, hash, der)
}

// encodeDER writes a signature of any two integers, as DER wants them.
func encodeDER(r, s *big.Int) []byte {
	integer := func(a *big.Int) []byte {
		var b []byte
		if a.Sign() < 0 {
			// Two's complement of the fewest bytes.
			n := len(a.Bytes())
			m := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), uint(8*n)), a)
			b = m.FillBytes(make([]byte, n))
			if b[0] < 0x80 {
				b = append([]byte{0xff}, b...)
			}
		} else if b = a.Bytes(); len(b) == 0 || b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return append([]byte{2, byte(len(b))}, b...)
	}
	body := append(integer(r), integer(s)...)
	if len(body) >= 0x80 {
		return append([]byte{0x30, 0x81, byte(len(body))}, body...)
	}
	return append([]byte{0x30, byte(len(body))}, body...)
}
