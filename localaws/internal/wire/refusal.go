package wire

import "github.com/ddbseal/ddbseal/localaws/internal/call"

// The namespaces in __type of what AWS's framework answers for every JSON
// service.
const (
	NamespaceService  = "com.amazon.coral.service"
	NamespaceValidate = "com.amazon.coral.validate"
)

// Validation is the refusal of members by a JSON service.
func Validation(message string) *call.Error {
	return &call.Error{Code: "ValidationException", Message: message, Namespace: NamespaceValidate}
}

// Serialization is the refusal of a body by a JSON service.
func Serialization(message string) *call.Error {
	return &call.Error{Code: "SerializationException", Message: message, Namespace: NamespaceService}
}

// QueryValidation is the refusal of parameters by a Query service.
func QueryValidation(message string) *call.Error {
	return &call.Error{Code: "ValidationError", Message: message}
}

// Violated is the refusal of the one parameter of a Query service that violates
// rule. value is as for [Checks.Violate]; empty: not repeated.
func Violated(value, parameter string, rule Rule) error {
	var c Checks
	if value == "" {
		c.ViolateUnseen(parameter, rule)
	} else {
		c.Violate(value, parameter, rule)
	}
	return c.Err(QueryValidation)
}
