package dynamodb

import (
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
)

// throughput is a provisioned throughput and what was changed of it; zero while
// the table is on demand.
type throughput struct {
	Read, Write int64
	Increased   time.Time `json:",omitzero"`
	Decreased   time.Time `json:",omitzero"`
	Decreases   int       `json:",omitempty"` // on the day of Decreased
}

// set changes the units.
func (t *throughput) set(read, write int64, now time.Time) {
	if read > t.Read || write > t.Write {
		t.Increased = now
	}
	if read < t.Read || write < t.Write {
		t.Decreases = t.decreases(now) + 1
		t.Decreased = now
	}
	t.Read, t.Write = read, write
}

// decreases is NumberOfDecreasesToday; AWS's day is UTC's.
func (t throughput) decreases(now time.Time) int {
	if y, m, d := now.UTC().Date(); t.Decreased.UTC().Before(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) {
		return 0
	}
	return t.Decreases
}

// unchanged refuses a request that asks for what is there already.
func (t throughput) unchanged(read, write int64, ofWhat, atWhat string) error {
	if read != t.Read || write != t.Write {
		return nil
	}
	return refusal.Validationf("The provisioned throughput for the %s will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the %s: %d. Requested ReadCapacityUnits: %d. Current WriteCapacityUnits provisioned for the %s: %d. Requested WriteCapacityUnits: %d. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
		ofWhat, atWhat, t.Read, read, atWhat, t.Write, write)
}

// warmth is the throughput for which a table or index is prepared. It never
// shrinks.
type warmth struct{ Read, Write int64 }

// initialWarmth is that of everything on demand.
var initialWarmth = warmth{12_000, 4_000}

// grown is what w becomes by a throughput.
func (w warmth) grown(t throughput, onDemand bool) warmth {
	least := warmth{t.Read, t.Write}
	if onDemand {
		least = initialWarmth
	}
	return warmth{max(w.Read, least.Read), max(w.Write, least.Write)}
}

// onDemandLimit is the most that a table or index on demand may use; a nil
// member is no limit.
type onDemandLimit struct {
	Read  *int64 `wire:"MaxReadRequestUnits"`
	Write *int64 `wire:"MaxWriteRequestUnits"`
}

func (l *onDemandLimit) given() bool { return l != nil && *l != onDemandLimit{} }
