// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
	"unique"

	"golang.org/x/sync/semaphore"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/sigv4"
)

// Identity resolves access keys.
type Identity interface {
	// Credentials returns the secret of an access key and whom it belongs to.
	// It fails with request.ErrExpiredToken for an expired session and with any
	// other error for credentials that are not valid.
	Credentials(accessKeyID, sessionToken string) (secret string, caller request.Caller, err error)
	// Used notes that a request with a valid signature named the access key.
	Used(accessKeyID, service, region string)
}

// Log files the events of calls.
type Log interface {
	request.Recorder
	// RecordUnauthenticated files a call whose signature was refused, in the
	// account of the access key that it named.
	RecordUnauthenticated(c *request.Call, o request.Operation, err error)
}

// Config is what a Door needs. Every member must be set.
type Config struct {
	Identity Identity
	Log      Log
	// Clock is the time of calls, SigningClock what signatures are compared
	// with.
	Clock, SigningClock func() time.Time
	// Interrupt returns the error to answer in place of the service, nil to
	// let the service answer. It may wait until ctx ends.
	Interrupt func(ctx context.Context, c *request.Call, o request.Operation) error
	// Failed returns why the services' state cannot be filed now, or nil.
	Failed func() error
	// Settle waits until everything that was changed so far is durable.
	Settle func() error
	// Report gets every error that a service or Interrupt answered with.
	Report func(c *request.Call, err error)
	// Explain returns what a client may know of an internal failure, or the
	// empty string.
	Explain func(err error) string
	// Logger gets a record of each request at level debug.
	Logger *slog.Logger
}

// Door is the way of every request. Its methods are safe for use by any number
// of goroutines once every endpoint is mounted.
type Door struct {
	config   Config
	verifier sigv4.Verifier
	bodies   *semaphore.Weighted // bytes of large bodies from connections
	memory   *memory
	packers  packers

	byID      map[string]*Endpoint
	byTarget  map[string]*Endpoint
	byVersion map[string]*Endpoint
	form      *Endpoint // the first Query endpoint: their limits are the same
}

// New returns a door without endpoints.
func New(c Config) *Door {
	return &Door{config: c, bodies: semaphore.NewWeighted(maxInFlight), memory: newMemory(), packers: newPackers(),
		byID: map[string]*Endpoint{}, byTarget: map[string]*Endpoint{}, byVersion: map[string]*Endpoint{}}
}

// pass takes one request the whole way to its answer. It fails with the error
// of ctx when the client no longer waits, and with the body's error when the
// body cannot be read; there is nothing to answer then.
func (d *Door) pass(ctx context.Context, r *exchange) (answer, error) {
	e, operation := d.route(r)
	if e == nil {
		return stray(r), nil
	}
	r.service, r.operation = e.Name, operation
	r.sig, r.sigErr = sigv4.Parse(&r.Request)
	if a, ok := d.admit(ctx, r, e, operation); !ok {
		return a, nil
	}
	if err := d.read(ctx, r, e.MaxBody); err != nil {
		return e.unreadable(err)
	}
	return d.answer(ctx, r, e, operation)
}

// answer answers a request whose body has been read. The order of refusals is
// serialization, missing or incomplete signature, expired or wrong scope,
// unknown client, wrong signature, unknown operation; only then the service
// looks at the request. DynamoDB has this order but for unknown operations,
// which it names to callers that it does not know.
func (d *Door) answer(ctx context.Context, r *exchange, e *Endpoint, operation string) (answer, error) {
	id := request.NewID()
	body := r.Body
	if e.query() {
		if r.Method == http.MethodGet {
			body = unsignedQuery(r.RawQuery)
		} else if r.compressed != "" && r.claim.endpoint != nil {
			// The form says which service is meant, so it is unpacked before the
			// signature is verified, but for a known caller.
			var err error
			if body, err = d.inflate(ctx, r, e); err != nil {
				return e.failure(id, err), nil
			}
		}
		var named *Endpoint
		if named, operation = d.routeQuery(body, r.sig); named != nil {
			e = named
		}
	}
	r.service, r.operation = e.Name, operation
	malformed := func() bool { return !e.query() && r.compressed == "" && !json.Valid(body) }
	if r.sigErr != nil {
		if malformed() {
			return e.failure(id, e.refusal("SerializationException", "")), nil
		}
		return e.failure(id, e.signatureRefusal(r.sigErr)), nil
	}
	o, known := e.Service.Describe(operation)
	c := d.call(r, e, id, operation)
	if err := d.authenticate(c, r, e); err != nil {
		if malformed() {
			return e.failure(id, e.refusal("SerializationException", "")), nil
		}
		if c.AccountID != "" && known {
			d.config.Log.RecordUnauthenticated(c, o, err)
		}
		return e.failure(id, err), nil
	}
	if r.compressed != "" && !e.query() {
		var err error
		if body, err = d.inflate(ctx, r, e); err != nil {
			return e.failure(id, err), nil
		}
	}
	if !known {
		if !e.query() && !json.Valid(body) {
			return e.failure(id, e.refusal("SerializationException", "")), nil
		}
		message := "This server has no operation " + e.Name + ":" + operation
		return e.failure(id, e.refusal("UnknownOperationException", message)), nil
	}
	c.Body = body
	out, err := d.serve(ctx, c, e, o)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return answer{}, ctx.Err()
	}
	told := d.explained(e, err)
	d.config.Log.Record(c, o, told)
	if err != nil {
		d.config.Report(c, err)
		return e.failure(id, told), nil
	}
	return e.success(id, out), nil
}

// call begins the call that a request with a signature is. Events outlive the
// request: what they keep of it must not pin its headers.
func (d *Door) call(r *exchange, e *Endpoint, id, operation string) *request.Call {
	c := &request.Call{ID: id, Time: d.config.Clock(), Service: e.Name, Operation: intern(operation),
		Region: intern(r.sig.Region), Host: r.Host, SourceIP: r.sourceIP, UserAgent: intern(r.userAgent),
		Secure: r.secure}
	if e.Region != "" {
		c.Region = e.Region
	}
	return c
}

// intern returns the one copy of a string that many requests have.
func intern(s string) string { return unique.Make(s).Value() }

// serve lets the service answer, unless Interrupt does.
func (d *Door) serve(ctx context.Context, c *request.Call, e *Endpoint, o request.Operation) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			// The stack tells where, and no values; the panic's own text may
			// hold some, so only its type goes out.
			err = &panicError{kind: fmt.Sprintf("%T", r), stack: debug.Stack()}
		}
	}()
	if err := d.config.Interrupt(ctx, c, o); err != nil {
		return nil, err
	}
	// The services hold what was not written, so nothing they say is true.
	if err := d.config.Failed(); err != nil {
		return nil, err
	}
	out, err = e.Service.Serve(ctx, c)
	if o.ReadOnly || o.Data { // item calls wait themselves, for no more than they must
		return out, err
	}
	// The answer may rest on another caller's change that is on its way to
	// disk, such as the refusal to make what exists.
	if failed := d.config.Settle(); failed != nil {
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
