// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Endpoint is one service as the wire sees it.
type Endpoint struct {
	Name string // signing name
	// ID tells the endpoint from others with its signing name. Empty: Name.
	ID      string
	Service request.Service
	// Targets are what comes before the last dot of X-Amz-Target in requests
	// for a JSON service.
	Targets []string
	// Version is the version of a Query service's interface, and Namespace the
	// XML namespace of its answers. Both are empty for a JSON service.
	Version, Namespace string
	// ContentType is the content type of answers.
	ContentType string
	// MaxBody is the largest request body in bytes. It is the same for all
	// Query services: which of them is meant is only known from the body.
	MaxBody int64
	// Errors is the namespace of the service's own error codes in __type;
	// empty: none.
	Errors string
	// InternalError is the code of an internal failure; empty: InternalFailure.
	InternalError string
	// Region is where a global service files its events; empty: the Region of
	// the signature's scope.
	Region string
	// Server is the Server header of answers; empty: none.
	Server string
	// Checksum adds the CRC-32 of the body to answers.
	Checksum bool
}

func (e *Endpoint) query() bool { return e.Namespace != "" }

// Mount adds an endpoint, in place of one of the same ID. It must not be
// called while requests are served.
func (d *Door) Mount(e Endpoint) {
	d.byID[cmp.Or(e.ID, e.Name)] = &e
	for _, target := range e.Targets {
		d.byTarget[target] = &e
	}
	if e.query() {
		d.byVersion[e.Version] = &e
		if d.form == nil || d.form.Name == e.Name {
			d.form = &e
		}
	}
}

// Endpoint returns the endpoint with an ID.
func (d *Door) Endpoint(id string) (e Endpoint, ok bool) {
	if found := d.byID[id]; found != nil {
		return *found, true
	}
	return Endpoint{}, false
}

// commonErrors are the codes that AWS's framework answers for every JSON
// service, so that they carry its namespace and not the service's.
var commonErrors = map[string]bool{
	"AccessDeniedException": true, "ExpiredTokenException": true, "IncompleteSignatureException": true,
	"InternalFailure": true, "InvalidSignatureException": true, "MissingAuthenticationTokenException": true,
	"SerializationException": true, "ServiceUnavailable": true, "ThrottlingException": true,
	"UnknownOperationException": true, "UnrecognizedClientException": true, "RequestEntityTooLargeException": true,
}

// typeName is the __type of a JSON error body.
func (e *Endpoint) typeName(err *request.Error) string {
	switch {
	case err.Namespace != "":
		return err.Namespace + "#" + err.Code
	case err.Code == "ValidationException":
		return "com.amazon.coral.validate#" + err.Code
	case commonErrors[err.Code]:
		return "com.amazon.coral.service#" + err.Code
	case e.Errors != "":
		return e.Errors + "#" + err.Code
	}
	return err.Code
}

// queryCodes are the codes of refusals for JSON services with the code and the
// status that Query services have for the same.
var queryCodes = map[string]struct {
	code   string
	status int
}{
	"MissingAuthenticationTokenException": {"MissingAuthenticationToken", http.StatusForbidden},
	"IncompleteSignatureException":        {"IncompleteSignature", http.StatusBadRequest},
	"InvalidSignatureException":           {"SignatureDoesNotMatch", http.StatusForbidden},
	"UnrecognizedClientException":         {"InvalidClientTokenId", http.StatusForbidden},
	"ExpiredTokenException":               {"ExpiredToken", http.StatusForbidden},
	"SerializationException":              {"MalformedQueryString", http.StatusBadRequest},
	"UnknownOperationException":           {"InvalidAction", http.StatusBadRequest},
	"RequestEntityTooLargeException":      {"RequestEntityTooLarge", http.StatusRequestEntityTooLarge},
}

// refusal makes an error of the front door itself, under the code that the
// endpoint's protocol has for it.
func (e *Endpoint) refusal(code, message string) *request.Error {
	err := &request.Error{Code: code, Message: message, Status: http.StatusBadRequest}
	if code == "RequestEntityTooLargeException" {
		err.Status = http.StatusRequestEntityTooLarge
	}
	if e.query() {
		if q, ok := queryCodes[code]; ok {
			err.Code, err.Status = q.code, q.status
		} else {
			err.Code = strings.TrimSuffix(code, "Exception")
		}
	}
	return err
}
