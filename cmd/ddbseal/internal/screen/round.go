// SPDX-License-Identifier: Apache-2.0

package screen

import "time"

// Round rounds a duration to what a reader wants to know: hundredths of a second
// below ten seconds, and seconds above.
func Round(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Second)
}
