// SPDX-License-Identifier: Apache-2.0

package keypolicy

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Admitting returns the Sids of the statements that allow an action to a principal
// whom they name, whatever their conditions are. An empty principal stands for the
// owner of an identity policy, whose statements name none. A statement without Sid
// is called by its number. A text that is not a policy has no statements.
func Admitting(text, principal, action string) []string {
	var p struct{ Statement oneOrMore[statementRead] }
	if json.Unmarshal([]byte(text), &p) != nil {
		return nil
	}
	var sids []string
	for i, s := range p.Statement {
		if s.Effect != "Allow" || principal != "" && !slices.Contains(s.Principal.AWS, principal) ||
			!slices.ContainsFunc(s.Action, func(pattern string) bool { return matches(pattern, action) }) {
			continue
		}
		if s.Sid == "" {
			s.Sid = "statement " + strconv.Itoa(i+1)
		}
		sids = append(sids, s.Sid)
	}
	return sids
}

type statementRead struct {
	Sid, Effect string
	Principal   principalRead
	Action      oneOrMore[string]
}

type principalRead struct{ AWS oneOrMore[string] }

// UnmarshalJSON reads {"AWS": …}, and "*", which names no principal.
func (p *principalRead) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return nil
	}
	type plain principalRead
	return json.Unmarshal(b, (*plain)(p))
}

// oneOrMore is a JSON value or an array of such values.
type oneOrMore[T any] []T

// UnmarshalJSON reads both forms.
func (o *oneOrMore[T]) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]T)(o))
	}
	var one T
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*o = oneOrMore[T]{one}
	return nil
}

// matches reports whether a pattern of a policy with * and ? is one of an action.
func matches(pattern, action string) bool {
	quoted := regexp.QuoteMeta(strings.ToLower(pattern))
	quoted = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(quoted)
	ok, err := regexp.MatchString("^"+quoted+"$", strings.ToLower(action))
	return err == nil && ok
}
