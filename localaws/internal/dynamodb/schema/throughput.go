// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
)

// Throughput is a provisioned throughput with the times of its last changes. Its
// units are zero while the table is on demand.
type Throughput struct {
	Read, Write int64
	Increased   time.Time `json:",omitzero"`
	Decreased   time.Time `json:",omitzero"`
	Decreases   int       `json:",omitempty"` // on the day of Decreased
}

// Set changes the units and notes whether that is an increase or a decrease.
func (t *Throughput) Set(read, write int64, now time.Time) {
	if read > t.Read || write > t.Write {
		t.Increased = now
	}
	if read < t.Read || write < t.Write {
		t.Decreases = t.DecreasesToday(now) + 1
		t.Decreased = now
	}
	t.Read, t.Write = read, write
}

// DecreasesToday returns the number of decreases on the day of now in UTC, as
// AWS counts them.
func (t Throughput) DecreasesToday(now time.Time) int {
	if y, m, d := now.UTC().Date(); t.Decreased.UTC().Before(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) {
		return 0
	}
	return t.Decreases
}

// Unchanged refuses a request for the units that are set already. ofWhat and
// atWhat name the table or the index in the message.
func (t Throughput) Unchanged(read, write int64, ofWhat, atWhat string) error {
	if read != t.Read || write != t.Write {
		return nil
	}
	return refusal.Validationf("The provisioned throughput for the %s will not change. "+
		"The requested value equals the current value. "+
		"Current ReadCapacityUnits provisioned for the %s: %d. Requested ReadCapacityUnits: %d. "+
		"Current WriteCapacityUnits provisioned for the %s: %d. Requested WriteCapacityUnits: %d. "+
		"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
		ofWhat, atWhat, t.Read, read, atWhat, t.Write, write)
}

// Warmth is the throughput for which a table or index is prepared. It never
// shrinks.
type Warmth struct{ Read, Write int64 }

// initialWarmth is the warmth of everything that is on demand.
var initialWarmth = Warmth{12_000, 4_000}

// Grown returns w after the table or index had the throughput t, or was on
// demand.
func (w Warmth) Grown(t Throughput, onDemand bool) Warmth {
	least := Warmth{t.Read, t.Write}
	if onDemand {
		least = initialWarmth
	}
	return Warmth{max(w.Read, least.Read), max(w.Write, least.Write)}
}

// OnDemandLimit is the most that a table or index on demand may use. A nil
// member means that there is no limit.
type OnDemandLimit struct {
	Read  *int64 `wire:"MaxReadRequestUnits"`
	Write *int64 `wire:"MaxWriteRequestUnits"`
}

// Given reports whether there is any limit.
func (l *OnDemandLimit) Given() bool { return l != nil && *l != OnDemandLimit{} }
