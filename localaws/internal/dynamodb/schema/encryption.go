// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// KeyMode says under whose key a table is encrypted. The zero KeyMode is invalid.
type KeyMode uint8

// The modes. A stored definition holds their numbers.
const (
	KeyOwned    KeyMode = iota + 1 // AWS owned: no KMS call
	KeyManaged                     // alias/aws/dynamodb
	KeyCustomer                    // customer managed
)

// Encryption is how one table's key is kept.
type Encryption struct {
	Mode   KeyMode
	KeyARN string `json:",omitempty"`
	Grant  string `json:",omitempty"`
	// TableKey is wrapped by KMS; under keyOwned it is the key itself, and the
	// store seals the record that holds it.
	TableKey []byte
	// Generation counts table keys.
	Generation int
	// Changes are the times of mode changes in the window of 24 hours that the
	// first of them began.
	Changes []time.Time `json:",omitempty"`
	// Before is the KMS key that the description names until Settles.
	Before  string    `json:",omitempty"`
	Settles time.Time `json:",omitzero"`
}

// Wish is what an SSESpecification asks for.
type Wish struct {
	Mode  KeyMode
	KeyID string // under KeyCustomer: a key id, key ARN, alias name or alias ARN
}

// String keeps the table key out of messages.
func (e Encryption) String() string { return "encryption under " + e.KeyARN }

// GoString does the same for %#v.
func (e Encryption) GoString() string { return e.String() }

const (
	maxModeChanges   = 4
	modeChangeWindow = 24 * time.Hour
	// modeChangePause is between further changes in a window that has seen
	// maxModeChanges.
	modeChangePause = 6 * time.Hour
)

// MayChange returns the changes of the window that now is in, or the
// LimitExceededException that AWS answers to another change.
func (e Encryption) MayChange(now time.Time) ([]time.Time, error) {
	n := len(e.Changes)
	if n == 0 {
		return nil, nil
	}
	last, end := e.Changes[n-1], e.Changes[0].Add(modeChangeWindow)
	next := last.Add(modeChangePause)
	if next.After(end) {
		next = end
	}
	switch {
	case !now.Before(end):
		return nil, nil
	case n >= maxModeChanges && now.Before(next):
		stamp := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
		return nil, request.Errorf("LimitExceededException", "Subscriber limit exceeded: "+
			"Encryption mode changes are limited in the 24h window ending at %s. "+
			"After the first %d change, each subsequent change in the same window "+
			"can be performed at most once every %d seconds. Number of updates today: %d. Last change at %s. "+
			"Next changes can be made at %s.",
			stamp(end), maxModeChanges, int(modeChangePause.Seconds()), n, stamp(last), stamp(next))
	}
	return e.Changes, nil
}
