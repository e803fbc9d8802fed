// SPDX-License-Identifier: Apache-2.0

// Package sigv4 verifies AWS Signature Version 4 requests on the server's side.
//
// It is used in two steps, because AWS answers an unknown access key before it
// answers a wrong signature:
//
//	sig, err := sigv4.Parse(req)             // shape of the signature
//	err = sig.CheckScope(now, "kms")         // date, service, terminator
//	secret, … := lookup(sig.AccessKeyID)
//	err = verifier.Verify(req, sig, secret)  // the signature itself
//
// The canonical request is rebuilt over exactly the headers that the client
// says it signed; tests compare it with the SDK's own signer.
//
// Reference: IAM user guide, "Create a signed AWS API request".
package sigv4

// Request is what a signature covers.
type Request struct {
	Method   string
	Path     string // escaped path; empty means "/"
	RawQuery string
	Host     string
	Header   map[string][]string // canonical MIME names, as in http.Header
	// ContentLength is the body's length; it stands in for a Content-Length
	// header that net/http has taken out.
	ContentLength int64
	Body          []byte
}

// Sizes of what an Authorization header may hold.
const (
	maxAccessKeyID   = 128 // IAM's own limit
	maxRegion        = 32
	maxService       = 32
	maxSignedHeaders = 64
	maxQuery         = 8 << 10
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	timeFormat = "20060102T150405Z"
	dateFormat = "20060102"
)
