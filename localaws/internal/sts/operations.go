// SPDX-License-Identifier: Apache-2.0

package sts

import (
	"context"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// operations returns the table of what every STS answers, built once.
var operations = sync.OnceValue(newOperations)

func newOperations() *wire.Table[*Service, any] {
	return wire.NewTable(wire.Query{Read: wire.ShowParameters},
		reads("GetCallerIdentity", (*Service).getCallerIdentity),
		reads("AssumeRole", (*Service).assumeRole),
		reads("GetSessionToken", (*Service).getSessionToken),
		reads("GetAccessKeyInfo", (*Service).getAccessKeyInfo),
	).Absent(wire.NoAction, map[string]string{
		"federation":             "AssumeRoleWithSAML AssumeRoleWithWebIdentity GetFederationToken GetWebIdentityToken",
		"organizations":          "AssumeRoot",
		"delegation requests":    "GetDelegatedAccessToken",
		"encoded authorizations": "DecodeAuthorizationMessage",
	})
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

// minSession and maxPlainSession bound the seconds of a session, and
// [MaxSession] those of a session of an assumed role.
const minSession = 900

// checkNumber checks a number that may be missing.
func checkNumber(c *wire.Checks, p *int, path string, low, high int64) {
	if p != nil {
		n := int64(*p)
		c.Between(&n, path, low, high)
	}
}

// tokenSize tells how much of the space of a session token is used.
type tokenSize struct{ SessionTokenSize, SessionTokenUtilization int }

type credentialsView struct {
	AccessKeyId, SecretAccessKey, SessionToken string
	Expiration                                 time.Time
}

// shown is what events tell of a session's credentials: by the access key id
// its calls are found.
func (c Credentials) shown() map[string]any {
	return map[string]any{"accessKeyId": c.AccessKeyID, "expiration": c.Expires}
}

const (
	defaultPlainSession = 43200
	maxPlainSession     = 129600
	maxRootSession      = 3600
)

type getSessionToken struct {
	DurationSeconds, MinimumSessionTokenSize *int
	SerialNumber, TokenCode                  string
}

// Check implements wire.Checker.
func (in *getSessionToken) Check(c *wire.Checks) {
	checkNumber(c, in.DurationSeconds, "durationSeconds", minSession, maxPlainSession)
	checkNumber(c, in.MinimumSessionTokenSize, "minimumSessionTokenSize", 0, maxCounted)
}

func (s *Service) getSessionToken(ctx context.Context, r *request.Call, in *getSessionToken) (any, error) {
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
	if p.Type == policy.Root {
		seconds = min(seconds, maxRootSession)
	}
	x := &Session{Name: r.Caller.UserName, Principal: p, Issued: s.now(),
		Expires: s.now().Add(time.Duration(seconds) * time.Second)}
	issued, err := s.issueSized(x, in.MinimumSessionTokenSize)
	if err != nil {
		return nil, err
	}
	r.Trail.ResponseElements = map[string]any{"credentials": issued.shown()}
	return struct {
		tokenSize
		Credentials credentialsView
	}{issued.size(), issued.view()}, nil
}
