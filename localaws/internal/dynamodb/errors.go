package dynamodb

import (
	"fmt"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

func errValidation(message string) *request.Error { return wire.Validation(message) }

func errValidationf(format string, args ...any) error {
	return errValidation(fmt.Sprintf(format, args...))
}

// errParam is the commonest kind of refusal.
func errParam(format string, args ...any) error {
	return errValidation(paramPrefix + fmt.Sprintf(format, args...))
}

func errAccessDenied(message string) *request.Error {
	return &request.Error{Code: "AccessDeniedException", Message: message, Namespace: wire.NamespaceService}
}

func errUnsupported(operation string) error {
	return &request.Error{Code: "UnknownOperationException", Namespace: wire.NamespaceService,
		Message: "this embedded DynamoDB does not support the operation " + operation}
}

func errNoTable() error {
	return request.Errorf("ResourceNotFoundException", "Requested resource not found")
}

func errNoTableNamed(name string) error {
	return request.Errorf("ResourceNotFoundException", "Requested resource not found: Table: %s not found", name)
}

func errNoResource(arn string) error {
	return request.Errorf("ResourceNotFoundException", "Requested resource not found: ResourcArn: %s not found", arn)
}

func errInUse(format string, args ...any) error {
	return request.Errorf("ResourceInUseException", format, args...)
}

// errInternal is the answer to a failure that is not the client's. It tells the
// client nothing of err, which may name files.
func errInternal(err error) error {
	return &request.Error{Code: "InternalServerError", Message: "Internal server error", Status: 500, Cause: err}
}
