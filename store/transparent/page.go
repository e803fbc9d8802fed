package transparent

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// openAll decrypts the items of a page in parallel, or none of them.
func (t *table) openAll(ctx context.Context, items []envelope.Item, p projection, index bool) ([]envelope.Item, error) {
	if len(items) == 0 {
		return items, nil
	}
	plain, err := t.DecryptAll(ctx, items)
	if err != nil {
		var batch *envelope.BatchError
		if errors.As(err, &batch) {
			failed, first := 0, error(nil)
			for i, err := range batch.Errors {
				if err == nil {
					continue
				}
				if failed++; first == nil {
					first = fmt.Errorf("item %d of the page: %w", i, t.explain(items[i], err, index))
				}
			}
			err = fmt.Errorf("%d of %d items cannot be read; %w", failed, len(items), first)
			return nil, t.fail(err)
		}
		return nil, t.fail(err)
	}
	for i := range plain {
		plain[i] = p.apply(plain[i])
	}
	return plain, nil
}

func (c *Client) query(ctx context.Context, in dynamodb.QueryInput, o *call) (any, error) {
	t, err := c.table("Query", in.TableName)
	if t == nil {
		return plainly(err, &in, o)
	}
	if err := t.legacy(map[string]bool{
		"AttributesToGet": in.AttributesToGet != nil,
		"QueryFilter":     in.QueryFilter != nil, "ConditionalOperator": in.ConditionalOperator != "",
	}); err != nil {
		return nil, err
	}
	s, err := t.scope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	if in.KeyConditionExpression != nil {
		k, err := s.KeyCondition(*in.KeyConditionExpression)
		if err != nil {
			return nil, t.fail(wrapExpression(err))
		}
		for _, name := range k.TopLevelNames() {
			if err := t.readable("KeyConditionExpression", name); err != nil {
				return nil, err
			}
		}
	}
	for name := range in.KeyConditions { // legacy, but guregu/dynamo uses it
		if err := t.readable("KeyConditions", name); err != nil {
			return nil, err
		}
	}
	if _, err := t.conditions(s, ddbexpr.KindFilter, in.FilterExpression); err != nil {
		return nil, err
	}
	if err := t.key("ExclusiveStartKey", in.ExclusiveStartKey); err != nil {
		return nil, err
	}
	p, err := t.project(s, in.ProjectionExpression, in.ExpressionAttributeNames, in.KeyConditionExpression, in.FilterExpression)
	if err != nil {
		return nil, err
	}
	in.ProjectionExpression, in.ExpressionAttributeNames = p.expression, p.names
	if p.asked != nil && p.expression == nil {
		in.Select = ""
	}
	result, err := o.send(&in)
	if err != nil {
		return nil, err
	}
	out := result.(*dynamodb.QueryOutput)
	if out.Items, err = t.openAll(ctx, out.Items, p, in.IndexName != nil); err != nil {
		return nil, err
	}
	return out, nil
}

func (c *Client) scan(ctx context.Context, in dynamodb.ScanInput, o *call) (any, error) {
	t, err := c.table("Scan", in.TableName)
	if t == nil {
		return plainly(err, &in, o)
	}
	if err := t.legacy(map[string]bool{
		"AttributesToGet": in.AttributesToGet != nil, "ScanFilter": in.ScanFilter != nil, "ConditionalOperator": in.ConditionalOperator != "",
	}); err != nil {
		return nil, err
	}
	s, err := t.scope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	if _, err := t.conditions(s, ddbexpr.KindFilter, in.FilterExpression); err != nil {
		return nil, err
	}
	if err := t.key("ExclusiveStartKey", in.ExclusiveStartKey); err != nil {
		return nil, err
	}
	p, err := t.project(s, in.ProjectionExpression, in.ExpressionAttributeNames, in.FilterExpression)
	if err != nil {
		return nil, err
	}
	in.ProjectionExpression, in.ExpressionAttributeNames = p.expression, p.names
	if p.asked != nil && p.expression == nil {
		in.Select = ""
	}
	result, err := o.send(&in)
	if err != nil {
		return nil, err
	}
	out := result.(*dynamodb.ScanOutput)
	if out.Items, err = t.openAll(ctx, out.Items, p, in.IndexName != nil); err != nil {
		return nil, err
	}
	return out, nil
}
