// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/resourcepolicy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/stream"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// policyPause is how long AWS refuses another change of a table's policy.
const policyPause = 15 * time.Second

// policed is a prepared request about a policy.
type policed interface {
	Target() schema.Target
	OnStream() bool
}

// allowPolicy is allowNamed for a request that may name a stream.
func allowPolicy[In any, P interface {
	*In
	policed
}](s *Service, ctx context.Context, c *request.Call, in *In) error {
	at := P(in).Target()
	if !P(in).OnStream() {
		trail(c, at)
		return s.allowTable(ctx, c, c.Operation, at)
	}
	trailStream(c, at)
	var on *resourcepolicy.Policy
	if found := s.streams.Find(at.ARN); found != nil {
		on = found.Table().Policy
	}
	return s.allowUnder(ctx, c, c.Operation, at.ARN, at.Account, policy.Context{}, on)
}

// policyHolder is a table or stream that exists, with the policy that it has.
type policyHolder struct {
	def  *schema.Definition
	tags []wire.Tag
	edit func(change func(*schema.Definition) error) error
}

// holder finds what an authorized request names.
func (s *Service) holder(in policed) (policyHolder, error) {
	at := in.Target()
	if !in.OnStream() {
		t, err := s.existing(at, refusal.NoTableNamed)
		if err != nil {
			return policyHolder{}, err
		}
		return policyHolder{t.Definition(), t.Definition().Tags, t.Edit}, nil
	}
	found := s.streams.Find(at.ARN)
	if found == nil {
		return policyHolder{}, stream.NotFound(at.ARN)
	}
	return policyHolder{found.Table(), nil, func(change func(*schema.Definition) error) error {
		edit := found.Edit
		if t := s.lookup(at).Table; t != nil {
			edit = func(change func(*schema.Definition) error) (storage.Pending, error) {
				return t.EditStream(found, change)
			}
		}
		pending, err := edit(change)
		if err != nil {
			return err
		}
		return table.Wait(pending)
	}}, nil
}

// allowDeletePolicy does not ask the policy that is to be deleted about the root
// user of the table's account: no policy can keep that user out for good.
func (s *Service) allowDeletePolicy(ctx context.Context, c *request.Call, in *input.RevisedPolicy) error {
	at, who := in.Target(), &c.Caller.Principal
	if who.Type != policy.Root || who.AccountID != at.Account {
		return allowPolicy(s, ctx, c, in)
	}
	conditions := policy.Context{}
	if in.OnStream() {
		trailStream(c, at)
	} else {
		trail(c, at)
		s.conditionsOf(conditions, at)
	}
	return s.allow(ctx, c, c.Operation, at.ARN, at.Account, conditions)
}

// keepsControl refuses a policy under which the caller could not put the next one.
func (s *Service) keepsControl(ctx context.Context, c *request.Call, at schema.Target, tags []wire.Tag,
	p *resourcepolicy.Policy) error {
	conditions := policy.Context{}
	wire.ResourceTags(conditions, tags...)
	if s.allowUnder(ctx, c, "PutResourcePolicy", at.ARN, at.Account, conditions, p) != nil {
		return refusal.AccessDenied("The new resource policy will not allow you to update the resource policy in " +
			"the future.")
	}
	return nil
}

func (s *Service) putResourcePolicy(ctx context.Context, c *request.Call, in *input.PutResourcePolicy) (
	[]byte, error) {
	on, err := s.holder(in)
	if err != nil {
		return nil, err
	}
	p, err := in.Read(s.cfg.Principals)
	if err != nil {
		return nil, err
	}
	if !in.Confirmed() {
		if err := s.keepsControl(ctx, c, in.Target(), on.tags, p); err != nil {
			return nil, err
		}
	}
	var revision string
	err = on.edit(func(d *schema.Definition) error {
		if err := in.Expect(d); err != nil {
			return err
		}
		if d.Policy.Same(p) {
			revision = d.Policy.Revision
			return nil
		}
		revision, err = s.changePolicy(d, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(jsonObject{"RevisionId": revision})
}

// changePolicy gives d the policy p, which may be nil, and returns the new
// revision.
func (s *Service) changePolicy(d *schema.Definition, p *resourcepolicy.Policy) (string, error) {
	now := s.cfg.Clock()
	if d.Status(now) == "CREATING" {
		return "", d.Busy(now)
	}
	if delay := s.cfg.Faults.Activation; delay > 0 && !d.PolicyChanged.IsZero() {
		switch until := d.PolicyChanged.Add(policyPause); {
		case now.Before(d.PolicyChanged.Add(min(delay, policyPause))):
			return "", refusal.InUse("Attempt to change a resource which is still in use: Table: %s is pending "+
				"previous resource-based policy update", d.Name)
		case now.Before(until):
			return "", request.Errorf("ThrottlingException", "Resource-based policy for table %s modified within "+
				"the previous %d milliseconds. Please try again after %s.", d.Name, policyPause.Milliseconds(),
				until.UTC().Format("2006-01-02T15:04:05.000Z"))
		}
	}
	return setPolicy(d, p, now), nil
}

// setPolicy puts p into d under a new revision: the time in milliseconds, which
// grows from change to change.
func setPolicy(d *schema.Definition, p *resourcepolicy.Policy, now time.Time) string {
	at := now.Truncate(time.Millisecond)
	if !at.After(d.PolicyChanged) {
		at = d.PolicyChanged.Add(time.Millisecond)
	}
	d.Policy, d.PolicyChanged = nil, at
	revision := strconv.FormatInt(at.UnixMilli(), 10)
	if p != nil {
		d.Policy = p.WithRevision(revision)
	}
	return revision
}

func (s *Service) getResourcePolicy(_ context.Context, _ *request.Call, in *input.ResourcePolicy) ([]byte, error) {
	on, err := s.holder(in)
	if err != nil {
		return nil, err
	}
	p := on.def.Policy
	if p == nil {
		return nil, refusal.NoPolicy(*in.ResourceArn, "")
	}
	return json.Marshal(jsonObject{"Policy": p.Show(s.cfg.Principals), "RevisionId": p.Revision})
}

// deleteResourcePolicy answers the revision of the policy that it deletes, and
// nothing for a table without a policy.
func (s *Service) deleteResourcePolicy(_ context.Context, _ *request.Call, in *input.RevisedPolicy) ([]byte, error) {
	on, err := s.holder(in)
	if err != nil {
		return nil, err
	}
	out := jsonObject{}
	err = on.edit(func(d *schema.Definition) error {
		if err := in.Expect(d); err != nil || d.Policy == nil {
			return err
		}
		out["RevisionId"] = d.Policy.Revision
		_, err := s.changePolicy(d, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}
