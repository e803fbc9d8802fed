package kms

import (
	"context"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
	"github.com/ddbseal/ddbseal/localaws/internal/policy"
)

type tagInput struct{ TagKey, TagValue *string }

// tags reads the tags of a request, sorted by key.
func (v *validator) tags(in []tagInput) []tag {
	tags := make([]tag, len(in))
	for i, t := range in {
		tags[i] = tag{v.required("tags.tagKey", t.TagKey, 1, 128), v.required("tags.tagValue", t.TagValue, 0, 256)}
	}
	slices.SortStableFunc(tags, func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
	return tags
}

// checkTags checks sorted tags of one request.
func checkTags(tags []tag) error {
	for i, t := range tags {
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return tagError("aws: prefixed tag key names are not allowed for external use")
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

func tagError(message string) error { return call.Errorf("TagException", "%s", message) }

type tagResourceInput struct {
	KeyID *string `json:"KeyId"`
	Tags  []tagInput
}

func (ch *change) tagResource(ctx context.Context, c *call.Call, in *tagResourceInput) (any, error) {
	var v validator
	id := v.keyID(in.KeyID)
	if in.Tags == nil {
		v.add("null", "tags", "Member must not be null")
	}
	tags := v.tags(in.Tags)
	if err := v.err(); err != nil {
		return nil, err
	}
	extra := policy.Context{}
	requestTags(extra, tags)
	t, err := ch.own(ctx, c, id, "TagResource", extra)
	if err != nil {
		return nil, err
	}
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
	KeyID   *string `json:"KeyId"`
	TagKeys []string
}

func (ch *change) untagResource(ctx context.Context, c *call.Call, in *untagResourceInput) (any, error) {
	var v validator
	id := v.keyID(in.KeyID)
	if in.TagKeys == nil {
		v.add("null", "tagKeys", "Member must not be null")
	}
	for _, name := range in.TagKeys {
		v.required("tagKeys", &name, 1, 128)
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	extra := policy.Context{}
	if len(in.TagKeys) > 0 {
		extra[conditionTagKeys] = in.TagKeys
	}
	t, err := ch.own(ctx, c, id, "UntagResource", extra)
	if err != nil {
		return nil, err
	}
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

func (s *Service) listResourceTags(ctx context.Context, c *call.Call, in *listKeyInput) (any, error) {
	var v validator
	id := v.keyID(in.KeyID)
	limit := v.integer("limit", in.Limit, 1, maxTags, maxTags)
	marker := v.optional("marker", in.Marker, 1, 1024)
	if err := v.err(); err != nil {
		return nil, err
	}
	after, err := openMarker(marker)
	if err != nil {
		return nil, err
	}
	t, err := s.resolve(c, id, true)
	if err != nil {
		return nil, err
	}
	if err := s.requireOwn(ctx, c, question{action: "ListResourceTags", target: t}); err != nil {
		return nil, err
	}
	trail(c, t.key, keyParameters{id})
	tags := t.tags
	if after != "" {
		i, found := findTag(tags, after)
		if found {
			i++
		}
		tags = tags[i:]
	}
	page, next := cut(tags, limit, func(t tag) string { return t.Key })
	return struct {
		NextMarker string `json:",omitempty"`
		Tags       []tag
		Truncated  bool
	}{next, slices.Concat([]tag{}, page), next != ""}, nil
}
