// SPDX-License-Identifier: Apache-2.0

package kdf

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"sync"
	"testing"
)

// The standard library's HKDF is the reference.
func TestFastEqualsStandard(t *testing.T) {
	for _, n := range []int{1, 16, 32, 64, 127, 128, 129, 300} {
		secret, a, b := make([]byte, n), make([]byte, n/2), make([]byte, n+100)
		for _, p := range [][]byte{secret, a, b} {
			_, _ = rand.Read(p)
		}
		var got, want [2][Size]byte
		if err := fast(secret, a, b, got[0][:], got[1][:]); err != nil {
			t.Fatal(err)
		}
		if err := standard(secret, a, b, want[0][:], want[1][:]); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("secret of %d bytes: keys differ from crypto/hkdf", n)
		}
		if got[0] == got[1] {
			t.Error("two infos gave one key")
		}
	}
}

func TestStatesHoldNoSecret(t *testing.T) {
	s := states.New().(*state)
	if err := s.key(bytes.Repeat([]byte{0xAB}, 64)); err != nil {
		t.Fatal(err)
	}
	if err := s.mac(s.innerState, s.outerState, bytes.Repeat([]byte{0xCD}, 200)); err != nil {
		t.Fatal(err)
	}
	inner, outer := s.innerState, s.outerState
	s.wipe()
	// Printing shows the unexported fields, so also what a digest still holds
	// beyond its count of pending bytes.
	for i, d := range []digest{s.inner, s.outer} {
		if got, want := fmt.Sprintf("%+v", d), fmt.Sprintf("%+v", states.New().(*state).inner); got != want {
			t.Errorf("digest %d is %s, not as new", i, got)
		}
	}
	if s.block != [128]byte{} || s.sum != [64]byte{} || !allZero(inner) || !allZero(outer) {
		t.Error("a buffer still holds bytes")
	}
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

func TestConcurrentUse(t *testing.T) {
	secret, a, b := bytes.Repeat([]byte{1}, 32), []byte("a"), []byte("b")
	var want [2][Size]byte
	if err := standard(secret, a, b, want[0][:], want[1][:]); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				var got [2][Size]byte
				if err := Derive(secret, a, b, got[0][:], got[1][:]); err != nil || got != want {
					t.Errorf("got %x, %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkDerive(b *testing.B) {
	secret, info := make([]byte, 32), make([]byte, 50)
	key := make([]byte, 64)
	for name, f := range map[string]func(_, _, _, _, _ []byte) error{"fast": fast, "standard": standard} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f(secret, info, info, key, key[32:]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
