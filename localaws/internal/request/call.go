// SPDX-License-Identifier: Apache-2.0

// Package request is what the front door, the services and the identity service of
// the embedded AWS share: one request being served, its caller, AWS's errors,
// and the seams Authorize and Record.
package request

import (
	"context"
	"errors"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// Call is one request being served, or one that a service makes on behalf of
// its caller. The front door fills it; a service reads it and adds Trail.
type Call struct {
	ID        string // request id, a UUID
	Time      time.Time
	Service   string // signing name: "kms", "dynamodb", "iam", "sts", "cloudtrail"
	Operation string // "Decrypt"
	Region    string // from the signature's scope; IAM's is us-east-1
	AccountID string // the caller's account: whose resources unqualified names mean
	Caller    Caller
	Host      string // to which the client sent the request
	SourceIP  string
	UserAgent string
	Secure    bool   // over TLS, or in-process
	Body      []byte // JSON, or a form for the Query protocol

	// ViaService is the service that calls on behalf of Caller, such as
	// "dynamodb.us-east-1.amazonaws.com"; empty for a direct call.
	ViaService string
	// ForAWSResource marks a CreateGrant made by a service for its own
	// resource: condition key kms:GrantIsForAWSResource.
	ForAWSResource bool
	// SourceARN is the resource for which an AWS service acts as itself, with
	// no user behind it: condition keys aws:SourceArn and aws:SourceAccount.
	// Empty for every call that a user makes or causes.
	SourceARN string

	// Trail is what the service wants to appear in the audit event.
	Trail Trail
}

// Via returns the call that service makes next, on behalf of the same caller
// and under the same request: it is authorized as the caller and audited on
// its own.
func (c *Call) Via(service, operation, viaService string) *Call {
	return &Call{ID: c.ID, Time: c.Time, Service: service, Operation: operation, Region: c.Region,
		AccountID: c.AccountID,
		Caller:    c.Caller, SourceIP: c.SourceIP, UserAgent: c.UserAgent, Secure: true, ViaService: viaService}
}

// Caller is who signed the call, resolved.
type Caller struct {
	Principal   policy.Principal
	UserName    string // IAM user name, or the session name of an assumed role
	AccessKeyID string
	// Session holds what an assumed-role or GetSessionToken session carries;
	// nil for long-term credentials. Only the identity service looks inside.
	Session any
}

// ErrExpiredToken is the error for a session token that has expired. The front
// door answers it differently from every other reason to reject credentials.
var ErrExpiredToken = errors.New("expired session token")

// Service answers the operations of one AWS service.
type Service interface {
	// Serve answers one call with the response body in the service's protocol.
	// An error that is not an *Error becomes InternalFailure.
	Serve(ctx context.Context, c *Call) ([]byte, error)
	// Describe tells the front door about an operation, for routing and audit;
	// ok is false for one that AWS has and this server does not, or that does
	// not exist.
	Describe(operation string) (o Operation, ok bool)
}

// Operation is what the front door needs to know of one operation.
type Operation struct {
	ReadOnly bool
	Data     bool // a data event (item calls): not answered by LookupEvents
}

// Check is one question to the identity service.
type Check struct {
	Action            string // "kms:Decrypt"
	Resource          string // ARN, or "*"
	ResourceAccountID string
	// Context has the service's own condition keys; the identity service adds the
	// global ones (aws:PrincipalArn, aws:SourceIp, aws:CurrentTime,
	// kms:ViaService, aws:CalledVia, …) to this very map, so it belongs to one
	// check only.
	Context policy.Context
	// EncryptionContext is KMS's, for kms:EncryptionContext:… and grants.
	EncryptionContext map[string]string
	// ResourcePolicy is the policy of the key, role or table; nil: none.
	ResourcePolicy *policy.Document
	// Mode says how resource policy and identity policies combine.
	Mode policy.ResourceMode
	// Grants are the key's grants whose grantee may be the caller.
	Grants []policy.Grant
}

// Authorizer decides calls: the first of the three seams. Every operation of
// every service asks it before it reads or changes anything.
type Authorizer interface {
	Authorize(ctx context.Context, c *Call, k Check) policy.Decision
}

// Require asks a and returns nil when the call is allowed, else AWS's
// AccessDenied error for it with the decision inside.
func Require(ctx context.Context, a Authorizer, c *Call, k Check) error {
	d := a.Authorize(ctx, c, k)
	if d.Allowed {
		return nil
	}
	return Denied(c, k, d)
}
