// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

type tagInput struct{ TagKey, TagValue *string }

// tagMembers checks the members of the tags of a request.
func tagMembers(c *wire.Checks, in []tagInput) {
	for i, t := range in {
		path := "tags." + strconv.Itoa(i+1) + ".member."
		required(c, t.TagKey, path+"tagKey", 1, 128)
		required(c, t.TagValue, path+"tagValue", 0, 256)
	}
}

// tagsOf reads the tags of a request, sorted by key.
func tagsOf(in []tagInput) []tag {
	tags := make([]tag, len(in))
	for i, t := range in {
		tags[i] = tag{text(t.TagKey), text(t.TagValue)}
	}
	slices.SortStableFunc(tags, func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
	return tags
}

// checkTags checks sorted tags of one request.
func checkTags(tags []tag) error {
	for i, t := range tags {
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return tagError("Tags beginning with aws: are reserved")
		}
		if i > 0 && tags[i-1].Key == t.Key {
			return tagError("Duplicate tag keys")
		}
	}
	if len(tags) > maxTags {
		return tagError("Too many tags")
	}
	return nil
}

func tagError(message string) error { return request.Errorf("TagException", "%s", message) }

type tagResourceInput struct {
	onKey
	Tags []tagInput
}

func (in *tagResourceInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	c.Required(in.Tags == nil, "tags")
	tagMembers(c, in.Tags)
}

func (in *tagResourceInput) conditions(*request.Call) policy.Context {
	extra := policy.Context{}
	requestTags(extra, tagsOf(in.Tags))
	return extra
}

func (ch *change) tagResource(_ context.Context, c *request.Call, in *tagResourceInput) (any, error) {
	id := text(in.KeyID)
	tags := tagsOf(in.Tags)
	t := in.found
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	if err := t.notDoomed(); err != nil {
		return nil, err
	}
	k := t.key.clone()
	for _, t := range tags {
		i, found := findTag(k.tags, t.Key)
		if found {
			k.tags[i] = t
		} else {
			k.tags = slices.Insert(k.tags, i, t)
		}
	}
	if len(k.tags) > maxTags {
		return nil, tagError("Too many tags")
	}
	ch.putKey(k)
	trail(c, k, struct {
		KeyID string `json:"keyId"`
		Tags  []tag  `json:"tags"`
	}{id, tags})
	return nil, nil
}

func findTag(tags []tag, name string) (int, bool) {
	return slices.BinarySearchFunc(tags, name, func(t tag, name string) int { return strings.Compare(t.Key, name) })
}

type untagResourceInput struct {
	onKey
	TagKeys []string
}

func (in *untagResourceInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	c.Required(in.TagKeys == nil, "tagKeys")
	for _, name := range in.TagKeys {
		required(c, &name, "tagKeys", 1, 128)
	}
}

func (in *untagResourceInput) conditions(*request.Call) policy.Context {
	if len(in.TagKeys) == 0 {
		return nil
	}
	return policy.Context{conditionTagKeys: in.TagKeys}
}

func (ch *change) untagResource(_ context.Context, c *request.Call, in *untagResourceInput) (any, error) {
	id := text(in.KeyID)
	t := in.found
	if err := t.notDoomed(); err != nil {
		return nil, err
	}
	k := t.key.clone()
	k.tags = slices.DeleteFunc(k.tags, func(t tag) bool { return slices.Contains(in.TagKeys, t.Key) })
	ch.putKey(k)
	trail(c, k, struct {
		KeyID   string   `json:"keyId"`
		TagKeys []string `json:"tagKeys"`
	}{id, in.TagKeys})
	return nil, nil
}

type listTagsInput struct{ listKeyInput }

func (in *listTagsInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	between(c, in.Limit, "limit", 1, maxTags)
	c.Characters(in.Marker, "marker", 1, 1024)
}

func (s *Service) listResourceTags(_ context.Context, c *request.Call, in *listTagsInput) (any, error) {
	id := text(in.KeyID)
	limit := or(in.Limit, maxTags)
	t := in.found
	trail(c, t.key, keyParameters{id})
	page, next := cut(t.tags, in.after, limit, func(t tag) string { return t.Key })
	return struct {
		NextMarker string `json:",omitempty"`
		Tags       []tag
		Truncated  bool
	}{next, append([]tag{}, page...), next != ""}, nil
}
