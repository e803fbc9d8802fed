// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"time"
)

// cost is what one operation takes.
type cost struct {
	elapsed time.Duration
	// processor is the time of all threads of the process, those of garbage
	// collectors and compilers included; 0 where the system does not tell. It is
	// more than elapsed when a library keeps other cores busy meanwhile.
	processor time.Duration
}

// watch runs a measurement that returns the mean time of one operation, and
// adds the processor time that the process took for it.
func watch(pid int, measure func() (time.Duration, error)) (cost, error) {
	start, before := time.Now(), processorTime(pid)
	elapsed, err := measure()
	busy, whole := processorTime(pid)-before, time.Since(start)
	return cost{elapsed, time.Duration(float64(elapsed) * float64(busy) / float64(whole))}, err
}

// here is what contestants in this process share.
type here struct{}

func (here) compiles() bool { return false }
func (here) close() error   { return nil }

// repeat calls fn one after the other for about d.
func repeat(d time.Duration, fn func() error) (cost, error) {
	return watch(os.Getpid(), func() (time.Duration, error) {
		start := time.Now()
		for n := 1; ; n++ {
			if err := fn(); err != nil {
				return 0, err
			}
			if spent := time.Since(start); spent >= d {
				return spent / time.Duration(n), nil
			}
		}
	})
}
