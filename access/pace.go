// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"sync"
	"time"
)

// The rate of calls that Load keeps to. The limits of AWS are shared by everything
// in an account: a reader must not use them up.
const (
	callsPerSecond = 20
	burst          = 100
)

// pace lets calls through at a bounded rate.
type pace struct {
	mu       sync.Mutex
	interval time.Duration
	most     time.Duration // how far next may lie behind now
	next     time.Time     // when the last of the burst is used up
}

func newPace(perSecond, burst int) *pace {
	interval := time.Second / time.Duration(perSecond)
	return &pace{interval: interval, most: interval * time.Duration(burst)}
}

// wait returns when it is the caller's turn, or the error of ctx.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	now := time.Now()
	if earliest := now.Add(-p.most); p.next.Before(earliest) {
		p.next = earliest
	}
	p.next = p.next.Add(p.interval)
	delay := p.next.Sub(now)
	p.mu.Unlock()
	if delay <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
