// SPDX-License-Identifier: Apache-2.0

package sts

import (
	"context"
	"net/http"
	"regexp"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

var (
	sessionNamePattern = regexp.MustCompile(`^[\w+=,.@-]*$`)
	externalIDPattern  = regexp.MustCompile(`^[\w+=,.@:/-]*$`)
	roleARNPattern     = regexp.MustCompile(`^arn:aws:iam::\d{12}:role/[!-~]{1,600}$`)
)

type assumeRole struct {
	RoleArn, RoleSessionName                string
	Policy                                  wire.LongText
	ExternalId                              *string
	SourceIdentity, SerialNumber, TokenCode string
	TransitiveTagKeys                       []string
	PolicyArns                              []struct {
		Arn string `query:"arn"`
	}
	DurationSeconds, MinimumSessionTokenSize *int
	Tags                                     []wire.Tag
}

// Check implements wire.Checker.
func (in *assumeRole) Check(c *wire.Checks) {
	if c.Required(in.RoleArn == "", "roleArn") {
		c.Characters(&in.RoleArn, "roleArn", 20, wire.MaxText)
	}
	if c.Required(in.RoleSessionName == "", "roleSessionName") {
		c.Characters(&in.RoleSessionName, "roleSessionName", 2, 64)
		c.Matches(&in.RoleSessionName, "roleSessionName", sessionNamePattern.MatchString, `[\w+=,.@-]*`)
	}
	c.Characters(in.ExternalId, "externalId", 2, 1224)
	c.Matches(in.ExternalId, "externalId", externalIDPattern.MatchString, `[\w+=,.@:\/-]*`)
	checkNumber(c, in.DurationSeconds, "durationSeconds", minSession, MaxSession)
	checkNumber(c, in.MinimumSessionTokenSize, "minimumSessionTokenSize", 0, maxCounted)
	c.Tags(in.Tags)
	if len(in.TransitiveTagKeys) > wire.MaxTags {
		c.ViolateUnseen("transitiveTagKeys", wire.MaxLength(wire.MaxTags))
	}
	for _, key := range in.TransitiveTagKeys {
		c.TagKey(key, "transitiveTagKeys")
	}
}

// DefaultSession and MaxSession bound the seconds of an assumed role's session.
const (
	DefaultSession = 3600
	MaxSession     = 43200
)

const (
	maxChained    = 3600
	maxPolicyArns = 10
	maxPolicy     = 2048 // characters of a session policy
)

// SessionARN returns the ARN of a session of an assumed role.
func SessionARN(accountID, role, session string) string {
	return "arn:aws:sts::" + accountID + ":assumed-role/" + role + "/" + session
}

func forbidden(message string) error {
	return &request.Error{Code: "AccessDenied", Message: message, Status: http.StatusForbidden}
}

func (s *Service) assumeRole(ctx context.Context, r *request.Call, in *assumeRole) (any, error) {
	if !roleARNPattern.MatchString(in.RoleArn) {
		return nil, request.Errorf("ValidationError", "%.256s is invalid", in.RoleArn)
	}
	switch {
	case in.SourceIdentity != "":
		return nil, request.Errorf("UnsupportedOperation", "SourceIdentity is not supported by this server.")
	case in.SerialNumber != "", in.TokenCode != "":
		return nil, request.Errorf("UnsupportedOperation",
			"Multi-factor authentication is not supported by this server.")
	}
	tags, err := in.sessionTags(Of(r.Caller))
	if err != nil {
		return nil, err
	}
	if r.Caller.Principal.Type == policy.Root {
		return nil, forbidden("Roles may not be assumed by root accounts.")
	}
	target, err := s.assumable(ctx, r, in)
	if err != nil {
		return nil, err
	}
	limit := target.MaxSession
	if r.Caller.Principal.Type == policy.AssumedRole {
		limit = min(limit, maxChained)
	}
	seconds := DefaultSession
	if in.DurationSeconds != nil {
		seconds = *in.DurationSeconds
	}
	if seconds > limit {
		if r.Caller.Principal.Type == policy.AssumedRole {
			return nil, request.Errorf("ValidationError",
				"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
		}
		return nil, request.Errorf("ValidationError",
			"The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	x := &Session{Name: in.RoleSessionName, Tags: tags, Issued: s.now(),
		Expires: s.now().Add(time.Duration(seconds) * time.Second),
		Principal: policy.Principal{Type: policy.AssumedRole, AccountID: target.AccountID,
			ARN:      SessionARN(target.AccountID, target.Name, in.RoleSessionName),
			UniqueID: target.ID + ":" + in.RoleSessionName, RoleARN: target.ARN, RoleUniqueID: target.ID}}
	if err := s.sessionPolicies(x, in); err != nil {
		return nil, err
	}
	issued, err := s.issueSized(x, in.MinimumSessionTokenSize)
	if err != nil {
		return nil, err
	}
	r.Trail.Resources = []request.Resource{{ARN: target.ARN, AccountID: target.AccountID, Type: "AWS::IAM::Role"}}
	r.Trail.ResponseElements = map[string]any{"credentials": issued.shown(),
		"assumedRoleUser": map[string]any{"assumedRoleId": x.Principal.UniqueID, "arn": x.Principal.ARN}}
	var out struct {
		tokenSize
		Credentials     credentialsView
		AssumedRoleUser struct{ AssumedRoleId, Arn string }
	}
	out.tokenSize, out.Credentials = issued.size(), issued.view()
	out.AssumedRoleUser.AssumedRoleId, out.AssumedRoleUser.Arn = x.Principal.UniqueID, x.Principal.ARN
	return out, nil
}

// assumable returns the role of a request if the caller may assume it, and may
// tag its session if the request has tags.
func (s *Service) assumable(ctx context.Context, r *request.Call, in *assumeRole) (Role, error) {
	role, ok := s.identities.RoleByARN(in.RoleArn)
	actions := []string{"sts:AssumeRole"}
	if len(in.Tags)+len(in.TransitiveTagKeys) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	for _, action := range actions {
		check := request.Check{Action: action, Resource: in.RoleArn, ResourceAccountID: role.AccountID,
			Mode: policy.ModeTrustPolicy, Context: in.conditions()}
		if ok {
			check.ResourcePolicy = role.Trust.Parsed()
		}
		if err := request.Require(ctx, s.identities, r, check); err != nil {
			return Role{}, err
		}
	}
	if !ok {
		return Role{}, forbidden("User: " + r.Caller.Principal.ARN +
			" is not authorized to perform: sts:AssumeRole on resource: " + in.RoleArn)
	}
	return role, nil
}

// conditions are the condition keys that the request brings.
func (in *assumeRole) conditions() policy.Context {
	c := policy.Context{}
	c.Set("sts:RoleSessionName", in.RoleSessionName)
	if in.ExternalId != nil {
		c.Set("sts:ExternalId", *in.ExternalId)
	}
	wire.RequestTags(c, in.Tags...)
	if len(in.TransitiveTagKeys) > 0 {
		c.Set("sts:TransitiveTagKeys", in.TransitiveTagKeys...)
	}
	return c
}

// sessionPolicies gives a session the policies of its request.
func (s *Service) sessionPolicies(x *Session, in *assumeRole) error {
	if len(in.PolicyArns) > maxPolicyArns {
		return wire.Violated("", "policyArns", wire.MaxLength(maxPolicyArns))
	}
	if in.Policy != "" {
		if _, err := policytext.Read(in.Policy, policy.Session, maxPolicy); err != nil {
			return err
		}
		x.Documents = append(x.Documents, sessionPolicy{Name: "session policy", Text: string(in.Policy)})
	}
	for _, p := range in.PolicyArns {
		name, d, ok := s.identities.ManagedPolicy(x.Principal.AccountID, p.Arn)
		if !ok {
			return request.Errorf("MalformedPolicyDocument", "Policy %s does not exist.", p.Arn)
		}
		x.Documents = append(x.Documents, sessionPolicy{Name: name, ARN: p.Arn, Text: d.Text()})
	}
	return nil
}
