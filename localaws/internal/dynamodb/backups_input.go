package dynamodb

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Point-in-time recovery is a flag here: nothing can be restored.

type continuousBackupsInput struct {
	tableInput
	PointInTimeRecoverySpecification *struct {
		PointInTimeRecoveryEnabled *bool
		RecoveryPeriodInDays       *int64
	}
}

func (in *continuousBackupsInput) Check(c *wire.Checks) {
	in.tableInput.Check(c)
	if p := in.PointInTimeRecoverySpecification; c.Required(p == nil, "pointInTimeRecoverySpecification") {
		c.Required(p.PointInTimeRecoveryEnabled == nil, "pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled")
		c.Between(p.RecoveryPeriodInDays, "pointInTimeRecoverySpecification.recoveryPeriodInDays", 1, maxRecoveryDays)
	}
}

// Days returns how many days back the table can be restored.
func (in *continuousBackupsInput) Days() int64 {
	if days := in.PointInTimeRecoverySpecification.RecoveryPeriodInDays; days != nil {
		return *days
	}
	return maxRecoveryDays
}

// Prepare checks the members together.
func (in *continuousBackupsInput) Prepare(c *request.Call) error {
	if p := in.PointInTimeRecoverySpecification; !*p.PointInTimeRecoveryEnabled && p.RecoveryPeriodInDays != nil {
		return refusal.Validation("Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.")
	}
	return in.tableInput.Prepare(c)
}

const maxRecoveryDays = 35
