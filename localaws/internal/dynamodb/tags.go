package dynamodb

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
	"github.com/ddbseal/ddbseal/localaws/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

type tagInput struct{ key, value *string }

func (d *decoder) tags(dst *[]tagInput) error {
	return d.array(func() error {
		var t tagInput
		err := d.object(func(name string) error {
			switch name {
			case "Key":
				return d.text(&t.key)
			case "Value":
				return d.text(&t.value)
			}
			return d.Skip()
		})
		*dst = append(*dst, t)
		return err
	})
}

const maxTags = 50

var tagRule = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]*$`)

func errTooManyTags() error {
	return errValidation("Number of Tags exceed the current limit for the provided ResourceArn")
}

func checkTagKey(key *string) error {
	switch {
	case key == nil:
		return errValidation("The Tag Key provided is invalid, Key: null")
	case *key == "" || utf8.RuneCountInString(*key) > 128 || !tagRule.MatchString(*key):
		return errValidation("The Tag Key provided is invalid, Key: " + *key)
	case strings.HasPrefix(strings.ToLower(*key), "aws:"):
		return errValidation("Tag Key cannot be prefixed with aws:, Key: " + *key)
	}
	return nil
}

// tagsOf checks the tags of a request.
func tagsOf(list []tagInput) ([]tag, error) {
	if len(list) > maxTags {
		return nil, errTooManyTags()
	}
	var out []tag
	for _, t := range list {
		if err := checkTagKey(t.key); err != nil {
			return nil, err
		}
		switch {
		case t.value == nil:
			return nil, errValidation("The Tag Value provided is invalid, Value: null")
		case utf8.RuneCountInString(*t.value) > 256 || !tagRule.MatchString(*t.value):
			return nil, errValidation("The Tag Value provided is invalid, Value: " + *t.value)
		case slices.ContainsFunc(out, func(o tag) bool { return o.Key == *t.key }):
			return nil, errValidation("Duplicate Tag Keys provided as input: Duplicate Tag Key found " + *t.key)
		}
		out = append(out, tag{*t.key, *t.value})
	}
	return out, nil
}

func requestTags(tags []tag) policy.Context {
	conditions := policy.Context{}
	for _, t := range tags {
		conditions.Set("aws:RequestTag/"+t.Key, t.Value)
		conditions.Add("aws:TagKeys", t.Key)
	}
	return conditions
}

// tagsInput is a TagResource, UntagResource or ListTagsOfResource request.
type tagsInput struct {
	arn     *string
	given   []tagInput
	tagsSet bool
	tags    []tag // given, once checked
	keys    []string
	next    *string
}

func (in *tagsInput) field(d *decoder, name string) error {
	switch name {
	case "ResourceArn":
		return d.text(&in.arn)
	case "Tags":
		in.tagsSet = true
		return d.tags(&in.given)
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
	m := arnRule.FindStringSubmatch(*in.arn)
	switch {
	case !strings.HasPrefix(*in.arn, "arn:"):
		return nil, errParam("ARNs must start with 'arn:': %s", *in.arn)
	case m == nil:
		return nil, errParam("Provided Arn is not a DynamoDB resource arn: %s", *in.arn)
	case m[1] != c.Region:
		return nil, errValidation("Invalid TableArn: Invalid ResourceArn provided as input " + *in.arn)
	case c.Operation == "TagResource" && len(in.given) == 0:
		return nil, errValidation("Atleast one Tag needs to be provided as Input.")
	case c.Operation == "UntagResource" && len(in.keys) == 0:
		return nil, errValidation("Atleast one Tag Key needs to be provided as Input.")
	case len(in.keys) > maxTags:
		return nil, errTooManyTags()
	}
	if in.tags, err = tagsOf(in.given); err != nil {
		return nil, err
	}
	for _, key := range in.keys {
		if err := checkTagKey(&key); err != nil {
			return nil, err
		}
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
	err = t.edit(func(d *definition) error {
		tags := slices.DeleteFunc(slices.Clone(d.Tags), func(old tag) bool {
			return slices.ContainsFunc(in.tags, func(n tag) bool { return n.Key == old.Key })
		})
		tags = append(tags, in.tags...)
		if len(tags) > maxTags {
			return errTooManyTags()
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
