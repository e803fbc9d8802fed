// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what a process and all its threads have taken so far.
func processorTime(pid int) time.Duration {
	const scheduler = 2 // the kernel's CPUCLOCK_SCHED: a process's own clock, in nanoseconds
	var ts unix.Timespec
	if unix.ClockGettime(int32(^pid<<3|scheduler), &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
