// SPDX-License-Identifier: Apache-2.0

package wire

import "github.com/ddbseal/ddbseal/localaws/internal/request"

// The namespaces in __type of what AWS's framework answers for every JSON
// service.
const (
	NamespaceService  = "com.amazon.coral.service"
	NamespaceValidate = "com.amazon.coral.validate"
)

// Validation is the refusal of members by a JSON service.
func Validation(message string) *request.Error {
	return &request.Error{Code: "ValidationException", Message: message, Namespace: NamespaceValidate}
}

// Serialization is the refusal of a body by a JSON service.
func Serialization(message string) *request.Error {
	return &request.Error{Code: "SerializationException", Message: message, Namespace: NamespaceService}
}

// QueryValidation is the refusal of parameters by a Query service.
func QueryValidation(message string) *request.Error {
	return &request.Error{Code: "ValidationError", Message: message}
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

// Outside is the refusal of the one number of a Query service's request that is
// not between low and high.
func Outside(parameter string, n, low, high int) error {
	var c Checks
	number := int64(n)
	c.Between(&number, parameter, int64(low), int64(high))
	return c.Err(QueryValidation)
}
