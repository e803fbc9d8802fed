// SPDX-License-Identifier: Apache-2.0

// Package denial describes an error of AWS for a page: what AWS said, and for a
// denial why, statement by statement, and what would change it. Problems that say the
// same become one.
package denial

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/ddbseal/ddbseal/localaws"
)

// Problem is an error of AWS as a page shows it: what AWS said, and for a
// denial what AWS does not say.
type Problem struct {
	Code, Message string
	Head          string // what it means for an item, such as that it is damaged
	ID            string // in the page, where others refer to it
	Denied        bool
	Missing       bool
	Gone          bool // AWS does not answer
	Action        string
	Also          []string // other actions that are refused for the same reasons
	Reasons       []Reason
	Cure          *Cure
	Above         string // where the page shows the same cure and reasons already
	Resource      string // of Action
}

// Same reports whether q says the same: the same code and, for a denial, the same
// action on the same resource through the same service, whatever its request was.
func (p *Problem) Same(q *Problem) bool {
	if !p.Denied || p.Action == "" {
		return p.Code == q.Code && p.Message == q.Message && p.Head == q.Head
	}
	return q.Denied && p.Action == q.Action && p.Resource == q.Resource && p.Head == q.Head &&
		strings.HasPrefix(p.Message, throughTable) == strings.HasPrefix(q.Message, throughTable)
}

// throughTable begins DynamoDB's message about a table whose key is refused.
const throughTable = "KMS key access denied"

// Seen are the problems that a page shows already. The zero Seen has none.
type Seen []*Problem

// Once returns the place in the page of a problem that says the same as p, or "" if
// there is none: then p is shown, under an ID of its own, without a cure and reasons
// that the page shows already.
func (s *Seen) Once(p *Problem) (place string) {
	for _, q := range *s {
		if q.Same(p) {
			return q.ID
		}
	}
	for _, q := range *s {
		if p.Denied && p.Action != "" && p.Action == q.Action && p.Resource == q.Resource && q.Above == "" &&
			slices.Equal(p.Reasons, q.Reasons) {
			p.Above, p.Cure, p.Reasons = q.ID, nil, nil
			break
		}
	}
	p.ID = "problem-" + strconv.Itoa(len(*s)+1)
	*s = append(*s, p)
	return ""
}

// Together makes one problem of several denials of a user's actions on one resource.
// It returns nil if they are not that.
func Together(user, arn string, problems ...*Problem) *Problem {
	var one *Problem
	for _, p := range problems {
		switch {
		case !p.Denied || p.Action == "":
			return nil
		case one == nil:
			first := *p
			one = &first
		case p.Resource != one.Resource:
			return nil
		default:
			one.Also = append(one.Also, p.Action)
			for _, r := range p.Reasons {
				if !slices.Contains(one.Reasons, r) {
					one.Reasons = append(one.Reasons, r)
				}
			}
		}
	}
	if one == nil || len(one.Also) == 0 {
		return nil
	}
	one.SetCure(user, arn)
	return one
}

// Reason is how one statement or grant bore on the call.
type Reason struct {
	Text string
	Sid  string // of the statement
	Kind string // "deny", "near" (only the principal is missing), "holds" or "other"
}

// Cure is what would change the decision.
type Cure struct {
	Text, Statement string
	KeyLink         string // the page of the key, when its policy decides
}

// Decisive are the reasons that bear on the decision, those that decide first.
func (p *Problem) Decisive() (out []Reason) {
	for _, kind := range []string{"deny", "near", "holds"} {
		for _, r := range p.Reasons {
			if r.Kind == kind {
				out = append(out, r)
			}
		}
	}
	return out
}

// Others are the rest: other actions, other principals.
func (p *Problem) Others() (out []Reason) {
	for _, r := range p.Reasons {
		if r.Kind == "other" {
			out = append(out, r)
		}
	}
	return out
}

// NewReason returns what the embedded AWS says of one statement or grant.
func NewReason(r localaws.Reason) Reason { return Reason{r.Text, r.Sid, kindOf(r)} }

// kindOf sorts how statements and grants bore on a call.
func kindOf(r localaws.Reason) string {
	switch {
	case r.Applies && r.Effect == "Deny":
		return "deny"
	case r.Effect == "Allow" && slices.Equal(r.Missed, []string{"principal"}):
		return "near"
	case r.Applies:
		return "holds"
	}
	return "other"
}

// SetCure sets what would let the call of a user through.
func (p *Problem) SetCure(user, arn string) { p.Cure = p.cure(user, arn) }

func (p *Problem) cure(user, principal string) *Cure {
	resource := p.Resource
	if p.Action == "" {
		return nil
	}
	out := &Cure{}
	key := strings.HasPrefix(p.Action, "kms:") && strings.Contains(resource, ":key/")
	if a, err := arn.Parse(resource); key && err == nil {
		out.KeyLink = "/keys/" + url.PathEscape(strings.TrimPrefix(a.Resource, "key/"))
	}
	for _, r := range p.Reasons {
		if r.Kind == "deny" {
			out.Text = "An explicit deny wins over every allow. It would have to go, or stop naming this user: " +
				r.Text
			return out
		}
	}
	var suggested any
	var actions any = p.Action
	if len(p.Also) > 0 {
		actions = append([]string{p.Action}, p.Also...)
	}
	if key {
		suggested = struct{ Sid, Effect, Principal, Action, Resource any }{"Allow " + user, "Allow",
			map[string]string{"AWS": principal}, actions, "*"}
		others := "a grant, an IAM policy of the user where the key policy lets those count, or a statement of their " +
			"own in the key policy:"
		out.Text = "Any of these would allow it: " + others
		for _, r := range p.Reasons {
			if r.Kind == "near" && r.Sid != "" {
				out.Text = "Any of these would allow it: naming the user as a principal in the key policy's " +
					"statement “" +
					r.Sid + "”, " + others
				break
			}
		}
	} else {
		suggested = struct{ Effect, Action, Resource any }{"Allow", actions, resource}
		out.Text = "A statement in an IAM policy of the user would allow it:"
	}
	text, err := json.MarshalIndent(suggested, "", "  ")
	if err != nil {
		return nil
	}
	out.Statement = string(text)
	return out
}
