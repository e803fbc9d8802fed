// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// BeaconKey is the root of a branch key's beacons: searchable encryption derives
// a key for each beacon from it. It is never rotated. The holder owns it and
// wipes it after use. It prints as a constant and refuses to be marshaled.
type BeaconKey struct {
	ID     string // the branch key's identifier
	secret [32]byte
}

// NewBeaconKey copies the 32-byte key.
func NewBeaconKey(id string, key [32]byte) *BeaconKey { return &BeaconKey{ID: id, secret: key} }

// Key gives access to the key itself; valid until Wipe.
func (b *BeaconKey) Key() []byte { return b.secret[:] }

// Clone returns a copy that is wiped independently.
func (b *BeaconKey) Clone() *BeaconKey { return NewBeaconKey(b.ID, b.secret) }

// Wipe overwrites the key.
func (b *BeaconKey) Wipe() { clear(b.secret[:]) }

// BeaconKeySource gives searchable encryption its beacon keys: a key store, or
// keys held in memory. Each call returns a copy that the caller wipes.
// Implementations must be safe for concurrent use.
type BeaconKeySource interface {
	// BeaconKey returns the beacon key of a branch key.
	BeaconKey(ctx context.Context, branchKeyID string) (*BeaconKey, error)
}

const redactedBeaconKey = "[beacon key]"

// Format prints a constant: a beacon key never shows in a log.
func (BeaconKey) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redactedBeaconKey) }

// LogValue hides the key from structured logs.
func (BeaconKey) LogValue() slog.Value { return slog.StringValue(redactedBeaconKey) }

// MarshalJSON always fails.
func (BeaconKey) MarshalJSON() ([]byte, error) { return nil, errNotMarshalled }

// MarshalText always fails.
func (BeaconKey) MarshalText() ([]byte, error) { return nil, errNotMarshalled }

// GobEncode always fails.
func (BeaconKey) GobEncode() ([]byte, error) { return nil, errNotMarshalled }
