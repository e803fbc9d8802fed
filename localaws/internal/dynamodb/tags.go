// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// requestTags returns the condition keys of the tags of a request.
func requestTags(tags []wire.Tag) policy.Context {
	conditions := policy.Context{}
	wire.RequestTags(conditions, tags...)
	return conditions
}

func (s *Service) allowTags(ctx context.Context, c *request.Call, in *input.Tagging) error {
	at := in.Target()
	trail(c, at)
	conditions := requestTags(in.Checked())
	for _, key := range in.TagKeys {
		conditions.Add("aws:TagKeys", key)
	}
	on := s.conditionsOf(conditions, at)
	return s.allowUnder(ctx, c, c.Operation, at.ARN, at.Account, conditions, on)
}

// tagged finds the table of an authorized request.
func (s *Service) tagged(in *input.Tagging) (*table.Table, error) {
	return s.existing(in.Target(), func(string) error { return refusal.NoResource(*in.ResourceArn) })
}

func (s *Service) tagResource(_ context.Context, _ *request.Call, in *input.Tagging) ([]byte, error) {
	t, err := s.tagged(in)
	if err != nil {
		return nil, err
	}
	err = t.Edit(func(d *schema.Definition) (err error) {
		d.Tags, err = in.Add(d.Tags)
		return err
	})
	return []byte{}, err
}

func (s *Service) untagResource(_ context.Context, _ *request.Call, in *input.Tagging) ([]byte, error) {
	t, err := s.tagged(in)
	if err != nil {
		return nil, err
	}
	err = t.Edit(func(d *schema.Definition) error {
		d.Tags = in.Remove(d.Tags)
		return nil
	})
	return []byte{}, err
}

func (s *Service) listTagsOfResource(_ context.Context, _ *request.Call, in *input.Tagging) ([]byte, error) {
	t, err := s.tagged(in)
	if err != nil {
		return nil, err
	}
	if in.NextToken != nil {
		return nil, refusal.Validation("Invalid NextToken: no answer gave one")
	}
	tags := slices.Clone(t.Definition().Tags)
	slices.SortFunc(tags, func(a, b wire.Tag) int { return strings.Compare(a.Key, b.Key) })
	// A table has at most 50 tags, so there is one page only.
	list := []jsonObject{}
	for _, x := range tags {
		list = append(list, jsonObject{"Key": x.Key, "Value": x.Value})
	}
	return json.Marshal(jsonObject{"Tags": list})
}
