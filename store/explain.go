// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/schema"
)

// expectation is what the condition of a write expects besides the conditions
// of the application.
type expectation struct {
	// version is what the stored item must have, 0 for an item that must not
	// exist yet, or noVersion.
	version int64
	// alone: the application gave no condition.
	alone bool
}

const noVersion = schema.NoVersion

// expecting returns the expectation of a write with the conditions of the
// application alone.
func expecting(conditions []Condition) expectation {
	some := anySet(conditions)
	return expectation{version: noVersion, alone: !some}
}

// expects returns the expectation of a put; in is nil for a write that compares
// more than the version.
func (c *core) expects(in *dynamodb.PutItemInput, conditions []Condition) expectation {
	e := expecting(conditions)
	if in != nil && c.plan.Version != nil {
		if n, err := c.plan.Counter().Of(in.Item); err == nil {
			e.version = n - 1
		}
	}
	return e
}

// explain completes the error of a write whose condition failed.
func (c *core) explain(call string, err error, e expectation) error {
	var refused *ConditionError
	if err == nil || !errors.As(err, &refused) {
		return err
	}
	switch cause := c.plan.Refusal(refusedItem(refused), e.version, e.alone); {
	case errors.Is(cause, ErrOtherEntity):
		return fmt.Errorf("%s of %s: %w: %w", call, c.name, cause, refused.Err)
	case cause != nil:
		refused.Stale = true
		c.counts.conflicts.Add(1)
	}
	return err
}

// refusedItem returns the stored item that came with a failed condition.
func refusedItem(e *ConditionError) envelope.Item {
	var failed *types.ConditionalCheckFailedException
	if errors.As(e.Err, &failed) {
		return failed.Item
	}
	return nil
}

// explainReasons completes the error of a transaction whose conditions failed.
func explainReasons(err error, ops []WriteOp, built []types.TransactWriteItem) {
	var out *TransactionError
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &out) || !errors.As(err, &cancelled) {
		return
	}
	for i := range out.Reasons {
		r, op := &out.Reasons[i], ops[i]
		if r.Code != conditionFailed {
			continue
		}
		e := op.expected
		if put := built[i].Put; put != nil {
			e.version = op.core.expects(&dynamodb.PutItemInput{Item: put.Item}, nil).version
		}
		r.Err = op.core.plan.Refusal(cancelled.CancellationReasons[i].Item, e.version, e.alone)
		if errors.Is(r.Err, ErrStaleVersion) {
			op.core.counts.conflicts.Add(1)
		}
	}
}
