package dynamodb

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// tagsInput is a TagResource, UntagResource or ListTagsOfResource request.
type tagsInput struct {
	arn     *string
	tags    []tag
	tagsSet bool
	keys    []string
	next    *string
}

func (in *tagsInput) field(d *decoder, name string) error {
	switch name {
	case "ResourceArn":
		return d.text(&in.arn)
	case "Tags":
		in.tagsSet = true
		return d.tags(&in.tags)
	case "TagKeys":
		return d.texts(&in.keys)
	case "NextToken":
		return d.text(&in.next)
	}
	return d.Skip()
}

// onTags decodes such a request, authorizes it and finds the table.
func (s *Service) onTags(ctx context.Context, c *call.Call, in *tagsInput) (*table, error) {
	err := decodeRequest(c, in.field, func(k *constraints) {
		k.required(in.arn == nil, "resourceArn")
		k.length(in.arn, "resourceArn", 1, 1283)
		k.required(c.Operation == "TagResource" && !in.tagsSet, "tags")
		k.required(c.Operation == "UntagResource" && in.keys == nil, "tagKeys")
	})
	if err != nil {
		return nil, err
	}
	if !arnRule.MatchString(*in.arn) {
		return nil, errValidation("Invalid TableArn: Invalid ResourceArn provided as input " + *in.arn)
	}
	at, err := locate(c, *in.arn)
	if err != nil {
		return nil, err
	}
	trail(c, at)
	conditions := requestTags(in.tags)
	for _, key := range in.keys {
		conditions.Add("aws:TagKeys", key)
	}
	s.tagConditions(conditions, at)
	if err := s.allow(ctx, c, c.Operation, at.arn, at.account, conditions); err != nil {
		return nil, err
	}
	t := s.lookup(at)
	if t == nil {
		return nil, errNoResource(*in.arn)
	}
	return t, nil
}

// edit changes the table's record under its lock.
func (t *table) edit(change func(*definition) error) error {
	return t.writing(func(tx *storage.Tx) error {
		if t.deleted {
			return errNoTableNamed(t.def.Name)
		}
		if err := change(t.def); err != nil {
			return err
		}
		t.save(tx)
		return nil
	})
}

func (s *Service) tagResource(ctx context.Context, c *call.Call) ([]byte, error) {
	in := new(tagsInput)
	t, err := s.onTags(ctx, c, in)
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.tags); err != nil {
		return nil, err
	}
	err = t.edit(func(d *definition) error {
		tags := slices.DeleteFunc(slices.Clone(d.Tags), func(old tag) bool {
			return slices.ContainsFunc(in.tags, func(n tag) bool { return n.Key == old.Key })
		})
		tags = append(tags, in.tags...)
		if err := checkTags(tags); err != nil {
			return err
		}
		d.Tags = tags
		return nil
	})
	return []byte{}, err
}

func (s *Service) untagResource(ctx context.Context, c *call.Call) ([]byte, error) {
	in := new(tagsInput)
	t, err := s.onTags(ctx, c, in)
	if err != nil {
		return nil, err
	}
	err = t.edit(func(d *definition) error {
		d.Tags = slices.DeleteFunc(slices.Clone(d.Tags), func(old tag) bool { return slices.Contains(in.keys, old.Key) })
		return nil
	})
	return []byte{}, err
}

func (s *Service) listTagsOfResource(ctx context.Context, c *call.Call) ([]byte, error) {
	in := new(tagsInput)
	t, err := s.onTags(ctx, c, in)
	if err != nil {
		return nil, err
	}
	if in.next != nil {
		return nil, errValidation("Invalid NextToken: no answer gave one")
	}
	t.mu.RLock()
	tags := slices.Clone(t.def.Tags)
	t.mu.RUnlock()
	slices.SortFunc(tags, func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
	// A table has at most 50 tags, so there is one page only.
	list := []jsonObject{}
	for _, x := range tags {
		list = append(list, jsonObject{"Key": x.Key, "Value": x.Value})
	}
	return json.Marshal(jsonObject{"Tags": list})
}
