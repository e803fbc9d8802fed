// SPDX-License-Identifier: Apache-2.0

// Package refusal makes the errors with which the DynamoDB of the embedded AWS
// refuses a request, in the words of AWS. It holds what several packages of
// the engine answer. A refusal that one operation alone makes stands with the
// operation.
package refusal

import (
	"fmt"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// ParameterPrefix begins the message of [Parameter], and the messages of
// attribute values that break a rule.
const ParameterPrefix = "One or more parameter values were invalid: "

// Validation returns a ValidationException.
func Validation(message string) *request.Error { return wire.Validation(message) }

// Validationf is [Validation] with a format.
func Validationf(format string, args ...any) error {
	return Validation(fmt.Sprintf(format, args...))
}

// Parameter returns a ValidationException whose message begins with
// [ParameterPrefix].
func Parameter(format string, args ...any) error {
	return Validation(ParameterPrefix + fmt.Sprintf(format, args...))
}

// KeySchema returns the ValidationException of a key that does not have the
// attributes and types of the table's key.
func KeySchema() error {
	return Validation("The provided key element does not match the schema")
}

// AccessDenied returns an AccessDeniedException in DynamoDB's own namespace.
func AccessDenied(message string) *request.Error {
	return &request.Error{Code: "AccessDeniedException", Message: message, Namespace: wire.NamespaceService}
}

// Unsupported returns the answer to an operation that this engine does not have:
// what is what the engine would need for it.
func Unsupported(operation, what string) error {
	return &request.Error{Code: "UnknownOperationException", Namespace: wire.NamespaceService,
		Message: wire.NotServed(operation, what)}
}

// NoTable returns the ResourceNotFoundException of a call on items, which does
// not name the table.
func NoTable() error {
	return request.Errorf("ResourceNotFoundException", "Requested resource not found")
}

// NoTableNamed returns the ResourceNotFoundException of a call on a table.
func NoTableNamed(name string) error {
	return request.Errorf("ResourceNotFoundException", "Requested resource not found: Table: %s not found", name)
}

// NoResource returns the ResourceNotFoundException of a call on a table's tags.
func NoResource(arn string) error {
	return request.Errorf("ResourceNotFoundException", "Requested resource not found: ResourcArn: %s not found", arn)
}

// NoPolicy returns the PolicyNotFoundException of a table without a resource-based
// policy, or whose policy does not have the expected revision, as reason says.
func NoPolicy(arn, reason string) error {
	return request.Errorf("PolicyNotFoundException", "Resource-based policy not found for the provided ResourceArn: "+
		"%s%s", arn, reason)
}

// InUse returns a ResourceInUseException.
func InUse(format string, args ...any) error {
	return request.Errorf("ResourceInUseException", format, args...)
}

// Internal returns the InternalServerError of a failure that is not the
// caller's. It tells the caller nothing of err, which may name files.
func Internal(err error) error {
	return &request.Error{Code: "InternalServerError", Message: "Internal server error", Status: 500, Cause: err}
}
