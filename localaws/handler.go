package localaws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"unique"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
	"github.com/ddbseal/ddbseal/localaws/internal/cloudtrail"
	"github.com/ddbseal/ddbseal/localaws/internal/iam"
	"github.com/ddbseal/ddbseal/localaws/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/sigv4"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// serve answers one request whose body has been read. The order of refusals is
// DynamoDB's: serialization, unknown operation, missing or incomplete
// signature, expired or wrong scope, unknown client, wrong signature; only then
// the service looks at the request. The error is the context's: nobody waits
// for an answer.
func (s *Server) serve(ctx context.Context, in *incoming, e *endpoint, operation string) (answer, error) {
	id := cloudtrail.NewID()
	sig, sigErr := sigv4.Parse(&in.Request)
	body := in.Body
	if e.query() {
		if in.Method == http.MethodGet {
			body = unsignedQuery(in.RawQuery)
		}
		var named *endpoint
		if named, operation = s.routeQuery(body, sig); named != nil {
			e = named
		}
	}
	o, known := e.service.Describe(operation)
	switch {
	case (!known || sigErr != nil) && !e.query() && !json.Valid(body):
		return e.failure(id, e.refusal("SerializationException", "")), nil
	case !known:
		return e.failure(id, e.refusal("UnknownOperationException", "This server has no operation "+e.name+":"+operation)), nil
	case sigErr != nil:
		return e.failure(id, e.signatureRefusal(sigErr)), nil
	}

	// Events outlive the request: what they keep of it must not pin its headers.
	c := &call.Call{ID: id, Time: s.options.Clock(), Service: e.name, Operation: intern(operation), Region: intern(sig.Region),
		SourceIP: in.sourceIP, UserAgent: intern(in.userAgent), Secure: in.secure, Body: body}
	if e.name == "iam" {
		c.Region = "us-east-1" // a global service: its events are filed there
	}
	if err := s.authenticate(c, in, e, sig); err != nil {
		if !e.query() && !json.Valid(body) {
			return e.failure(id, e.refusal("SerializationException", "")), nil
		}
		if c.AccountID != "" {
			s.log.RecordUnauthenticated(c, o, err)
		}
		return e.failure(id, err), nil
	}
	out, err := s.perform(ctx, c, e, o)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return answer{}, ctx.Err()
	}
	s.log.Record(c, o, err)
	if err != nil {
		s.note(c, err)
		return e.failure(id, err), nil
	}
	return e.success(id, out), nil
}

// intern returns the one copy of a string that many requests have.
func intern(s string) string { return unique.Make(s).Value() }

// authenticate fills in the caller, or returns the refusal. c.AccountID is set
// as soon as the access key is known to be somebody's.
func (s *Server) authenticate(c *call.Call, in *incoming, e *endpoint, sig *sigv4.Signature) error {
	if err := sig.CheckScope(s.options.SigningClock(), e.name); err != nil {
		return e.signatureRefusal(err)
	}
	secret, caller, err := s.identity.Credentials(sig.AccessKeyID, sig.SecurityToken)
	switch {
	case errors.Is(err, iam.ErrExpiredToken):
		return e.refusal("ExpiredTokenException", "The security token included in the request is expired")
	case err != nil:
		return e.refusal("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	c.AccountID = caller.Principal.AccountID
	if err := s.verifier.Verify(&in.Request, sig, secret); err != nil {
		// Whose key was named is known, who named it is not.
		c.Caller = call.Caller{Principal: policy.Principal{AccountID: c.AccountID}, AccessKeyID: sig.AccessKeyID}
		return e.signatureRefusal(err)
	}
	c.Caller = caller
	s.identity.Used(sig.AccessKeyID, c.Service, c.Region)
	return nil
}

// perform lets the service answer, unless a fault does.
func (s *Server) perform(ctx context.Context, c *call.Call, e *endpoint, o call.Operation) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			// The stack tells where, and no values; the panic's own text may
			// hold some, so only its type goes out.
			err = &panicError{kind: fmt.Sprintf("%T", r), stack: debug.Stack()}
		}
	}()
	wait, kind := s.faults.Load().before(c, o)
	if err := sleep(ctx, wait); err != nil {
		return nil, err
	}
	if kind != 0 {
		return nil, faultError(kind, c)
	}
	// The services hold what was not written, so nothing they say is true.
	if err := s.store.Failed(); err != nil {
		return nil, err
	}
	out, err = e.service.Serve(ctx, c)
	if o.ReadOnly || o.Data { // item calls wait themselves, for no more than they must
		return out, err
	}
	// The answer may rest on another caller's change that is on its way to
	// disk, such as the refusal to make what exists.
	if failed := s.store.Submit(new(storage.Tx)).Wait(); failed != nil {
		return nil, failed
	}
	return out, err
}

// panicError is a recovered panic.
type panicError struct {
	kind  string
	stack []byte
}

func (p *panicError) Error() string { return "panic (" + p.kind + ")\n" + string(p.stack) }

// signatureRefusal turns an error of sigv4 into the one of the wire.
func (e *endpoint) signatureRefusal(err error) *call.Error {
	var bad *sigv4.Error
	if !errors.As(err, &bad) {
		return e.refusal("IncompleteSignatureException", "The request signature cannot be read.")
	}
	switch bad.Kind {
	case sigv4.Missing:
		return e.refusal("MissingAuthenticationTokenException", bad.Message)
	case sigv4.Incomplete, sigv4.Unsupported:
		return e.refusal("IncompleteSignatureException", bad.Message)
	}
	return e.refusal("InvalidSignatureException", bad.Message)
}

// unsignedQuery is the query string of a presigned request without the
// signature's own parameters: they must not appear in the audit.
func unsignedQuery(raw string) []byte {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil
	}
	for name := range q {
		if strings.HasPrefix(name, "X-Amz-") {
			delete(q, name)
		}
	}
	return []byte(q.Encode())
}

// refuse answers a request that no endpoint is responsible for.
func refuse(in *incoming) answer {
	a := answer{contentType: "text/plain", requestID: cloudtrail.NewID()}
	switch {
	case (in.Method == http.MethodGet || in.Method == http.MethodHead) && in.RawQuery == "" && (in.Path == "/" || in.Path == "") && in.get("Authorization") == "":
		// What DynamoDB's own endpoint says to a health check. A signed request
		// is one for a service that is not here, such as S3's ListBuckets.
		a.status, a.body = http.StatusOK, []byte("healthy: localaws\n")
	case in.get("X-Amz-Target") != "" || in.Method == http.MethodPost:
		a.status, a.contentType = http.StatusBadRequest, "application/x-amz-json-1.0"
		a.body = []byte(`{"__type":"com.amazon.coral.service#UnknownOperationException","message":"X-Amz-Target, Content-Type or Action name no service of this server"}`)
	default:
		a.status, a.body = http.StatusNotFound, []byte("no service of this server answers here\n")
	}
	return a
}
