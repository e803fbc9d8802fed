// SPDX-License-Identifier: Apache-2.0

package refusal

import (
	"errors"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Layer is the validation through which AWS sends the requests of an operation.
// AWS has replaced it for one operation after another since June 2026. What is
// refused is the same everywhere, the words differ. The operations on tables have
// the zero Layer.
type Layer uint8

// The layers of the operations on items.
const (
	// Older has the words of before 2026.
	Older Layer = iota + 1
	// Current has the words of 2026.
	Current
	// Counted is Current for writes: what is wrong with values, expressions and
	// combinations of parameters is counted like violated constraints.
	Counted
)

// LayerOf returns the layer of an operation. It is the table of all operations on
// items: when AWS moves one to another layer, its name moves to another case and
// nothing else changes.
func LayerOf(operation string) Layer {
	switch operation {
	case "PutItem", "UpdateItem", "DeleteItem":
		return Counted
	case "GetItem", "BatchGetItem", "Query":
		return Current
	case "Scan", "BatchWriteItem", "TransactGetItems", "TransactWriteItems":
		return Older
	}
	return 0
}

// Is2026 reports whether the layer has the words of 2026.
func (l Layer) Is2026() bool { return l >= Current }

// ShortestTable returns the least length of the name of a table.
func (l Layer) ShortestTable() int {
	if l == 0 {
		return 3
	}
	return 1
}

// BadValue is an attribute value of a request that breaks a rule. A request
// notes it while it is read; [Layer.Word] turns it into the answer.
type BadValue struct {
	Err *ddbjson.ValidationError
	// Placeholder is the name of the value in ExpressionAttributeValues, empty
	// for a value elsewhere.
	Placeholder string
}

// Error describes the refusal without repeating the value.
func (b *BadValue) Error() string { return b.Err.Error() }

// Word returns the answer to a request of which err says what is wrong with its
// values, its expressions or the combination of its parameters.
func (l Layer) Word(err error) error {
	var bad *BadValue
	if errors.As(err, &bad) {
		return l.value(bad)
	}
	var e *request.Error
	if l != Counted || !errors.As(err, &e) || e.Code != "ValidationException" {
		return err
	}
	counted := *e
	counted.Message = wire.Detected + e.Message
	return &counted
}

func (l Layer) value(bad *BadValue) error {
	message := bad.Err.Message
	if !l.Is2026() {
		if bad.Err.Older != "" {
			message = bad.Err.Older
		}
		if bad.Placeholder != "" {
			message = "ExpressionAttributeValues contains invalid value: " + message + " for key " + bad.Placeholder
		}
	}
	if l == Counted && !bad.Err.Untyped {
		message = wire.Detected + message
	}
	return Validation(message)
}
