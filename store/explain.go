// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
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

const noVersion = -1

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

// cause says why a write to a stored item failed its condition: with
// [ErrOtherEntity], with [ErrStaleVersion], or nil if it was a condition of the
// application. The item is nil if there is none, or if the service did not
// return it. What it says is not verified, as the service's own decision.
func (c *core) cause(stored envelope.Item, e expectation) error {
	p := c.plan
	switch {
	case p.IsOther(stored), len(stored) == 0 && p.Entity.Name != "" && e.alone && e.version == noVersion:
		return fmt.Errorf("%w: attribute %q is not %q", ErrOtherEntity, p.Entity.Attribute, p.Entity.Name)
	case e.version == noVersion:
		return nil
	case len(stored) == 0 && e.alone, len(stored) > 0 && e.version == 0:
		return ErrStaleVersion
	case len(stored) > 0:
		if n, err := p.Counter().Of(stored); err != nil || n != e.version {
			return ErrStaleVersion
		}
	}
	return nil
}

// explain completes the error of a write whose condition failed.
func (c *core) explain(call string, err error, e expectation) error {
	var refused *ConditionError
	if err == nil || !errors.As(err, &refused) {
		return err
	}
	switch cause := c.cause(refusedItem(refused), e); {
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
		if r.Err = op.core.cause(cancelled.CancellationReasons[i].Item, e); errors.Is(r.Err, ErrStaleVersion) {
			op.core.counts.conflicts.Add(1)
		}
	}
}
