// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	for skew, ok := range map[time.Duration]bool{0: true, -4 * time.Minute: true, 6 * time.Minute: false,
		-6 * time.Minute: false} {
		if f := clock(skew); f.OK != ok || (f.Fix == "") != ok {
			t.Errorf("%s: %+v", skew, f)
		}
	}
}
