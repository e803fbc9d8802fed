// SPDX-License-Identifier: Apache-2.0

//go:build unix

package benchmarks

import (
	"syscall"
	"time"
)

// cpuTime is the processor time of the process so far, collector included:
// unlike wall time it does not grow when the machine has other work.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
