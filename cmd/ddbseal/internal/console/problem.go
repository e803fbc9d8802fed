package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ddbseal/ddbseal/internal/awsmessage"
	"github.com/ddbseal/ddbseal/localaws"
)

// problem is an error of AWS as the page shows it: what AWS said, and for a
// denial what AWS does not say.
type problem struct {
	Code, Message string
	Denied        bool
	Missing       bool
	Gone          bool // AWS does not answer
	Action        string
	Reasons       []reason
	Cure          *cure
}

// reason is how one statement or grant bore on the call.
type reason struct {
	Text string
	Sid  string // of the statement
	Kind string // "deny", "near" (only the principal is missing), "holds" or "other"
}

// cure is what would change the decision.
type cure struct {
	Text, Statement string
	KeyLink         string // the page of the key, when its policy decides
}

// unreachable reports whether no answer came at all.
func unreachable(err error) bool {
	var sending *smithyhttp.RequestSendError
	return errors.As(err, &sending)
}

// status is the status of a page that shows the problem beside a form, which keeps
// what was filled in.
func (p *problem) status() int {
	switch {
	case p == nil:
		return http.StatusOK
	case p.Gone:
		return http.StatusBadGateway
	case p.Denied:
		return http.StatusForbidden
	}
	return http.StatusOK
}

// Decisive are the reasons that bear on the decision, those that decide first.
func (p *problem) Decisive() (out []reason) {
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
func (p *problem) Others() (out []reason) {
	for _, r := range p.Reasons {
		if r.Kind == "other" {
			out = append(out, r)
		}
	}
	return out
}

func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// message is an error in one sentence.
func message(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		if api.ErrorMessage() != "" {
			return api.ErrorMessage()
		}
		return api.ErrorCode()
	}
	return err.Error()
}

// explain looks up, by the request's id, what the embedded AWS knows about a
// refusal that this user got.
func (c *Console) explain(s *session, err error) *problem {
	if err == nil {
		return nil
	}
	p := &problem{Code: errorCode(err), Message: message(err)}
	p.Denied = strings.HasPrefix(p.Code, "AccessDenied")
	if c.cfg.Attached != nil && unreachable(err) {
		p.Gone, p.Message = true,
			"There is no answer from "+c.cfg.Attached.Name+". This page works again as soon as there is."
		return p
	}
	p.Missing = strings.Contains(p.Code, "NotFound") || p.Code == "NoSuchEntity"
	if !p.Denied {
		return p
	}
	var resource string
	p.Action, resource = awsmessage.Refused(err)
	for _, r := range c.reasons(s, err) {
		p.Reasons = append(p.Reasons, reason{r.Text, r.Sid, kindOf(r)})
	}
	p.Cure = p.cure(s, resource)
	return p
}

// reasons finds the event of the user's own refused call.
func (c *Console) reasons(s *session, err error) []localaws.Reason {
	var answer *awshttp.ResponseError
	if c.cfg.Server == nil || !errors.As(err, &answer) || answer.RequestID == "" {
		return nil
	}
	events := c.cfg.Server.Audit().Events()
	for i := len(events) - 1; i >= 0; i-- {
		e := events[i]
		if e.RequestID == answer.RequestID && e.UserIdentity.ARN == s.arn {
			if reasons := e.Explanation(); reasons != nil {
				return reasons
			}
		}
	}
	return nil
}

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

// cure says what would let the call through.
func (p *problem) cure(s *session, resource string) *cure {
	if p.Action == "" {
		return nil
	}
	out := &cure{}
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
	if key {
		suggested = struct{ Sid, Effect, Principal, Action, Resource any }{"Allow " + s.user, "Allow",
			map[string]string{"AWS": s.arn}, p.Action, "*"}
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
		suggested = struct{ Effect, Action, Resource any }{"Allow", p.Action, resource}
		out.Text = "A statement in an IAM policy of the user would allow it:"
	}
	text, err := json.MarshalIndent(suggested, "", "  ")
	if err != nil {
		return nil
	}
	out.Statement = string(text)
	return out
}
