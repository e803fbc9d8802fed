// SPDX-License-Identifier: Apache-2.0

package input

import (
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// TimeToLive is an UpdateTimeToLive request.
type TimeToLive struct {
	Table
	TimeToLiveSpecification *struct {
		Enabled       *bool
		AttributeName *string
	}
}

// Check implements [wire.Checker].
func (in *TimeToLive) Check(c *wire.Checks) {
	in.Table.Check(c)
	if t := in.TimeToLiveSpecification; c.Required(t == nil, "timeToLiveSpecification") {
		c.Required(t.Enabled == nil, "timeToLiveSpecification.enabled")
		if c.Required(t.AttributeName == nil, "timeToLiveSpecification.attributeName") {
			c.Length(t.AttributeName, "timeToLiveSpecification.attributeName", 1, 255)
		}
	}
}

// maxRecoveryDays is the longest recovery period, and the default.
const maxRecoveryDays = 35

// ContinuousBackups is an UpdateContinuousBackups request. Point-in-time recovery
// is a flag here: nothing can be restored.
type ContinuousBackups struct {
	Table
	PointInTimeRecoverySpecification *struct {
		PointInTimeRecoveryEnabled *bool
		RecoveryPeriodInDays       *int64
	}
}

// Check implements [wire.Checker].
func (in *ContinuousBackups) Check(c *wire.Checks) {
	in.Table.Check(c)
	if p := in.PointInTimeRecoverySpecification; c.Required(p == nil, "pointInTimeRecoverySpecification") {
		c.Required(p.PointInTimeRecoveryEnabled == nil, "pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled")
		c.Between(p.RecoveryPeriodInDays, "pointInTimeRecoverySpecification.recoveryPeriodInDays", 1, maxRecoveryDays)
	}
}

// Days returns how many days back the table can be restored.
func (in *ContinuousBackups) Days() int64 {
	if days := in.PointInTimeRecoverySpecification.RecoveryPeriodInDays; days != nil {
		return *days
	}
	return maxRecoveryDays
}

// Prepare checks the members together.
func (in *ContinuousBackups) Prepare(c *request.Call) error {
	if p := in.PointInTimeRecoverySpecification; !*p.PointInTimeRecoveryEnabled && p.RecoveryPeriodInDays != nil {
		return refusal.Validation("Invalid Request: Cannot specify RecoveryPeriodInDays when disabling " +
			"point-in-time recovery.")
	}
	return in.Table.Prepare(c)
}

// streamSpecification is the StreamSpecification of CreateTable and UpdateTable.
type streamSpecification struct {
	StreamEnabled  *bool
	StreamViewType *string
}

func checkStream(c *wire.Checks, s *streamSpecification) {
	if s != nil {
		c.Required(s.StreamEnabled == nil, "streamSpecification.streamEnabled")
		c.Enum(s.StreamViewType, "streamSpecification.streamViewType", schema.OldImage, schema.KeysOnly,
			schema.NewAndOldImages, schema.NewImage)
	}
}

// stream returns the stream that a new table begins with, or nil. The table labels
// it.
func (s *streamSpecification) stream() *schema.Stream {
	if s == nil || !*s.StreamEnabled {
		return nil
	}
	return &schema.Stream{View: *s.StreamViewType, Enabled: true}
}

// check refuses an update whose members do not fit together.
func (s *streamSpecification) check() error {
	switch {
	case s == nil:
	case *s.StreamEnabled && s.StreamViewType == nil:
		return refusal.Validation("If stream is being enabled then UpdateViewType is required")
	case !*s.StreamEnabled && s.StreamViewType != nil:
		return refusal.Validation("If stream is being disabled, then UpdateViewType must not be specified")
	}
	return nil
}

// apply enables or disables the stream of a table. The stream is ENABLING or
// DISABLING for delay.
func (s *streamSpecification) apply(next *schema.Definition, now time.Time, delay time.Duration) error {
	if s == nil {
		return nil
	}
	switch {
	case *s.StreamEnabled && next.Streams():
		return refusal.Validation("Table already has an enabled stream: TableName: " + next.Name)
	case !*s.StreamEnabled && !next.Streams():
		return refusal.Validation("Table has no stream to disable: TableName: " + next.Name)
	}
	stream := s.stream()
	if stream == nil {
		ended := *next.Stream
		ended.Enabled = false
		stream = &ended
	}
	stream.Settles = time.Time{}
	if delay > 0 {
		stream.Settles = now.Add(delay)
	}
	next.Stream = stream
	return nil
}
