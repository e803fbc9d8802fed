package materials

import (
	"testing"
	"testing/synctest"
)

// After the first request as many keys as agreed are ready, drawn by one
// goroutine at a time, and each request refills.
func TestSigningKeysAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newSigningKeys(3)
		if len(keys.ready) != 0 {
			t.Error("keys were drawn before the first request")
		}
		seen := make(map[string]bool)
		for range 10 {
			k, err := keys.next()
			if err != nil || seen[k.public] {
				t.Fatalf("a key twice, or %v", err)
			}
			seen[k.public] = true
			// Several requests before any key is drawn.
			keys.refill()
			keys.refill()
			synctest.Wait()
			if len(keys.ready) != 3 || keys.drawing.Load() {
				t.Errorf("%d keys are ready, drawing: %t", len(keys.ready), keys.drawing.Load())
			}
		}
		ready := make(map[string]bool)
		for range 3 {
			k := <-keys.ready
			ready[k.public] = true
			keys.ready <- k
		}
		if k, err := keys.next(); err != nil || !ready[k.public] {
			t.Errorf("a key was drawn although some were ready, %v", err)
		}
		synctest.Wait()
	})
}
