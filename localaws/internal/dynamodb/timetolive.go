// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// timeToLivePause is how long AWS refuses another change of the setting.
const timeToLivePause = time.Hour

func (s *Service) updateTimeToLive(ctx context.Context, c *request.Call, in *input.TimeToLive) ([]byte, error) {
	t, err := s.existing(in.Target(), refusal.NoTableNamed)
	if err != nil {
		return nil, err
	}
	wanted := in.TimeToLiveSpecification
	// What expires is written in the items, so the caller must be able to use the key.
	if err := s.custodian.OpenAsCaller(ctx, c, t.Definition(), t); err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	const elsewhere = "TimeToLive is active on a different AttributeName: current AttributeName is %s"
	err = t.Edit(func(d *schema.Definition) error {
		switch {
		case *wanted.Enabled && d.TTLAttribute == *wanted.AttributeName:
			return refusal.Validation("TimeToLive is already enabled")
		case *wanted.Enabled && d.TTLAttribute != "":
			return refusal.Validationf(elsewhere, d.TTLAttribute)
		case !*wanted.Enabled && d.TTLAttribute == "":
			return refusal.Validation("TimeToLive is already disabled")
		case !*wanted.Enabled && d.TTLAttribute != *wanted.AttributeName:
			return refusal.Validationf(elsewhere, d.TTLAttribute)
		case !d.TTLChanged.IsZero() && now.Before(d.TTLChanged.Add(timeToLivePause)):
			return refusal.Validation("Time to live has been modified multiple times within a fixed interval")
		}
		d.TTLChanged, d.TTLAttribute = now, ""
		if *wanted.Enabled {
			d.TTLAttribute = *wanted.AttributeName
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(jsonObject{"TimeToLiveSpecification": jsonObject{"Enabled": *wanted.Enabled,
		"AttributeName": *wanted.AttributeName}})
}

func (s *Service) describeTimeToLive(_ context.Context, _ *request.Call, in *input.Table) ([]byte, error) {
	t, err := s.existing(in.Target(), refusal.NoTableNamed)
	if err != nil {
		return nil, err
	}
	def := t.Definition()
	if def.Status(s.cfg.Clock()) == "CREATING" {
		return nil, refusal.Validation("Cannot describe time to live while table is in CREATING state: Current " +
			"table state is CREATING")
	}
	out := jsonObject{"TimeToLiveStatus": "DISABLED"}
	if def.TTLAttribute != "" {
		out = jsonObject{"TimeToLiveStatus": "ENABLED", "AttributeName": def.TTLAttribute}
	}
	return json.Marshal(jsonObject{"TimeToLiveDescription": out})
}
