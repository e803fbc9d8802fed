package frontdoor

import (
	"testing"
	"testing/synctest"
	"time"
)

// Memory is given back once, after the last of many large bodies, and not for a
// few.
func TestMemoryIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		freed := 0
		m := &memory{free: func() { freed++ }}
		m.used(trimLeast - 1)
		time.Sleep(2 * trimDelay)
		if freed != 0 {
			t.Error("freed for a few bodies")
		}
		for range 10 {
			m.used(trimLeast)
			time.Sleep(trimDelay - time.Second)
		}
		if freed != 0 {
			t.Error("freed under load")
		}
		time.Sleep(trimDelay)
		synctest.Wait()
		if freed != 1 {
			t.Errorf("freed %d times after the load", freed)
		}
		time.Sleep(time.Hour)
		if freed != 1 {
			t.Errorf("freed %d times when idle", freed)
		}
	})
}
