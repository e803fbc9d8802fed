// SPDX-License-Identifier: Apache-2.0

package sts

import (
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// SessionTag is a tag of a session. It takes the place of the role's tag with
// the same key.
type SessionTag struct {
	wire.Tag
	// Transitive tags go on to the sessions of roles that this session assumes.
	Transitive bool `json:",omitempty"`
}

// sessionTags returns the tags of the session that a request asks for: its own,
// and the transitive ones of the calling session, which may be nil. Case does
// not tell keys apart. Errors: AWS's.
func (in *assumeRole) sessionTags(calling *Session) ([]SessionTag, error) {
	invalid := func(message string) error { return request.Errorf("InvalidParameterValue", "%s", message) }
	if wire.SameTagKey(in.Tags) {
		return nil, invalid(wire.DuplicateTags)
	}
	var tags []SessionTag
	for _, t := range in.Tags {
		tags = append(tags, SessionTag{Tag: t})
	}
	for _, key := range in.TransitiveTagKeys {
		i := indexTag(tags, key)
		if i < 0 {
			return nil, invalid("The specified transitive tag key must be included in the requested tags.")
		}
		tags[i].Transitive = true
	}
	if calling == nil {
		return tags, nil
	}
	for _, t := range calling.Tags {
		switch {
		case !t.Transitive:
		case indexTag(tags, t.Key) >= 0:
			return nil, invalid("One of the specified transitive tag keys can't be set because it conflicts with " +
				"a transitive tag key from the calling session.")
		default:
			tags = append(tags, t)
		}
	}
	return tags, nil
}

func indexTag(tags []SessionTag, key string) int {
	return slices.IndexFunc(tags, func(t SessionTag) bool { return strings.EqualFold(t.Key, key) })
}
