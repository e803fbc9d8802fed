// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
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

// reading is what the requests of Query and Scan have in common. prepare changes
// what its pointers point to.
type reading struct {
	filter     *string
	start      envelope.Item
	projection **string
	names      *map[string]string
	selection  *types.Select
}

// prepare checks the filter and the start of a request, and replaces its
// projection by one that gives all that verification needs. others are the
// further expressions of the request.
func (t *table) prepare(s *ddbexpr.Scope, r reading, others ...*string) (projection, error) {
	if _, err := t.conditions(s, ddbexpr.KindFilter, r.filter); err != nil {
		return projection{}, err
	}
	if err := t.start(r.start); err != nil {
		return projection{}, err
	}
	p, err := t.project(s, *r.projection, *r.names, append(others, r.filter)...)
	if err != nil {
		return projection{}, err
	}
	*r.projection, *r.names = p.expression, p.names
	if p.asked != nil && p.expression == nil {
		*r.selection = ""
	}
	return p, nil
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
	by, err := t.search(ctx, query{search.Query, &in.KeyConditionExpression, &in.KeyConditions, &in.FilterExpression,
		&in.ProjectionExpression, &in.ExpressionAttributeNames, &in.ExpressionAttributeValues, &in.Select,
		in.ExclusiveStartKey})
	if err != nil {
		return nil, err
	}
	if by != nil {
		result, err := o.send(&in)
		if err != nil {
			return nil, err
		}
		out := result.(*dynamodb.QueryOutput)
		if out.Items, out.Count, err = by.results(ctx, out.Items, in.IndexName != nil); err != nil {
			return nil, err
		}
		return out, nil
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
	p, err := t.prepare(s, reading{in.FilterExpression, in.ExclusiveStartKey, &in.ProjectionExpression,
		&in.ExpressionAttributeNames, &in.Select}, in.KeyConditionExpression)
	if err != nil {
		return nil, err
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
		"AttributesToGet": in.AttributesToGet != nil, "ScanFilter": in.ScanFilter != nil,
		"ConditionalOperator": in.ConditionalOperator != "",
	}); err != nil {
		return nil, err
	}
	by, err := t.search(ctx, query{search.Scan, nil, nil, &in.FilterExpression, &in.ProjectionExpression,
		&in.ExpressionAttributeNames, &in.ExpressionAttributeValues, &in.Select, in.ExclusiveStartKey})
	if err != nil {
		return nil, err
	}
	if by != nil {
		result, err := o.send(&in)
		if err != nil {
			return nil, err
		}
		out := result.(*dynamodb.ScanOutput)
		if out.Items, out.Count, err = by.results(ctx, out.Items, in.IndexName != nil); err != nil {
			return nil, err
		}
		return out, nil
	}
	s, err := t.scope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	p, err := t.prepare(s, reading{in.FilterExpression, in.ExclusiveStartKey, &in.ProjectionExpression,
		&in.ExpressionAttributeNames, &in.Select})
	if err != nil {
		return nil, err
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
