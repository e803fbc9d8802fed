package dynamodb

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

func (s *Service) updateContinuousBackups(_ context.Context, _ *request.Call, in *input.ContinuousBackups) (
	[]byte, error) {
	t, err := s.existing(in.Target(), errNoBackupsTable)
	if err != nil {
		return nil, err
	}
	wanted := in.PointInTimeRecoverySpecification
	now := s.cfg.Clock()
	var out jsonObject
	err = t.Edit(func(d *schema.Definition) error {
		if *wanted.PointInTimeRecoveryEnabled && !d.PITR {
			d.PITRSince = now
		}
		d.PITR, d.PITRDays = *wanted.PointInTimeRecoveryEnabled, in.Days()
		out = describeBackups(d, now)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

func errNoBackupsTable(name string) error {
	return request.Errorf("TableNotFoundException", "Table not found: %s", name)
}

func (s *Service) describeContinuousBackups(_ context.Context, _ *request.Call, in *input.Table) ([]byte, error) {
	t, err := s.existing(in.Target(), errNoBackupsTable)
	if err != nil {
		return nil, err
	}
	return json.Marshal(describeBackups(t.Definition(), s.cfg.Clock()))
}

func describeBackups(d *schema.Definition, now time.Time) jsonObject {
	recovery := jsonObject{"PointInTimeRecoveryStatus": "DISABLED"}
	if d.PITR {
		earliest := now.Add(-time.Duration(d.PITRDays) * 24 * time.Hour)
		if earliest.Before(d.PITRSince) {
			earliest = d.PITRSince
		}
		recovery = jsonObject{"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": d.PITRDays,
			"EarliestRestorableDateTime": epoch(earliest), "LatestRestorableDateTime": epoch(now)}
	}
	return jsonObject{"ContinuousBackupsDescription": jsonObject{"ContinuousBackupsStatus": "ENABLED",
		"PointInTimeRecoveryDescription": recovery}}
}
