// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// Position says how far a shard of a stream was handled.
type Position struct {
	// Stream is the stream's ARN, Shard the shard's id.
	Stream, Shard string
	// Sequence is the sequence number of the last record that was handled, or was
	// older than Since; empty if there is none.
	Sequence string
	// Since makes Follow leave out older records; zero means none.
	Since time.Time
	// Done reports that all of the shard was handled and that it gets no more
	// records.
	Done bool
}

// Checkpoint keeps positions. [Memory] and [TableCheckpoint] implement it. Follow
// calls its methods from several goroutines. A checkpoint may lose a position or
// return an older one than was saved last: changes then come again. It must never
// return a position that is ahead of what was saved.
type Checkpoint interface {
	// Load returns all positions. [Follow] calls it once, at its beginning. If
	// processes share the checkpoint, Load takes it over: calls of Save by an
	// earlier caller of Load then return an error that matches [ErrTakenOver].
	Load(ctx context.Context) ([]Position, error)
	// Save replaces the position of the shard.
	Save(ctx context.Context, p Position) error
	// Remove deletes the position of a shard that DynamoDB no longer has.
	Remove(ctx context.Context, stream, shard string) error
}

var _, _ Checkpoint = (*Memory)(nil), (*TableCheckpoint)(nil)

// Memory is a checkpoint in memory, which is lost when the process ends. Several
// calls of Follow, one after another, can share it. Use NewMemory to create one.
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

// Save replaces the position of the shard.
func (m *Memory) Save(_ context.Context, p Position) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.positions[[2]string{p.Stream, p.Shard}] = p
	return nil
}

// Remove deletes the position of a shard.
func (m *Memory) Remove(_ context.Context, stream, shard string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.positions, [2]string{stream, shard})
	return nil
}
