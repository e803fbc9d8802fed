// SPDX-License-Identifier: Apache-2.0

package console

import (
	"errors"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/denial"
	"github.com/ddbseal/ddbseal/internal/awsmessage"
	"github.com/ddbseal/ddbseal/localaws"
)

// problem is an error of AWS as the page shows it.
type problem struct{ denial.Problem }

// once returns p, or the place in the page of a problem that says the same.
func once(seen *denial.Seen, p *problem) (shown *problem, place string) {
	if p == nil {
		return nil, ""
	}
	if place = seen.Once(&p.Problem); place != "" {
		return nil, place
	}
	return p, ""
}

// together is [denial.Together] for problems of the user.
func (s *session) together(problems ...*problem) *problem {
	var all []*denial.Problem
	for _, p := range problems {
		if p != nil {
			all = append(all, &p.Problem)
		}
	}
	if one := denial.Together(s.user, s.arn, all...); one != nil {
		return &problem{*one}
	}
	return nil
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
	p := &problem{denial.Problem{Code: errorCode(err), Message: message(err)}}
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
	p.Action, p.Resource = awsmessage.Refused(err)
	for _, r := range c.reasons(s, err) {
		p.Reasons = append(p.Reasons, denial.NewReason(r))
	}
	p.SetCure(s.user, s.arn)
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
