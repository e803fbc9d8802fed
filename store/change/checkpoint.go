// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// Position is how far a shard of a stream was handled.
type Position struct {
	// Stream is the stream's ARN, Shard the shard's id.
	Stream, Shard string
	// Sequence is the sequence number of the last record that was handled, or was
	// older than Since; empty if there is none.
	Sequence string
	// Since leaves out older records; zero leaves out none.
	Since time.Time
	// Done means that all of the shard was handled, and it gets no more records.
	Done bool
}

// Checkpoint keeps positions. [Memory] and [TableCheckpoint] are two; the methods
// can be called by several goroutines. A position may be lost or be older than
// the one that was saved last: changes then come again. It may never be ahead of
// what was saved.
type Checkpoint interface {
	// Load is called once, when a call of [Follow] begins. It returns all
	// positions. A checkpoint that processes share makes an earlier caller fail: its
	// calls of Save then return an error that matches [ErrTakenOver].
	Load(ctx context.Context) ([]Position, error)
	// Save keeps a position in place of the shard's last one.
	Save(ctx context.Context, p Position) error
	// Remove forgets a shard that DynamoDB does not keep any more.
	Remove(ctx context.Context, stream, shard string) error
}

var _, _ Checkpoint = (*Memory)(nil), (*TableCheckpoint)(nil)

// Memory is a checkpoint that is lost with the process. Several calls of Follow,
// one after another, can share it.
type Memory struct {
	mu        sync.Mutex
	positions map[[2]string]Position
}

// NewMemory returns an empty checkpoint.
func NewMemory() *Memory { return &Memory{positions: map[[2]string]Position{}} }

// Load returns all positions.
func (m *Memory) Load(context.Context) ([]Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.positions)), nil
}

// Save keeps a position.
func (m *Memory) Save(_ context.Context, p Position) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.positions[[2]string{p.Stream, p.Shard}] = p
	return nil
}

// Remove forgets a shard.
func (m *Memory) Remove(_ context.Context, stream, shard string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.positions, [2]string{stream, shard})
	return nil
}
