package iam

import (
	"net/http"
	"regexp"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// stsOperations is the table of what this STS answers.
func stsOperations() *wire.Table[*call, any] {
	return wire.NewTable(protocol,
		asks("GetCallerIdentity", wire.Read, (*Service).getCallerIdentity),
		asks("AssumeRole", wire.Read, (*Service).assumeRole),
		asks("GetSessionToken", wire.Read, (*Service).getSessionToken),
		asks("GetAccessKeyInfo", wire.Read, (*Service).getAccessKeyInfo),
	)
}

// getCallerIdentity needs no permission: even an explicit deny does not stop
// it on AWS.
func (s *Service) getCallerIdentity(r *call, _ *struct{}) (any, error) {
	p := r.Caller.Principal
	return struct{ UserId, Account, Arn string }{p.UniqueID, p.AccountID, p.ARN}, nil
}

func (s *Service) getAccessKeyInfo(r *call, in *accessKeyName) (any, error) {
	if err := s.permit(r, on("*"), nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	k := s.keys[in.AccessKeyId]
	if k == nil {
		return nil, call400("ValidationError", "Access key id is not known.")
	}
	return struct{ Account string }{k.AccountID}, nil
}

type credentialsView struct {
	AccessKeyId, SecretAccessKey, SessionToken string
	Expiration                                 time.Time
}

// shown is what events tell of a session's credentials: by the access key id
// its calls are found.
func (s *session) shown() map[string]any {
	return map[string]any{"accessKeyId": s.AccessKeyID, "expiration": s.Expires}
}

var (
	sessionNamePattern = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	externalIDPattern  = regexp.MustCompile(`^[\w+=,.@:/-]+$`)
	roleARNPattern     = regexp.MustCompile(`^arn:aws:iam::\d{12}:role/[!-~]{1,600}$`)
)

type assumeRole struct {
	RoleArn, RoleSessionName                string
	Policy                                  policyText
	ExternalId                              *string
	SourceIdentity, SerialNumber, TokenCode string
	TransitiveTagKeys                       []string
	PolicyArns                              []struct {
		Arn string `query:"arn"`
	}
	DurationSeconds *int
	Tags            []tag
}

const (
	minAssumed    = 900
	maxChained    = 3600
	maxPolicyArns = 10
)

func (s *Service) assumeRole(r *call, in *assumeRole) (any, error) {
	if !sessionNamePattern.MatchString(in.RoleSessionName) {
		return nil, wire.Violated("'"+in.RoleSessionName+"'", "roleSessionName", wire.Matching(`[\w+=,.@-]*`))
	}
	if in.ExternalId != nil && (len(*in.ExternalId) < 2 || len(*in.ExternalId) > 1224 || !externalIDPattern.MatchString(*in.ExternalId)) {
		return nil, wire.Violated("", "externalId", wire.LengthMatching(2, 1224, `[\w+=,.@:\/-]*`))
	}
	if !roleARNPattern.MatchString(in.RoleArn) {
		return nil, invalid("%.256s is invalid", in.RoleArn)
	}
	switch {
	case len(in.Tags)+len(in.TransitiveTagKeys) > 0:
		return nil, call400("UnsupportedOperation", "Session tags are not supported by this server.")
	case in.SourceIdentity != "":
		return nil, call400("UnsupportedOperation", "SourceIdentity is not supported by this server.")
	case in.SerialNumber != "", in.TokenCode != "":
		return nil, call400("UnsupportedOperation", "Multi-factor authentication is not supported by this server.")
	}
	target, accountID, ok := s.findRole(in.RoleArn)
	check := request.Check{Action: "sts:AssumeRole", Resource: in.RoleArn, ResourceAccountID: accountID, Mode: policy.ModeTrustPolicy, Context: policy.Context{}}
	if ok {
		check.ResourcePolicy = target.Trust.parsed
	}
	check.Context.Set("sts:RoleSessionName", in.RoleSessionName)
	if in.ExternalId != nil {
		check.Context.Set("sts:ExternalId", *in.ExternalId)
	}
	if r.Caller.Principal.Type == policy.Root {
		return nil, &request.Error{Code: "AccessDenied", Message: "Roles may not be assumed by root accounts.", Status: http.StatusForbidden}
	}
	if err := request.Require(r.ctx, s, r.Call, check); err != nil {
		return nil, err
	}
	if !ok {
		return nil, forbidden("User: " + r.Caller.Principal.ARN + " is not authorized to perform: sts:AssumeRole on resource: " + in.RoleArn)
	}
	limit := target.MaxSessionDuration
	if r.Caller.Principal.Type == policy.AssumedRole {
		limit = min(limit, maxChained)
	}
	seconds := defaultSessionLimit
	if in.DurationSeconds != nil {
		seconds = *in.DurationSeconds
	}
	if seconds < minAssumed || seconds > maxSession {
		return nil, outside("durationSeconds", seconds, minAssumed, maxSession)
	}
	if seconds > limit {
		if r.Caller.Principal.Type == policy.AssumedRole {
			return nil, invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
		}
		return nil, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	x := &session{Name: in.RoleSessionName, Issued: s.now(), Expires: s.now().Add(time.Duration(seconds) * time.Second),
		Principal: policy.Principal{Type: policy.AssumedRole, AccountID: accountID, ARN: sessionARN(accountID, target.Name, in.RoleSessionName),
			UniqueID: target.ID + ":" + in.RoleSessionName, RoleARN: target.ARN, RoleUniqueID: target.ID}}
	if err := s.sessionPolicies(x, in); err != nil {
		return nil, err
	}
	token, err := s.issue(x)
	if err != nil {
		return nil, err
	}
	r.Trail.Resources = []request.Resource{{ARN: target.ARN, AccountID: accountID, Type: "AWS::IAM::Role"}}
	r.Trail.ResponseElements = map[string]any{"credentials": x.shown(),
		"assumedRoleUser": map[string]any{"assumedRoleId": x.Principal.UniqueID, "arn": x.Principal.ARN}}
	var out struct {
		Credentials     credentialsView
		AssumedRoleUser struct{ AssumedRoleId, Arn string }
	}
	out.Credentials = credentialsView{x.AccessKeyID, x.Secret, token, x.Expires}
	out.AssumedRoleUser.AssumedRoleId, out.AssumedRoleUser.Arn = x.Principal.UniqueID, x.Principal.ARN
	return out, nil
}

// findRole copies what assumeRole needs, so that no lock is held while the
// trust policy is evaluated.
func (s *Service) findRole(arn string) (found role, accountID string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for id, a := range s.accounts {
		if r := a.Roles[lastPart(arn)]; r != nil && r.ARN == arn {
			return *r, id, true
		}
	}
	return role{}, "", false
}

func (s *Service) sessionPolicies(x *session, in *assumeRole) error {
	if len(in.PolicyArns) > maxPolicyArns {
		return tooLong("policyArns", maxPolicyArns)
	}
	if in.Policy != "" {
		if _, err := parseDocument(in.Policy, policy.Session, maxUserDocuments); err != nil {
			return err
		}
		x.Documents = append(x.Documents, sessionPolicy{Name: "session policy", Text: string(in.Policy)})
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.accounts[x.Principal.AccountID]
	for _, p := range in.PolicyArns {
		name, d, ok := a.policyDocument(p.Arn)
		if !ok {
			return call400("MalformedPolicyDocument", "Policy "+p.Arn+" does not exist.")
		}
		x.Documents = append(x.Documents, sessionPolicy{Name: name, ARN: p.Arn, Text: d.Text()})
	}
	return nil
}

const (
	defaultPlainSession = 43200
	maxPlainSession     = 129600
	maxRootSession      = 3600
)

func (s *Service) getSessionToken(r *call, in *struct {
	DurationSeconds         *int
	SerialNumber, TokenCode string
}) (any, error) {
	p := r.Caller.Principal
	if r.Caller.Session != nil {
		return nil, forbidden("Cannot call GetSessionToken with session credentials")
	}
	if in.SerialNumber != "" || in.TokenCode != "" {
		return nil, call400("UnsupportedOperation", "Multi-factor authentication is not supported by this server.")
	}
	seconds := defaultPlainSession
	if in.DurationSeconds != nil {
		seconds = *in.DurationSeconds
	}
	if seconds < minAssumed || seconds > maxPlainSession {
		return nil, outside("durationSeconds", seconds, minAssumed, maxPlainSession)
	}
	if p.Type == policy.Root {
		seconds = min(seconds, maxRootSession)
	}
	x := &session{Name: r.Caller.UserName, Principal: p, Issued: s.now(), Expires: s.now().Add(time.Duration(seconds) * time.Second)}
	token, err := s.issue(x)
	if err != nil {
		return nil, err
	}
	r.Trail.ResponseElements = map[string]any{"credentials": x.shown()}
	return struct{ Credentials credentialsView }{credentialsView{x.AccessKeyID, x.Secret, token, x.Expires}}, nil
}
