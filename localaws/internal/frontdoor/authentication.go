// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"errors"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/sigv4"
)

// claimLife is how long a claim that was found before the body was read holds:
// a body can take so long that the access key is deleted meanwhile.
const claimLife = time.Second

// claim is whom a request names as its caller, and the secret that its signature
// must be made with.
type claim struct {
	endpoint *Endpoint
	at       time.Time
	secret   string
	caller   request.Caller
}

// claim returns the claim of a request for e.
func (d *Door) claim(r *exchange, e *Endpoint) (claim, error) {
	if r.sigErr != nil {
		return claim{}, e.signatureRefusal(r.sigErr)
	}
	now := d.config.SigningClock()
	if r.claim.endpoint == e && now.Sub(r.claim.at).Abs() < claimLife {
		return r.claim, nil
	}
	if err := r.sig.CheckScope(now, e.Name); err != nil {
		return claim{}, e.signatureRefusal(err)
	}
	secret, caller, err := d.config.Identity.Credentials(r.sig.AccessKeyID, r.sig.SecurityToken)
	switch {
	case errors.Is(err, request.ErrExpiredToken):
		return claim{}, e.refusal("ExpiredTokenException", "The security token included in the request is expired")
	case err != nil:
		return claim{}, e.refusal("UnrecognizedClientException",
			"The security token included in the request is invalid.")
	}
	return claim{e, now, secret, caller}, nil
}

// examine refuses what the headers alone show to be refused: a signature that is
// missing, malformed, of another time or of an unknown caller, and one that is
// wrong for the hash of the body that the client announces. Everything is
// checked again with the body.
func (d *Door) examine(r *exchange, e *Endpoint, operation string) error {
	if e.query() && r.sig != nil {
		if scoped := d.byID[r.sig.Service]; scoped != nil && scoped.query() {
			e = scoped
		}
	}
	found, err := d.claim(r, e)
	r.claim = found
	announced := r.get("X-Amz-Content-Sha256")
	if err != nil || len(announced) != 64 || 0 <= r.length && r.length <= smallBody {
		return err
	}
	if err := d.verifier.VerifyAnnounced(&r.Request, r.sig, found.secret, announced); err != nil {
		refusal := e.signatureRefusal(err)
		if o, known := e.Service.Describe(operation); known {
			c := d.call(r, e, request.NewID(), operation)
			suspect(c, found.caller)
			d.config.Log.RecordUnauthenticated(c, o, refusal)
		}
		return refusal
	}
	return nil
}

// suspect fills in the account of a call whose signature is wrong: whose access
// key was named is known, who named it is not.
func suspect(c *request.Call, named request.Caller) {
	c.AccountID = named.Principal.AccountID
	c.Caller = request.Caller{Principal: policy.Principal{AccountID: c.AccountID}, AccessKeyID: named.AccessKeyID}
}

// authenticate fills in the caller, or returns the refusal. c.AccountID is set
// as soon as the access key is known to belong to an account.
func (d *Door) authenticate(c *request.Call, r *exchange, e *Endpoint) error {
	found, err := d.claim(r, e)
	if err != nil {
		return err
	}
	if err := d.verifier.Verify(&r.Request, r.sig, found.secret); err != nil {
		suspect(c, found.caller)
		return e.signatureRefusal(err)
	}
	c.AccountID, c.Caller = found.caller.Principal.AccountID, found.caller
	d.config.Identity.Used(r.sig.AccessKeyID, c.Service, c.Region)
	return nil
}

// signatureRefusal turns an error of sigv4 into the one of the wire.
func (e *Endpoint) signatureRefusal(err error) *request.Error {
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
