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

// operations returns the table of what this STS answers.
func operations() *wire.Table[*Service, any] {
	return wire.NewTable(wire.Query{Read: wire.ShowParameters},
		reads("GetCallerIdentity", (*Service).getCallerIdentity),
		reads("AssumeRole", (*Service).assumeRole),
		reads("GetSessionToken", (*Service).getSessionToken),
		reads("GetAccessKeyInfo", (*Service).getAccessKeyInfo),
	)
}

// reads is the entry of an operation. All of them only read the state, and ask
// for permission themselves.
func reads[In any](name string,
	serve func(*Service, context.Context, *request.Call, *In) (any, error)) wire.Entry[*Service, any] {
	return wire.Op[*Service, In, any]{Name: name, Kind: wire.Read, Serve: serve}
}

// getCallerIdentity needs no permission: even an explicit deny does not stop
// it on AWS.
func (s *Service) getCallerIdentity(ctx context.Context, r *request.Call, _ *struct{}) (any, error) {
	p := r.Caller.Principal
	return struct{ UserId, Account, Arn string }{p.UniqueID, p.AccountID, p.ARN}, nil
}

func (s *Service) getAccessKeyInfo(ctx context.Context, r *request.Call,
	in *struct{ AccessKeyId string }) (any, error) {
	check := request.Check{Action: "sts:GetAccessKeyInfo", Resource: "*", ResourceAccountID: r.AccountID}
	if err := request.Require(ctx, s.identities, r, check); err != nil {
		return nil, err
	}
	accountID, ok := s.identities.KeyAccount(in.AccessKeyId)
	if !ok {
		return nil, request.Errorf("ValidationError", "Access key id is not known.")
	}
	return struct{ Account string }{accountID}, nil
}

type credentialsView struct {
	AccessKeyId, SecretAccessKey, SessionToken string
	Expiration                                 time.Time
}

// shown is what events tell of a session's credentials: by the access key id
// its calls are found.
func (c Credentials) shown() map[string]any {
	return map[string]any{"accessKeyId": c.AccessKeyID, "expiration": c.Expires}
}

var (
	sessionNamePattern = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	externalIDPattern  = regexp.MustCompile(`^[\w+=,.@:/-]+$`)
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
	DurationSeconds *int
	Tags            []wire.Tag
}

// DefaultSession and MaxSession bound the seconds of an assumed role's session.
const (
	DefaultSession = 3600
	MaxSession     = 43200
)

const (
	minAssumed    = 900
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

// outside refuses a duration that is not between low and high.
func outside(seconds, low, high int) error {
	return wire.Violated(wire.Number(int64(seconds)), "durationSeconds", wire.WithinRange(low, high))
}

func (s *Service) assumeRole(ctx context.Context, r *request.Call, in *assumeRole) (any, error) {
	if !sessionNamePattern.MatchString(in.RoleSessionName) {
		return nil, wire.Violated("'"+in.RoleSessionName+"'", "roleSessionName", wire.Matching(`[\w+=,.@-]*`))
	}
	if in.ExternalId != nil &&
		(len(*in.ExternalId) < 2 || len(*in.ExternalId) > 1224 || !externalIDPattern.MatchString(*in.ExternalId)) {
		return nil, wire.Violated("", "externalId", wire.LengthMatching(2, 1224, `[\w+=,.@:\/-]*`))
	}
	if !roleARNPattern.MatchString(in.RoleArn) {
		return nil, request.Errorf("ValidationError", "%.256s is invalid", in.RoleArn)
	}
	switch {
	case len(in.Tags)+len(in.TransitiveTagKeys) > 0:
		return nil, request.Errorf("UnsupportedOperation", "Session tags are not supported by this server.")
	case in.SourceIdentity != "":
		return nil, request.Errorf("UnsupportedOperation", "SourceIdentity is not supported by this server.")
	case in.SerialNumber != "", in.TokenCode != "":
		return nil, request.Errorf("UnsupportedOperation",
			"Multi-factor authentication is not supported by this server.")
	}
	target, ok := s.identities.RoleByARN(in.RoleArn)
	check := request.Check{Action: "sts:AssumeRole", Resource: in.RoleArn, ResourceAccountID: target.AccountID,
		Mode: policy.ModeTrustPolicy, Context: policy.Context{}}
	if ok {
		check.ResourcePolicy = target.Trust.Parsed()
	}
	check.Context.Set("sts:RoleSessionName", in.RoleSessionName)
	if in.ExternalId != nil {
		check.Context.Set("sts:ExternalId", *in.ExternalId)
	}
	if r.Caller.Principal.Type == policy.Root {
		return nil, forbidden("Roles may not be assumed by root accounts.")
	}
	if err := request.Require(ctx, s.identities, r, check); err != nil {
		return nil, err
	}
	if !ok {
		return nil, forbidden("User: " + r.Caller.Principal.ARN +
			" is not authorized to perform: sts:AssumeRole on resource: " + in.RoleArn)
	}
	limit := target.MaxSession
	if r.Caller.Principal.Type == policy.AssumedRole {
		limit = min(limit, maxChained)
	}
	seconds := DefaultSession
	if in.DurationSeconds != nil {
		seconds = *in.DurationSeconds
	}
	if seconds < minAssumed || seconds > MaxSession {
		return nil, outside(seconds, minAssumed, MaxSession)
	}
	if seconds > limit {
		if r.Caller.Principal.Type == policy.AssumedRole {
			return nil, request.Errorf("ValidationError",
				"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
		}
		return nil, request.Errorf("ValidationError",
			"The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	x := &Session{Name: in.RoleSessionName, Issued: s.now(), Expires: s.now().Add(time.Duration(seconds) * time.Second),
		Principal: policy.Principal{Type: policy.AssumedRole, AccountID: target.AccountID,
			ARN:      SessionARN(target.AccountID, target.Name, in.RoleSessionName),
			UniqueID: target.ID + ":" + in.RoleSessionName, RoleARN: target.ARN, RoleUniqueID: target.ID}}
	if err := s.sessionPolicies(x, in); err != nil {
		return nil, err
	}
	issued, err := s.issue(x)
	if err != nil {
		return nil, err
	}
	r.Trail.Resources = []request.Resource{{ARN: target.ARN, AccountID: target.AccountID, Type: "AWS::IAM::Role"}}
	r.Trail.ResponseElements = map[string]any{"credentials": issued.shown(),
		"assumedRoleUser": map[string]any{"assumedRoleId": x.Principal.UniqueID, "arn": x.Principal.ARN}}
	var out struct {
		Credentials     credentialsView
		AssumedRoleUser struct{ AssumedRoleId, Arn string }
	}
	out.Credentials = issued.view()
	out.AssumedRoleUser.AssumedRoleId, out.AssumedRoleUser.Arn = x.Principal.UniqueID, x.Principal.ARN
	return out, nil
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

const (
	defaultPlainSession = 43200
	maxPlainSession     = 129600
	maxRootSession      = 3600
)

func (s *Service) getSessionToken(ctx context.Context, r *request.Call, in *struct {
	DurationSeconds         *int
	SerialNumber, TokenCode string
}) (any, error) {
	p := r.Caller.Principal
	if r.Caller.Session != nil {
		return nil, forbidden("Cannot call GetSessionToken with session credentials")
	}
	if in.SerialNumber != "" || in.TokenCode != "" {
		return nil, request.Errorf("UnsupportedOperation",
			"Multi-factor authentication is not supported by this server.")
	}
	seconds := defaultPlainSession
	if in.DurationSeconds != nil {
		seconds = *in.DurationSeconds
	}
	if seconds < minAssumed || seconds > maxPlainSession {
		return nil, outside(seconds, minAssumed, maxPlainSession)
	}
	if p.Type == policy.Root {
		seconds = min(seconds, maxRootSession)
	}
	x := &Session{Name: r.Caller.UserName, Principal: p, Issued: s.now(),
		Expires: s.now().Add(time.Duration(seconds) * time.Second)}
	issued, err := s.issue(x)
	if err != nil {
		return nil, err
	}
	r.Trail.ResponseElements = map[string]any{"credentials": issued.shown()}
	return struct{ Credentials credentialsView }{issued.view()}, nil
}
