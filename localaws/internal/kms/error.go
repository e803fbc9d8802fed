// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

func disabled(arn string) error { return request.Errorf("DisabledException", "%s is disabled.", arn) }

func invalidState(format string, args ...any) error {
	return request.Errorf("KMSInvalidStateException", format, args...)
}

func notFound(format string, args ...any) error {
	return request.Errorf("NotFoundException", format, args...)
}

func noSuchKey(arn string) error { return notFound("Key '%s' does not exist", arn) }

func noSuchAlias(arn string) error { return notFound("Alias %s is not found.", arn) }

func invalidARN(format string, args ...any) error {
	return request.Errorf("InvalidArnException", format, args...)
}

func validation(format string, args ...any) error {
	return &request.Error{Code: "ValidationException", Message: request.Errorf("", format, args...).Message,
		Namespace: "com.amazon.coral.validate"}
}

func unsupported(format string, args ...any) error {
	return request.Errorf("UnsupportedOperationException", format, args...)
}

func noEnclaves() error {
	return unsupported("Recipient is not supported by this server: it does not have enclaves.")
}

func limitExceeded(format string, args ...any) error {
	return request.Errorf("LimitExceededException", format, args...)
}

func malformedPolicy(format string, args ...any) error {
	return request.Errorf("MalformedPolicyDocumentException", format, args...)
}

// invalidCiphertext has no message on AWS either.
func invalidCiphertext() error { return request.Errorf("InvalidCiphertextException", "") }

func dryRun() error {
	return request.Errorf("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
}
