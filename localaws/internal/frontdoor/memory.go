// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"runtime/debug"
	"sync"
	"time"
)

const (
	// minTrim is how many bytes of large bodies are worth a collection.
	minTrim = 32 << 20
	// trimDelay is how long there must be no large body before it.
	trimDelay = 5 * time.Second
	// trimAgain is when a second collection follows: connections, with their
	// buffers and stacks, outlive the bodies that came over them.
	trimAgain = 25 * time.Second
)

// memory gives memory back to the system after a time of large bodies. Without
// it an idle process keeps what its busiest moment took: the runtime collects
// an idle heap every two minutes only, and keeps a part of what is free.
type memory struct {
	free func() // debug.FreeOSMemory

	mu    sync.Mutex
	bytes int64       // of large bodies since the last collection
	timer *time.Timer // of the next collection; a large load puts it off
}

func newMemory() *memory { return &memory{free: debug.FreeOSMemory} }

// used notes that a large body of n bytes is no longer needed.
func (m *memory) used(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bytes += n; m.bytes < minTrim {
		return
	}
	if m.timer == nil {
		m.timer = time.AfterFunc(trimDelay, m.trim)
	} else {
		m.timer.Reset(trimDelay)
	}
}

func (m *memory) trim() {
	m.mu.Lock()
	if m.bytes > 0 {
		m.bytes = 0
		m.timer.Reset(trimAgain)
	}
	m.mu.Unlock()
	m.free()
}
