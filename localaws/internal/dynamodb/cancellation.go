// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// reason is one CancellationReason.
type reason struct {
	Code    string          `json:"Code"`
	Message string          `json:"Message,omitempty"`
	Item    json.RawMessage `json:"Item,omitempty"`
}

// reasonOf tells why one item cancels a transaction; err is what the same
// request alone would have been answered with.
func reasonOf(err error) reason {
	var e *request.Error
	if !errors.As(err, &e) {
		return reason{Code: "InternalServerError"}
	}
	code := e.Code
	switch code {
	case "ConditionalCheckFailedException":
		code = "ConditionalCheckFailed"
	case "ValidationException":
		code = "ValidationError"
	case "TransactionConflictException":
		code = "TransactionConflict"
	case "ProvisionedThroughputExceededException":
		code = "ProvisionedThroughputExceeded"
	case "ThrottlingException":
		code = "ThrottlingError"
	}
	return reason{Code: code, Message: e.Message, Item: e.Members["Item"]}
}

// errCancelled is the error of a transaction of which at least one item has a
// reason; the zero reason is None.
func errCancelled(reasons []reason) error {
	codes := make([]string, len(reasons))
	for i := range reasons {
		if reasons[i].Code == "" {
			reasons[i].Code = "None"
		}
		codes[i] = reasons[i].Code
	}
	e := request.Errorf("TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons "+
		"for specific reasons [%s]", strings.Join(codes, ", "))
	list, err := json.Marshal(reasons)
	if err != nil {
		return refusal.Internal(err)
	}
	e.Members = map[string]json.RawMessage{"CancellationReasons": list}
	return e
}

func errConflict() error {
	return request.Errorf("TransactionConflictException", "Transaction is ongoing for the item")
}
