// SPDX-License-Identifier: Apache-2.0

package p384

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"math/big"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
)

// heavyVariable asks for the long differential test: its value is the number
// of cases, 1 stands for a million.
const heavyVariable = "DDBSEAL_HEAVY"

// heavy returns the number of cases asked for, 0 when there is none.
func heavy(t *testing.T) int {
	t.Helper()
	v := os.Getenv(heavyVariable)
	if v == "" {
		return 0
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is not a number of cases", heavyVariable, v)
	}
	if n == 1 {
		return 1_000_000
	}
	return n
}

// TestDifferential compares verdicts with crypto/ecdsa.
func TestDifferential(t *testing.T) {
	count := 10_000
	if n := heavy(t); n > 0 {
		count = n
	}
	keys := testKeys(t, 20)
	workers := runtime.GOMAXPROCS(0)
	var accepted, refusedKeys [64]int
	var wg sync.WaitGroup
	workers = min(workers, len(accepted))
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(rand.Uint64(), uint64(w)))
			for i := w; i < count && !t.Failed(); i += workers {
				compressed, hash, der := anyCase(r, keys)
				keyOK, want := standardVerdict(compressed, hash, der)
				k, err := ParseCompressed(compressed)
				if (err == nil) != keyOK || err != nil && !errors.Is(err, ErrInvalidKey) {
					t.Errorf("key %x: %v, crypto/elliptic says %v", compressed, err, keyOK)
					return
				}
				if got := k.Verify(hash, der); got != want {
					t.Errorf("key %x, hash %x, signature %x: %v, want %v", compressed, hash, der, got, want)
					return
				}
				if want {
					accepted[w]++
				}
				if !keyOK {
					refusedKeys[w]++
				}
			}
		})
	}
	wg.Wait()
	yes, bad := 0, 0
	for w := range workers {
		yes += accepted[w]
		bad += refusedKeys[w]
	}
	t.Logf("%d cases: %d accepted, %d with a key that is none", count, yes, bad)
	if yes < count/8 || yes > count*4/5 || bad == 0 {
		t.Fatalf("one-sided cases: %d of %d accepted, %d with a key that is none", yes, count, bad)
	}
}

// anyCase makes a case that is valid, nearly valid or neither.
func anyCase(r *rand.Rand, keys []key) (compressed, hash, der []byte) {
	k := keys[r.IntN(len(keys))]
	compressed = bytes.Clone(k.compressed)

	// With u1 and u2 chosen first, r follows from the point, s = r/u2 and
	// e = u1·s: that way scalars at the edges meet valid signatures.
	u1, u2 := anyNumber(r), anyNumber(r)
	switch r.IntN(12) {
	case 0:
		u1.SetInt64(0)
	case 1: // u1·G = ±u2·Q: the last addition doubles or gives infinity
		u1.Mul(u2, k.d)
		if r.IntN(2) == 0 {
			u1.Neg(u1)
		}
		u1.Mod(u1, bigN)
	}
	if u2.Sign() == 0 {
		u2.SetInt64(1)
	}
	// The sum is our own; crypto/ecdsa decides whether it was right.
	a, b := scalar(limbsOf(u1)), scalar(limbsOf(u2))
	sigR := xCoordinate(&a, &b, &k)
	if sigR.Sign() == 0 {
		sigR = randomBelow(bigN)
	}
	sigS := new(big.Int).ModInverse(u2, bigN)
	sigS.Mul(sigS, sigR).Mod(sigS, bigN)
	e := new(big.Int).Mul(u1, sigS)
	e.Mod(e, bigN)
	hash = e.FillBytes(make([]byte, size))

	switch r.IntN(10) {
	case 0: // longer: the rest does not count
		hash = append(hash, byte(r.Uint32()), byte(r.Uint32()))
	case 1: // shorter: another number, unless it had leading zeros
		hash = hash[r.IntN(len(hash)+1):]
	case 2: // e + n where it fits
		if e.Add(e, bigN); e.Cmp(bigR) < 0 {
			hash = e.FillBytes(make([]byte, size))
		}
	case 3:
		h := sha512.Sum512(hash)
		hash = h[:]
	}
	switch r.IntN(14) {
	case 0:
		sigR = anyInteger(r)
	case 1:
		sigS = anyInteger(r)
	case 2:
		sigR, sigS = anyInteger(r), anyInteger(r)
	case 3: // s and -s are both good
		sigS.Sub(bigN, sigS)
	case 4:
		sigR.Add(sigR, bigN)
	case 5:
		sigS.Add(sigS, bigN)
	case 6:
		sigR.Sub(sigR, bigN)
	case 7:
		sigS.Neg(sigS)
	case 8:
		sigR, sigS = sigS, sigR
	}
	der = encodeDER(sigR, sigS)
	if r.IntN(3) == 0 {
		der = mutate(r, der)
	}
	switch r.IntN(16) {
	case 0: // the other root: -Q
		compressed[0] ^= 1
	case 1:
		compressed[0] = byte(r.Uint32())
	case 2:
		compressed = mutate(r, compressed)
	case 3: // x not canonical, or small, or near p
		x := anyInteger(r)
		if x.Sign() < 0 || x.Cmp(bigR) >= 0 {
			x.Mod(x, bigR)
		}
		x.FillBytes(compressed[1:])
	}
	return compressed, hash, der
}

// xCoordinate returns the x-coordinate of u1·G + u2·Q mod n, 0 for infinity.
func xCoordinate(u1, u2 *scalar, k *key) *big.Int {
	var q affine
	if !q.x.setBytes(k.compressed[1:]) {
		panic("test key is not canonical")
	}
	yy := ySquared(&q.x)
	if !q.y.sqrt(&yy) {
		panic("test key is not on the curve")
	}
	if q.y.isOdd() != (k.compressed[0] == 3) {
		q.y.neg(&q.y)
	}
	var p jacobian
	p.combine(u1, u2, &q)
	if p.isInfinity() {
		return new(big.Int)
	}
	var z element
	z.sqr(&p.z)
	z.invert(&z)
	z.mul(&z, &p.x)
	x := valueOf(z)
	return x.Mod(x, bigN)
}

// anyNumber returns a number below n, often at an edge.
func anyNumber(r *rand.Rand) *big.Int {
	if r.IntN(3) == 0 {
		z := new(big.Int).Set(edges[r.IntN(len(edges))])
		return z.Mod(z, bigN)
	}
	return randomBelow(bigN)
}

// anyInteger returns an integer that may be negative, zero or beyond n.
func anyInteger(r *rand.Rand) *big.Int {
	z := new(big.Int).Set(edges[r.IntN(len(edges))])
	switch r.IntN(4) {
	case 0:
		z.Neg(z)
	case 1:
		z.Lsh(z, uint(r.IntN(20)))
	}
	return z
}

// mutate returns b with a byte changed, taken out, put in, cut off or added.
func mutate(r *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	i := r.IntN(len(b))
	switch r.IntN(6) {
	case 0:
		b[i] ^= 1 << r.IntN(8)
	case 1:
		b[i] = byte(r.Uint32())
	case 2:
		b = append(b[:i], b[i+1:]...)
	case 3:
		b = append(b[:i], append([]byte{byte(r.IntN(3))}, b[i:]...)...)
	case 4:
		b = b[:i]
	case 5:
		b = append(b, 0)
	}
	return b
}

// TestEmptyHash: a signature that the equations accept for an empty hash, which
// nothing signs on purpose.
func TestEmptyHash(t *testing.T) {
	compressed, err := hex.DecodeString("03b9a0b41acfbc15ef9e5a8dcb0ed5643073bbff5fe0d5b6c998a00a984cadb6f8d850ad0a" +
		"c80050aaede5346995dbd693")
	if err != nil {
		t.Fatal(err)
	}
	der, err := hex.DecodeString("3066023100a53bf8352e386224acacf2f11bcfd190c6f3e5a0cccc116474218b151f43f3f9b" +
		"bb358b96" +
		"37a93e942bc4ca0bf6df1fb023100a61a7e469a753d53a3966e8910d8a381fa61179dc521fea111660cb11ad81e95d7002e02cad0ab0" +
		"2170997b19b6052ad")
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParseCompressed(compressed)
	if err != nil {
		t.Fatal(err)
	}
	// The empty hash is the number 0, as is a zero byte, which keeps this case valid.
	if !k.Verify([]byte{0}, der) {
		t.Error("the signature does not verify at all")
	}
	for _, hash := range [][]byte{nil, {}} {
		if k.Verify(hash, der) {
			t.Error("an empty hash verifies")
		}
	}
}

// FuzzVerify compares verdicts with crypto/ecdsa on any bytes.
func FuzzVerify(f *testing.F) {
	compressed, hash, der := signed(f)
	f.Add(compressed, hash, der)
	f.Add(compressed, hash[:20], der)
	f.Add(compressed, append(bytes.Clone(hash), 1, 2, 3), der)
	r := rand.New(rand.NewPCG(1, 2))
	keys := testKeys(f, 4)
	for range 40 {
		compressed, hash, der := anyCase(r, keys)
		f.Add(compressed, hash, der)
	}
	f.Fuzz(func(t *testing.T, compressed, hash, der []byte) {
		keyOK, want := standardVerdict(compressed, hash, der)
		k, err := ParseCompressed(compressed)
		if (err == nil) != keyOK {
			t.Fatalf("key %x: %v, crypto/elliptic says %v", compressed, err, keyOK)
		}
		if got := k.Verify(hash, der); got != want {
			t.Fatalf("key %x, hash %x, signature %x: %v, want %v", compressed, hash, der, got, want)
		}
	})
}
