package dynamodb

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
)

// Point-in-time recovery is a flag here: nothing can be restored.

type continuousBackupsInput struct {
	tableInput
	given   bool
	enabled *bool
	days    *int64
}

func (in *continuousBackupsInput) field(d *decoder, name string) error {
	if name != "PointInTimeRecoverySpecification" {
		return in.tableInput.field(d, name)
	}
	if null, err := d.null(); null || err != nil {
		return err
	}
	in.given = true
	return d.object(func(name string) error {
		switch name {
		case "PointInTimeRecoveryEnabled":
			return d.boolean(&in.enabled)
		case "RecoveryPeriodInDays":
			return d.integer(&in.days)
		}
		return d.Skip()
	})
}

func (in *continuousBackupsInput) check(c *constraints) {
	in.tableInput.check(c)
	if c.required(!in.given, "pointInTimeRecoverySpecification") {
		c.required(in.enabled == nil, "pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled")
		c.between(in.days, "pointInTimeRecoverySpecification.recoveryPeriodInDays", 1, maxRecoveryDays)
	}
}

const maxRecoveryDays = 35

func (s *Service) updateContinuousBackups(ctx context.Context, c *call.Call) ([]byte, error) {
	in := new(continuousBackupsInput)
	if err := decodeRequest(c, in.field, in.check); err != nil {
		return nil, err
	}
	if !*in.enabled && in.days != nil {
		return nil, errValidation("Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.")
	}
	at, err := locate(c, *in.name)
	if err != nil {
		return nil, err
	}
	trail(c, at)
	if err := s.allowTable(ctx, c, "UpdateContinuousBackups", at); err != nil {
		return nil, err
	}
	t := s.lookup(at)
	if t == nil {
		return nil, errNoBackupsTable(at.name)
	}
	now := s.cfg.Clock()
	var out jsonObject
	err = t.edit(func(d *definition) error {
		if *in.enabled && !d.PITR {
			d.PITRSince = now
		}
		d.PITR, d.PITRDays = *in.enabled, maxRecoveryDays
		if in.days != nil {
			d.PITRDays = *in.days
		}
		out = d.continuousBackups(now)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

func errNoBackupsTable(name string) error {
	return call.Errorf("TableNotFoundException", "Table not found: %s", name)
}

func (s *Service) describeContinuousBackups(ctx context.Context, c *call.Call) ([]byte, error) {
	t, err := s.onTable(ctx, c, errNoBackupsTable)
	if err != nil {
		return nil, err
	}
	t.mu.RLock()
	out := t.def.continuousBackups(s.cfg.Clock())
	t.mu.RUnlock()
	return json.Marshal(out)
}

func (d *definition) continuousBackups(now time.Time) jsonObject {
	recovery := jsonObject{"PointInTimeRecoveryStatus": "DISABLED"}
	if d.PITR {
		earliest := now.Add(-time.Duration(d.PITRDays) * 24 * time.Hour)
		if earliest.Before(d.PITRSince) {
			earliest = d.PITRSince
		}
		recovery = jsonObject{"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": d.PITRDays,
			"EarliestRestorableDateTime": epoch(earliest), "LatestRestorableDateTime": epoch(now)}
	}
	return jsonObject{"ContinuousBackupsDescription": jsonObject{"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": recovery}}
}
