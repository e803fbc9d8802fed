// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"testing"
	"testing/synctest"
)

func TestSigningKeysAreUsedOnce(t *testing.T) {
	keys := newSigningKeys(2)
	seen := make(map[string]bool)
	for range 20 {
		k, err := keys.next()
		if err != nil {
			t.Fatal(err)
		}
		if seen[k.public] {
			t.Fatal("one key twice")
		}
		seen[k.public] = true
	}
}

// After the first request as many keys as agreed are ready, and each request
// takes one of them and refills.
func TestSigningKeysAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newSigningKeys(3)
		if len(keys.ready) != 0 {
			t.Error("keys were drawn before the first request")
		}
		seen := make(map[string]bool)
		for range 10 {
			ready := make(map[string]bool)
			for range len(keys.ready) {
				k := <-keys.ready
				ready[k.public] = true
				keys.ready <- k
			}
			k, err := keys.next()
			if err != nil || seen[k.public] {
				t.Fatalf("a key twice, or %v", err)
			}
			if seen[k.public] = true; len(ready) > 0 && !ready[k.public] {
				t.Error("a key was drawn although some were ready")
			}
			synctest.Wait()
			if len(keys.ready) != 3 || keys.drawing.Load() {
				t.Errorf("%d keys are ready, drawing: %t", len(keys.ready), keys.drawing.Load())
			}
		}
	})
}

// Only one goroutine draws: more would wait for room, and stay.
func TestSigningKeysAreDrawnByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newSigningKeys(3)
		keys.drawing.Store(true)
		for range 5 {
			if _, err := keys.next(); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if len(keys.ready) != 0 {
			t.Errorf("%d keys were drawn beside another goroutine", len(keys.ready))
		}
	})
}

// TestSigningKeysLeaveNoGoroutine: requests at once start one goroutine. Another
// would draw a key too many and wait for room without end, at which
// synctest.Test panics. There are enough keys for each to be interrupted.
func TestSigningKeysLeaveNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newSigningKeys(200)
		for range 4 {
			keys.refill()
		}
		synctest.Wait()
		if len(keys.ready) != 200 {
			t.Errorf("%d keys are ready", len(keys.ready))
		}
	})
}
