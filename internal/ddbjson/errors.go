// SPDX-License-Identifier: Apache-2.0

package ddbjson

import "strconv"

// SerializationError says that a document is not JSON, or JSON of the wrong
// shape. DynamoDB answers such requests with a SerializationException.
type SerializationError struct {
	// Message is DynamoDB's text; it is empty where the document is not JSON at
	// all, as DynamoDB says nothing then.
	Message string
	// Offset is the position in bytes at which the document was refused.
	Offset int

	reason string
}

// Error describes the refusal without repeating any part of the document.
func (e *SerializationError) Error() string {
	text := e.reason
	if text == "" {
		text = e.Message
	}
	return "dynamodb json at byte " + strconv.Itoa(e.Offset) + ": " + text
}

// ValidationError says that a value is well formed and still not allowed.
// DynamoDB answers such requests with a ValidationException.
type ValidationError struct {
	// Message is DynamoDB's text. For numbers and duplicates in sets it repeats
	// the refused value, so it belongs into the answer to its sender, not
	// into logs.
	Message string
	// Older is the text of the operations whose words DynamoDB has not changed
	// since 2026, and empty where it is Message.
	Older string
	// Untyped says that the value has no type or several, which DynamoDB
	// answers before it validates anything.
	Untyped bool

	reason string
}

// Error describes the refusal without repeating any value.
func (e *ValidationError) Error() string {
	if e.reason != "" {
		return "attribute value: " + e.reason
	}
	return "attribute value: " + e.Message
}

func base64Length(offset, n int) error {
	return &SerializationError{
		Message: "Base64 encoded length is expected a multiple of 4 bytes but found: " + strconv.Itoa(n),
		Offset:  offset,
	}
}
