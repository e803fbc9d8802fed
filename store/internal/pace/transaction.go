// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// transactAttempts bounds how often a transaction runs that met others.
const transactAttempts = 8

// TransactionConflict is DynamoDB's code for an operation that met another transaction.
const TransactionConflict = "TransactionConflict"

// Transaction repeats a transaction that was cancelled only for reasons that pass:
// then nothing was done. The SDK does not repeat these. It tells met the index of
// each operation that met another transaction, in each attempt. If ctx ends in a
// pause, the error matches its cause and the last one of call.
func Transaction(ctx context.Context, met func(operation int), call func() error) error {
	conflict := Conflict{First: 8 * time.Millisecond}
	for attempt := 1; ; attempt++ {
		err := call()
		conflicts(err, met)
		if err == nil || attempt == transactAttempts || !passing(err) {
			return err
		}
		if stop := conflict.Wait(ctx); stop != nil {
			return fmt.Errorf("%w: %w", stop, err)
		}
	}
}

// conflicts tells met the operations that met another transaction.
func conflicts(err error, met func(operation int)) {
	var cancelled *types.TransactionCanceledException
	if err == nil || !errors.As(err, &cancelled) {
		return
	}
	for i, r := range cancelled.CancellationReasons {
		if r.Code != nil && *r.Code == TransactionConflict {
			met(i)
		}
	}
}

// passing reports a cancellation for conflicts and throttling alone.
func passing(err error) bool {
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return false
	}
	some := false
	for _, r := range cancelled.CancellationReasons {
		if r.Code == nil || *r.Code == "None" {
			continue
		}
		if !slices.Contains([]string{TransactionConflict, "ThrottlingError", "ProvisionedThroughputExceeded"},
			*r.Code) {
			return false
		}
		some = true
	}
	return some
}
