package dynamodb

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
)

type timeToLiveInput struct {
	tableInput
	given     bool
	enabled   *bool
	attribute *string
}

func (in *timeToLiveInput) field(d *decoder, name string) error {
	if name != "TimeToLiveSpecification" {
		return in.tableInput.field(d, name)
	}
	if null, err := d.null(); null || err != nil {
		return err
	}
	in.given = true
	return d.object(func(name string) error {
		switch name {
		case "Enabled":
			return d.boolean(&in.enabled)
		case "AttributeName":
			return d.text(&in.attribute)
		}
		return d.Skip()
	})
}

func (in *timeToLiveInput) check(c *constraints) {
	in.tableInput.check(c)
	if c.required(!in.given, "timeToLiveSpecification") {
		c.required(in.enabled == nil, "timeToLiveSpecification.enabled")
		if c.required(in.attribute == nil, "timeToLiveSpecification.attributeName") {
			c.length(in.attribute, "timeToLiveSpecification.attributeName", 1, 255)
		}
	}
}

// timeToLivePause is how long AWS refuses another change of the setting.
const timeToLivePause = time.Hour

func (s *Service) updateTimeToLive(ctx context.Context, c *call.Call) ([]byte, error) {
	in := new(timeToLiveInput)
	if err := decodeRequest(c, in.field, in.check); err != nil {
		return nil, err
	}
	at, err := locate(c, *in.name)
	if err != nil {
		return nil, err
	}
	trail(c, at)
	if err := s.allowTable(ctx, c, "UpdateTimeToLive", at); err != nil {
		return nil, err
	}
	t := s.lookup(at)
	if t == nil {
		return nil, errNoTableNamed(at.name)
	}
	// What expires is written in the items, so the key must be usable.
	if err := s.openOwn(ctx, c, t); err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	err = t.edit(func(d *definition) error {
		switch {
		case *in.enabled && d.TTLAttribute == *in.attribute:
			return errValidation("TimeToLive is already enabled")
		case *in.enabled && d.TTLAttribute != "":
			return errValidationf("TimeToLive is active on a different AttributeName: current AttributeName is %s", d.TTLAttribute)
		case !*in.enabled && d.TTLAttribute == "":
			return errValidation("TimeToLive is already disabled")
		case !*in.enabled && d.TTLAttribute != *in.attribute:
			return errValidationf("TimeToLive is active on a different AttributeName: current AttributeName is %s", d.TTLAttribute)
		case !d.TTLChanged.IsZero() && now.Before(d.TTLChanged.Add(timeToLivePause)):
			return errValidation("Time to live has been modified multiple times within a fixed interval")
		}
		d.TTLChanged, d.TTLAttribute = now, ""
		if *in.enabled {
			d.TTLAttribute = *in.attribute
		}
		t.expiry = expiryQueue{}
		t.items.Scan(func(_ string, e *entry) bool {
			t.expiry.add(d.TTLAttribute, e)
			return true
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(jsonObject{"TimeToLiveSpecification": jsonObject{"Enabled": *in.enabled, "AttributeName": *in.attribute}})
}

func (s *Service) describeTimeToLive(ctx context.Context, c *call.Call) ([]byte, error) {
	t, err := s.onTable(ctx, c, errNoTableNamed)
	if err != nil {
		return nil, err
	}
	t.mu.RLock()
	attribute, status := t.def.TTLAttribute, t.status(s.cfg.Clock())
	t.mu.RUnlock()
	if status == "CREATING" {
		return nil, errValidation("Cannot describe time to live while table is in CREATING state: Current table state is CREATING")
	}
	out := jsonObject{"TimeToLiveStatus": "DISABLED"}
	if attribute != "" {
		out = jsonObject{"TimeToLiveStatus": "ENABLED", "AttributeName": attribute}
	}
	return json.Marshal(jsonObject{"TimeToLiveDescription": out})
}
