// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// lastUse is the last successful cryptographic operation with a key. It is kept
// in memory only. Related multi-Region keys have one each.
type lastUse struct {
	mu        sync.Mutex
	time      time.Time // zero: none
	operation string
	requestID string
}

// note keeps c as the last use. Of calls at the same time it keeps one and does
// not wait for it.
func (l *lastUse) note(c *request.Call, operation string) {
	if l.mu.TryLock() {
		l.time, l.operation, l.requestID = c.Time, operation, c.ID
		l.mu.Unlock()
	}
}

type lastUsage struct {
	RequestID string `json:"KmsRequestId,omitempty"`
	Operation string `json:",omitempty"`
	Timestamp *Epoch `json:",omitempty"`
}

// getKeyLastUsage tells of the uses since the service was started, and of no
// event: an event is filed after its operation.
func (s *Service) getKeyLastUsage(_ context.Context, c *request.Call, in *onKey) (any, error) {
	t := in.found
	trail(c, t.key, keyParameters{text(in.KeyID)})
	since := Epoch(s.started)
	if t.created.After(s.started) {
		since = Epoch(t.created)
	}
	out := struct {
		KeyID             string `json:"KeyId"`
		KeyCreationDate   Epoch
		TrackingStartDate Epoch
		KeyLastUsage      lastUsage
	}{KeyID: t.id, KeyCreationDate: Epoch(t.created), TrackingStartDate: since}
	l := t.lastUse
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.time.IsZero() {
		at := Epoch(l.time)
		out.KeyLastUsage = lastUsage{l.requestID, l.operation, &at}
	}
	return out, nil
}
