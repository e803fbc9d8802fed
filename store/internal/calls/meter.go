// SPDX-License-Identifier: Apache-2.0

package calls

import (
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Meter adds up capacity units. The zero Meter is ready for use, and a nil one
// counts nothing. It is safe for concurrent use.
type Meter struct {
	mu            sync.Mutex
	reads, writes float64
}

// Units returns the sums.
func (m *Meter) Units() (reads, writes float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reads, m.writes
}

func (m *Meter) read(consumed ...types.ConsumedCapacity) {
	if m != nil {
		m.add(sum(consumed), 0)
	}
}

func (m *Meter) write(consumed ...types.ConsumedCapacity) {
	if m != nil {
		m.add(0, sum(consumed))
	}
}

func (m *Meter) add(reads, writes float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads += reads
	m.writes += writes
}

func sum(consumed []types.ConsumedCapacity) (units float64) {
	for _, c := range consumed {
		units += aws.ToFloat64(c.CapacityUnits)
	}
	return units
}

// one makes a list of what an answer for one table says.
func one(c *types.ConsumedCapacity) []types.ConsumedCapacity {
	if c == nil {
		return nil
	}
	return []types.ConsumedCapacity{*c}
}
