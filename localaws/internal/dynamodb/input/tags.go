// SPDX-License-Identifier: Apache-2.0

package input

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

type tagInput struct{ Key, Value *string }

const maxTags = 50

var tagRule = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]*$`)

func errTooManyTags() error {
	return refusal.Validation("Number of Tags exceed the current limit for the provided ResourceArn")
}

func checkTagKey(key *string) error {
	switch {
	case key == nil:
		return refusal.Validation("The Tag Key provided is invalid, Key: null")
	case *key == "" || utf8.RuneCountInString(*key) > 128 || !tagRule.MatchString(*key):
		return refusal.Validation("The Tag Key provided is invalid, Key: " + *key)
	case strings.HasPrefix(strings.ToLower(*key), "aws:"):
		return refusal.Validation("Tag Key cannot be prefixed with aws:, Key: " + *key)
	}
	return nil
}

// tagsOf checks the tags of a request.
func tagsOf(list []tagInput) ([]wire.Tag, error) {
	if len(list) > maxTags {
		return nil, errTooManyTags()
	}
	var out []wire.Tag
	for _, t := range list {
		if err := checkTagKey(t.Key); err != nil {
			return nil, err
		}
		switch {
		case t.Value == nil:
			return nil, refusal.Validation("The Tag Value provided is invalid, Value: null")
		case utf8.RuneCountInString(*t.Value) > 256 || !tagRule.MatchString(*t.Value):
			return nil, refusal.Validation("The Tag Value provided is invalid, Value: " + *t.Value)
		case slices.ContainsFunc(out, func(o wire.Tag) bool { return o.Key == *t.Key }):
			return nil, refusal.Validation("Duplicate Tag Keys provided as input: Duplicate Tag Key found " + *t.Key)
		}
		out = append(out, wire.Tag{Key: *t.Key, Value: *t.Value})
	}
	return out, nil
}

// Tagging is a TagResource, UntagResource or ListTagsOfResource request.
type Tagging struct {
	ResourceArn *string
	Tags        []tagInput
	TagKeys     []string
	NextToken   *string

	adds, removes bool // what the operation is for

	// set by Prepare
	at   schema.Target
	tags []wire.Tag // of Tags
}

// RequireTags makes Tags a member that must be there.
func (in *Tagging) RequireTags() { in.adds = true }

// RequireKeys makes TagKeys a member that must be there.
func (in *Tagging) RequireKeys() { in.removes = true }

// Target returns the table that the prepared request names.
func (in *Tagging) Target() schema.Target { return in.at }

// Checked returns the tags of the prepared request.
func (in *Tagging) Checked() []wire.Tag { return in.tags }

// Add returns the tags of a resource that has old, after a TagResource.
func (in *Tagging) Add(old []wire.Tag) ([]wire.Tag, error) {
	tags := slices.DeleteFunc(slices.Clone(old), func(t wire.Tag) bool {
		return slices.ContainsFunc(in.tags, func(n wire.Tag) bool { return n.Key == t.Key })
	})
	tags = append(tags, in.tags...)
	if len(tags) > maxTags {
		return nil, errTooManyTags()
	}
	return tags, nil
}

// Remove returns the tags of a resource that has old, after an UntagResource.
func (in *Tagging) Remove(old []wire.Tag) []wire.Tag {
	return slices.DeleteFunc(slices.Clone(old), func(t wire.Tag) bool { return slices.Contains(in.TagKeys, t.Key) })
}

// Check implements [wire.Checker].
func (in *Tagging) Check(c *wire.Checks) {
	c.Required(in.ResourceArn == nil, "resourceArn")
	c.Length(in.ResourceArn, "resourceArn", 1, 1283)
	c.Required(in.adds && in.Tags == nil, "tags")
	c.Required(in.removes && in.TagKeys == nil, "tagKeys")
}

// Prepare checks the ARN and the tags, and finds what the ARN means.
func (in *Tagging) Prepare(c *request.Call) (err error) {
	at, err := locateResource(c, *in.ResourceArn)
	switch {
	case err != nil:
		return err
	case in.adds && len(in.Tags) == 0:
		return refusal.Validation("Atleast one Tag needs to be provided as Input.")
	case in.removes && len(in.TagKeys) == 0:
		return refusal.Validation("Atleast one Tag Key needs to be provided as Input.")
	case len(in.TagKeys) > maxTags:
		return errTooManyTags()
	}
	if in.tags, err = tagsOf(in.Tags); err != nil {
		return err
	}
	for _, key := range in.TagKeys {
		if err := checkTagKey(&key); err != nil {
			return err
		}
	}
	in.at = at
	return nil
}

// locateResource resolves the ARN of a table in a request that takes no name.
func locateResource(c *request.Call, arn string) (schema.Target, error) {
	m := arnRule.FindStringSubmatch(arn)
	switch {
	case !strings.HasPrefix(arn, "arn:"):
		return schema.Target{}, refusal.Parameter("ARNs must start with 'arn:': %s", arn)
	case m == nil:
		return schema.Target{}, refusal.Parameter("Provided Arn is not a DynamoDB resource arn: %s", arn)
	case m[1] != c.Region:
		return schema.Target{}, refusal.Validation("Invalid TableArn: Invalid ResourceArn provided as input " + arn)
	}
	return Locate(c, arn)
}
