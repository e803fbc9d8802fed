// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Limits of an account and its entities, IAM's default quotas.
const (
	maxUsers           = 5000
	maxGroups          = 300
	maxRoles           = 1000
	maxPolicies        = 1500
	maxAttached        = 10
	maxAccessKeys      = 2
	maxGroupsPerUser   = 10
	maxPolicyVersions  = 5
	maxTags            = wire.MaxTags
	maxManagedDocument = 6144
	maxUserDocuments   = 2048
	maxGroupDocuments  = 5120
	maxRoleDocuments   = 10240
	maxTrustDocument   = 2048
	maxDescription     = 1000
)

var (
	namePattern = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	longPattern = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)
	pathPattern = regexp.MustCompile(`^(/|/[!-~]{1,510}/)$`)
)

func notFound(format string, args ...any) error {
	return &request.Error{Code: "NoSuchEntity", Message: fmt.Sprintf(format, args...), Status: http.StatusNotFound}
}

func conflict(code, format string, args ...any) error {
	return &request.Error{Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusConflict}
}

func invalid(format string, args ...any) error {
	return request.Errorf("ValidationError", format, args...)
}

// missing refuses a request without a parameter that it must have.
func missing(parameter string) error {
	return wire.Violated("null", wire.LowerFirst(parameter), wire.NotNull)
}

// tooLong refuses a parameter that is longer than limit, without repeating it.
func tooLong(parameter string, limit int) error {
	return wire.Violated("", parameter, wire.MaxLength(limit))
}

// checkDescription bounds the description of a role or policy.
func checkDescription(text string) error {
	if utf8.RuneCountInString(text) > maxDescription {
		return tooLong("description", maxDescription)
	}
	return nil
}

func checkName(parameter, name string, pattern *regexp.Regexp) error {
	if name == "" {
		return missing(parameter)
	}
	if !pattern.MatchString(name) {
		return invalid("The specified value for %s is invalid. It must contain only alphanumeric characters and/or "+
			"the following: +=,.@_-", wire.LowerFirst(parameter))
	}
	return nil
}

// checkPath returns the path to use: "/" when none was given.
func checkPath(path string) (string, error) {
	if path == "" {
		return "/", nil
	}
	if !pathPattern.MatchString(path) {
		return "",
			invalid("The specified value for path is invalid. It must begin and end with / and contain only " +
				"alphanumeric characters and/or / characters.")
	}
	return path, nil
}

type tag = wire.Tag

// mergeTags returns old with the tags of a request, which [checkMembers] has
// checked.
func mergeTags(old, add []tag) ([]tag, error) {
	out := append([]tag(nil), old...)
next:
	for _, t := range add {
		for i := range out {
			if strings.EqualFold(out[i].Key, t.Key) {
				out[i] = t
				continue next
			}
		}
		out = append(out, t)
	}
	if len(out) > maxTags {
		return nil, conflict("LimitExceeded", "Cannot exceed quota for TagsPerResource: %d", maxTags)
	}
	return out, nil
}

func removeTags(old []tag, keys []string) []tag {
	var out []tag
	for _, t := range old {
		keep := true
		for _, k := range keys {
			keep = keep && !strings.EqualFold(t.Key, k)
		}
		if keep {
			out = append(out, t)
		}
	}
	return out
}

func call400(code, message string) error { return request.Errorf(code, "%s", message) }

func forbidden(message string) error {
	return &request.Error{Code: "AccessDenied", Message: message, Status: http.StatusForbidden}
}
