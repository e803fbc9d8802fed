// SPDX-License-Identifier: Apache-2.0

// Package awserror tells what an error of an AWS call means for a wrapping
// key: permission missing, service unavailable, or something else.
package awserror

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/awsmessage"
)

// Key wraps the error of a call in a [materials.KeyError]. permission is the
// IAM action that the call needs; the error names it as missing only if the
// service says that access is denied, and names the action that the service
// names if it names one (ReEncrypt needs two). Cancellation and throttling are
// no denial.
func Key(provider, keyID, permission string, err error) *materials.KeyError {
	e := &materials.KeyError{Provider: provider, KeyID: keyID, Err: err, Code: Code(err)}
	if e.Code == "AccessDeniedException" || e.Code == "AccessDenied" {
		e.Missing = permission
		if named, _ := awsmessage.Refused(err); named != "" {
			e.Missing = named
		}
	}
	return e
}

// Code returns the service's error code, such as "ThrottlingException", or "".
func Code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// Codes that say "not now": with them the state of the key is unknown.
var unavailableCodes = map[string]bool{
	"ThrottlingException": true, "Throttling": true, "RequestLimitExceeded": true, "TooManyRequestsException": true,
	"ProvisionedThroughputExceededException": true, "ThrottledException": true, "SlowDown": true,
	"KMSInternalException": true, "DependencyTimeoutException": true, "KeyUnavailableException": true,
	"InternalServerError": true, "InternalFailure": true, "ServiceUnavailable": true,
	"ServiceUnavailableException": true,
	"RequestTimeout":              true, "RequestTimeoutException": true,
}

// Unavailable reports whether the service could not be asked or was not able
// to answer: network failure, timeout, throttling, a fault of the service. A
// denial, a disabled or missing key and a cancelled caller are not that.
func Unavailable(err error) bool {
	// The status first: a gateway in front of a service answers without one of
	// its codes, and an empty answer becomes one of an unknown code.
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		if status := response.HTTPStatusCode(); status >= 500 || status == http.StatusTooManyRequests {
			return true
		}
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		return unavailableCodes[api.ErrorCode()] || api.ErrorFault() == smithy.FaultServer
	}
	if errors.Is(err, context.Canceled) {
		return false
	}
	var send *smithyhttp.RequestSendError
	var network net.Error
	return errors.As(err, &send) || errors.As(err, &network) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF) // an answer cut short
}
