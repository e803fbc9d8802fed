// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"reflect"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Lengths of an ARN in IAM's model.
const (
	minARN = 20
	maxARN = 2048
)

// arnMembers are the members that must be ARNs, by their field's name. Those
// that are true must not be missing.
var arnMembers = map[string]bool{"PolicyArn": true, "PermissionsBoundary": false, "PolicySourceArn": false,
	"CallerArn": false}

// members are the refusals of a request's members. IAM refuses values that break
// the model's constraints first, then ARNs that it cannot parse, then tags.
type members struct {
	wire.Checks
	malformed, tags error
}

// checkMembers refuses the ARNs and tags of a request that IAM refuses whatever
// the operation. It does so before it asks for permission.
func checkMembers(in reflect.Value) error {
	var m members
	m.check(in)
	switch err := m.Err(wire.QueryValidation); {
	case err != nil:
		return err
	case m.malformed != nil:
		return m.malformed
	}
	return m.tags
}

func (m *members) check(in reflect.Value) {
	for i := range in.NumField() {
		field, v := in.Type().Field(i), in.Field(i)
		required, isARN := arnMembers[field.Name]
		switch {
		case field.Anonymous:
			m.check(v)
		case isARN:
			m.arn(v.String(), wire.LowerFirst(field.Name), required)
		case field.Name == "Tags":
			m.tagList(v.Interface().([]tag))
		case field.Name == "TagKeys":
			m.tagKeys(v.Interface().([]string))
		}
	}
}

func (m *members) arn(arn, path string, required bool) {
	if arn == "" {
		if required {
			m.Violate("null", path, wire.NotNull)
		}
		return
	}
	m.Characters(&arn, path, minARN, maxARN)
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] == "" || parts[2] == "" || parts[5] == "" {
		m.malformed = invalid("Invalid ARN:  Could not be parsed!")
	}
}

func (m *members) tagList(tags []tag) {
	m.Tags(tags)
	for _, t := range tags {
		m.notReserved(t.Key)
	}
	if wire.SameTagKey(tags) {
		m.tags = request.Errorf("InvalidInput", "%s", wire.DuplicateTags)
	}
}

func (m *members) tagKeys(keys []string) {
	if len(keys) > maxTags {
		m.ViolateUnseen("tagKeys", wire.MaxLength(maxTags))
	}
	for _, key := range keys {
		m.TagKey(key, "tagKeys")
		m.notReserved(key)
	}
}

// notReserved refuses keys of tags that are AWS's own.
func (m *members) notReserved(key string) {
	if strings.HasPrefix(strings.ToLower(key), "aws:") {
		m.tags = request.Errorf("InvalidInput", "Tag keys beginning with aws: are reserved for system use.")
	}
}
