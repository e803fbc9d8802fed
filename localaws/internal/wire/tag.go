// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// Tag is a tag of a resource.
type Tag struct{ Key, Value string }

// Limits of the tags of IAM and STS.
const (
	MaxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// tagPattern is the pattern of keys and values in the models of IAM and STS.
const tagPattern = `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`

var tagText = regexp.MustCompile("^" + tagPattern + "$")

// Tags checks the tags of a request of IAM or STS.
func (c *Checks) Tags(tags []Tag) {
	if len(tags) > MaxTags {
		c.ViolateUnseen("tags", MaxLength(MaxTags))
	}
	for i, t := range tags {
		path := fmt.Sprintf("tags.%d.member.", i+1)
		c.TagKey(t.Key, path+"key")
		c.Characters(&t.Value, path+"value", 0, maxTagValue)
		if t.Value != "" {
			c.Matches(&t.Value, path+"value", tagText.MatchString, tagPattern)
		}
	}
}

// TagKey checks the key of a tag of IAM or STS.
func (c *Checks) TagKey(key, path string) {
	c.Characters(&key, path, 1, maxTagKey)
	if key != "" {
		c.Matches(&key, path, tagText.MatchString, tagPattern)
	}
}

// SameTagKey reports whether two of the tags have the same key. Case does not
// tell keys apart.
func SameTagKey(tags []Tag) bool {
	keys := map[string]bool{}
	for _, t := range tags {
		keys[strings.ToLower(t.Key)] = true
	}
	return len(keys) < len(tags)
}

// DuplicateTags is how IAM and STS refuse tags of which two have the same key.
const DuplicateTags = "Duplicate tag keys found. Please note that Tag keys are case insensitive."

// RequestTags adds the condition keys of the tags that a request brings.
func RequestTags(to policy.Context, tags ...Tag) {
	for _, t := range tags {
		to.Set("aws:RequestTag/"+t.Key, t.Value)
		to.Add("aws:TagKeys", t.Key)
	}
}

// ResourceTags adds the condition keys of the tags that a resource has.
func ResourceTags(to policy.Context, tags ...Tag) {
	for _, t := range tags {
		to.Set("aws:ResourceTag/"+t.Key, t.Value)
	}
}
