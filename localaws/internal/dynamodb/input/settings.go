package input

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
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
