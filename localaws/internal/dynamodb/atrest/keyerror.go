// SPDX-License-Identifier: Apache-2.0

package atrest

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// keyError returns DynamoDB's answer to a call that KMS refused with err.
func keyError(c *request.Call, err error) error {
	var k *request.Error
	if !errors.As(err, &k) {
		return refusal.Internal(err)
	}
	status := k.HTTPStatus()
	if status >= 500 {
		return refusal.Internal(fmt.Errorf("KMS: %w", cmp.Or(k.Cause, error(k))))
	}
	text := func(prefix, class string) string {
		return fmt.Sprintf("%s: com.amazonaws.services.kms.model.%s: %s (Service: AWSKMS; Status Code: %d; "+
			"Error Code: %s; Request ID: %s; Proxy: null)",
			prefix, class, k.Message, status, k.Code, c.ID)
	}
	switch k.Code {
	case "AccessDeniedException":
		refused := refusal.AccessDenied(text("KMS key access denied error", "AWSKMSException"))
		refused.Decision = k.Decision
		return refused
	case "DisabledException":
		return refusal.Validation(text("KMS key disabled error", k.Code))
	case "ValidationException":
		// DynamoDB's client of KMS has no class for it, so AWS answers the misuse of
		// an HMAC key as a failure of its own. SDKs retry that in vain.
		return &request.Error{Code: "InternalServerError", Status: http.StatusInternalServerError,
			Message: text("KMS internal error", "AWSKMSException"),
			Hint:    "retries do not help: the key of a table must be a symmetric encryption key",
			Cause:   request.ErrMistake}
	case "ThrottlingException", "LimitExceededException":
		return request.Errorf("ThrottlingException", "%s", text("KMS request limit exceeded", k.Code))
	}
	return refusal.Validation(text("KMS validation error", k.Code))
}

// denied reports whether KMS answered that the caller is not allowed.
func denied(err error) bool {
	var k *request.Error
	return errors.As(err, &k) && k.Code == "AccessDeniedException"
}

// unreachable reports whether err says that the key itself cannot be used, as
// opposed to the caller not being allowed.
func unreachable(err error) bool {
	var k *request.Error
	if !errors.As(err, &k) {
		return false
	}
	switch k.Code {
	case "DisabledException", "KMSInvalidStateException", "NotFoundException":
		return true
	}
	return false
}
