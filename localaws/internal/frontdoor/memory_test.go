// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Memory is given back after the last of many large bodies, once more when their
// connections may have ended, and not for a few.
func TestMemoryIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var freed atomic.Int64
		m := &memory{free: func() { freed.Add(1) }}
		m.used(minTrim - 1)
		time.Sleep(2 * trimDelay)
		if freed.Load() != 0 {
			t.Error("freed for a few bodies")
		}
		for range 10 {
			m.used(minTrim)
			time.Sleep(trimDelay - time.Second)
		}
		if freed.Load() != 0 {
			t.Error("freed under load")
		}
		time.Sleep(trimDelay)
		synctest.Wait()
		if n := freed.Load(); n != 1 {
			t.Errorf("freed %d times after the load", n)
		}
		time.Sleep(time.Hour)
		if n := freed.Load(); n != 2 {
			t.Errorf("freed %d times when idle", n)
		}
	})
}
