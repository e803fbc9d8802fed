// SPDX-License-Identifier: Apache-2.0

package ddbexpr

// Kind tells the expressions of a request apart.
type Kind uint8

// The kinds. The zero Kind is invalid.
const (
	KindInvalid Kind = iota
	KindCondition
	KindFilter
	KindProjection
	KindKeyCondition
	KindUpdate
)

// String returns the name of the request parameter that holds the expression.
func (k Kind) String() string {
	switch k {
	case KindCondition:
		return "ConditionExpression"
	case KindFilter:
		return "FilterExpression"
	case KindProjection:
		return "ProjectionExpression"
	case KindKeyCondition:
		return "KeyConditionExpression"
	case KindUpdate:
		return "UpdateExpression"
	}
	return "InvalidExpression"
}

// Error is a refusal that DynamoDB answers with a ValidationException.
type Error struct {
	// Kind is the expression that was refused. It is KindInvalid for errors of
	// the placeholders and for those that show only when an update meets an item.
	Kind Kind
	// Message is the whole text of the exception. It may repeat parts of the
	// expression and, for BETWEEN with its bounds in the wrong order, values: it
	// belongs into the answer to their sender, not into logs.
	Message string

	reason string
}

// Error returns the text of the exception without values.
func (e *Error) Error() string {
	if e.reason != "" {
		return e.reason
	}
	return e.Message
}

// The refusals of updates that depend on the item.
var (
	errNoAttribute = &Error{Message: "The provided expression refers to an attribute that does not exist in the item"}
	// ErrOperandType means that an operand, or what an action meets in the item, has the
	// wrong type.
	ErrOperandType = &Error{Message: "An operand in the update expression has an incorrect data type"}
	errUpdatePath  = &Error{Message: "The document path provided in the update expression is invalid for update"}
)
