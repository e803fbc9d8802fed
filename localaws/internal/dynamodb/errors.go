package dynamodb

import (
	"fmt"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

func errValidation(message string) *call.Error { return wire.Validation(message) }

func errValidationf(format string, args ...any) error {
	return errValidation(fmt.Sprintf(format, args...))
}

// errParam is the commonest kind of refusal.
func errParam(format string, args ...any) error {
	return errValidation(paramPrefix + fmt.Sprintf(format, args...))
}

func errAccessDenied(message string) *call.Error {
	return &call.Error{Code: "AccessDeniedException", Message: message, Namespace: wire.NamespaceService}
}

func errUnsupported(operation string) error {
	return &call.Error{Code: "UnknownOperationException", Namespace: wire.NamespaceService,
		Message: "this embedded DynamoDB does not support the operation " + operation}
}

func errNoTable() error {
	return call.Errorf("ResourceNotFoundException", "Requested resource not found")
}

func errNoTableNamed(name string) error {
	return call.Errorf("ResourceNotFoundException", "Requested resource not found: Table: %s not found", name)
}

func errNoResource(arn string) error {
	return call.Errorf("ResourceNotFoundException", "Requested resource not found: ResourcArn: %s not found", arn)
}

func errInUse(format string, args ...any) error {
	return call.Errorf("ResourceInUseException", format, args...)
}

func errInternal(err error) error {
	return &call.Error{Code: "InternalServerError", Message: "Internal server error: " + err.Error(), Status: 500}
}
