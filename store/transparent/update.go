// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store"
)

// guarded is an update's condition with the demand that the item is there.
type guarded struct {
	expression *string
	names      map[string]string
	// free: items may be created, because the policy has them in plaintext.
	free bool
}

// guard checks an update and adds to its condition: only unsigned attributes
// change, and no item without a header comes to be.
func (t *table) guard(update, condition *string, names map[string]string, values envelope.Item) (guarded, error) {
	s, err := t.scope(names, values)
	if err != nil {
		return guarded{}, err
	}
	if update != nil {
		u, err := s.Update(*update)
		if err != nil {
			return guarded{}, t.fail(wrapExpression(err))
		}
		for _, name := range u.TopLevelNames() {
			if !t.AllowedUnsigned(name) {
				return guarded{},
					t.fail(fmt.Errorf("%w or signed: UpdateExpression names %q: read, change and put the item, as "+
						"store.Table.Update does", store.ErrEncryptedAttribute, name))
			}
		}
	}
	given, err := t.conditions(s, ddbexpr.KindCondition, condition)
	if err != nil {
		return guarded{}, err
	}
	demand := "attribute_exists(" + envelope.HeaderAttribute + ")"
	policy := t.PlaintextPolicy()
	switch {
	case t.LegacyDecryptor() != nil:
		// The signature of an item of the older client can cover a name that is
		// unsigned now, and a plaintext item looks like one without it.
	case policy == envelope.ForcePlaintextWriteAllowPlaintextRead:
		return guarded{condition, names, true}, nil
	case policy == envelope.ForbidPlaintextWriteAllowPlaintextRead:
		// A plaintext item may be there already, but none may be made.
		placeholder := "#k"
		for names[placeholder] != "" {
			placeholder += "k"
		}
		if names = maps.Clone(names); names == nil {
			names = map[string]string{}
		}
		names[placeholder] = t.PartitionKey()
		demand = "attribute_exists(" + placeholder + ")"
	}
	if given != nil {
		if demand, err = both(demand, *condition, given); err != nil {
			return guarded{}, t.fail(err)
		}
	}
	return guarded{expression: &demand, names: names}, nil
}

// both joins a condition of one function with the caller's by AND. DynamoDB
// refuses redundant parentheses, so the caller's gets them only where its meaning
// would change without.
func both(demand, text string, parsed *ddbexpr.Condition) (string, error) {
	all := demand + " AND " + text
	if parsed.NeedsParens() {
		all = demand + " AND (" + text + ")"
	}
	const added = 2 // the function and AND
	if parsed.Operators()+added > ddbexpr.MaxOperators || len(all) > ddbexpr.MaxExpressionSize {
		return "", fmt.Errorf("%w: ConditionExpression leaves no space for the condition that the item exists: "+
			"it may have %d operators and %d bytes", envelope.ErrConfiguration,
			ddbexpr.MaxOperators-added, ddbexpr.MaxExpressionSize-(len(all)-len(text)))
	}
	return all, nil
}

// missed reports whether a condition failed because there is no such item.
func (t *table) missed(item envelope.Item) bool {
	if t.LegacyDecryptor() == nil && t.PlaintextPolicy() == envelope.ForbidPlaintextWriteAllowPlaintextRead {
		return len(item) == 0
	}
	return item[envelope.HeaderAttribute] == nil
}

// updateTarget is [ErrUpdateTarget], with the reason for an item of the older
// client.
func updateTarget(item envelope.Item) error {
	if envelope.IsLegacy(item) {
		return fmt.Errorf("%w: %w", ErrUpdateTarget, envelope.ErrLegacyItem)
	}
	return ErrUpdateTarget
}

func (c *Client) updateItem(ctx context.Context, in dynamodb.UpdateItemInput, o *call) (any, error) {
	t, err := c.table("UpdateItem", in.TableName)
	if t == nil {
		return plainly(err, &in, o)
	}
	if err := t.legacy(map[string]bool{"AttributeUpdates": in.AttributeUpdates != nil, "Expected": in.Expected != nil,
		"ConditionalOperator": in.ConditionalOperator != ""}); err != nil {
		return nil, err
	}
	if err := t.key("Key", in.Key); err != nil {
		return nil, err
	}
	g, err := t.guard(in.UpdateExpression, in.ConditionExpression, in.ExpressionAttributeNames,
		in.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	in.ConditionExpression, in.ExpressionAttributeNames = g.expression, g.names
	asked := in.ReturnValuesOnConditionCheckFailure == types.ReturnValuesOnConditionCheckFailureAllOld
	if !g.free { // to tell the caller's condition from ours
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	result, err := o.send(&in)
	if err != nil {
		return nil, o.failed(t, t.updateFailed(ctx, err, !g.free, asked))
	}
	out := result.(*dynamodb.UpdateItemOutput)
	if o.Repeated() && (in.ReturnValues == types.ReturnValueAllOld || in.ReturnValues == types.ReturnValueUpdatedOld) {
		return nil,
			t.fail(fmt.Errorf("%w: the update is done, but an answer was lost, and the old values may be its own",
				store.ErrUncertain))
	}
	if in.ReturnValues == types.ReturnValueAllOld || in.ReturnValues == types.ReturnValueAllNew {
		if out.Attributes, err = t.openReturned(ctx, out.Attributes); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// updateFailed tells the condition that the item is there from the caller's.
func (t *table) updateFailed(ctx context.Context, err error, ours, asked bool) error {
	var failed *types.ConditionalCheckFailedException
	if ours && errors.As(err, &failed) {
		if t.missed(failed.Item) {
			target := updateTarget(failed.Item)
			failed.Item = nil
			return t.fail(fmt.Errorf("%w: %w", target, err))
		}
		if !asked {
			failed.Item = nil
		}
	}
	return t.openFailed(ctx, err)
}
