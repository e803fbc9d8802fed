package frontdoor

import (
	"errors"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/sigv4"
)

// authenticate fills in the caller, or returns the refusal. c.AccountID is set
// as soon as the access key is known to belong to an account.
func (d *Door) authenticate(c *request.Call, r *exchange, e *Endpoint, sig *sigv4.Signature) error {
	if err := sig.CheckScope(d.config.SigningClock(), e.Name); err != nil {
		return e.signatureRefusal(err)
	}
	secret, caller, err := d.config.Identity.Credentials(sig.AccessKeyID, sig.SecurityToken)
	switch {
	case errors.Is(err, request.ErrExpiredToken):
		return e.refusal("ExpiredTokenException", "The security token included in the request is expired")
	case err != nil:
		return e.refusal("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	c.AccountID = caller.Principal.AccountID
	if err := d.verifier.Verify(&r.Request, sig, secret); err != nil {
		// Whose key was named is known, who named it is not.
		c.Caller = request.Caller{Principal: policy.Principal{AccountID: c.AccountID}, AccessKeyID: sig.AccessKeyID}
		return e.signatureRefusal(err)
	}
	c.Caller = caller
	d.config.Identity.Used(sig.AccessKeyID, c.Service, c.Region)
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
