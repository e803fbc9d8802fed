// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/itemkey"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/internal/tablename"
)

// keyText is the same for equal keys only, whatever the spelling of numbers.
func (t *table) keyText(item envelope.Item) string {
	return itemkey.Text(item, t.PartitionKey(), t.SortKey())
}

func (c *Client) batchWrite(ctx context.Context, in dynamodb.BatchWriteItemInput, o *call) (any, error) {
	type sent struct {
		*table
		given map[string]types.WriteRequest // by key
	}
	encrypted := map[string]sent{}
	requests := make(map[string][]types.WriteRequest, len(in.RequestItems))
	for name, given := range in.RequestItems {
		requests[name] = given
		t, err := c.table("BatchWriteItem", &name)
		if err != nil {
			return nil, err
		}
		if t == nil {
			continue
		}
		s := sent{t, make(map[string]types.WriteRequest, len(given))}
		var plain []envelope.Item
		for i, r := range given {
			if (r.PutRequest != nil) == (r.DeleteRequest != nil) {
				return nil, t.fail(fmt.Errorf("%w: request %d must have one of PutRequest and DeleteRequest",
					ErrRefused, i))
			}
			if r.DeleteRequest != nil {
				if err := t.key("Key", r.DeleteRequest.Key); err != nil {
					return nil, err
				}
			} else if r.PutRequest.Item != nil {
				plain = append(plain, r.PutRequest.Item)
			}
		}
		stored, err := t.EncryptAll(ctx, plain)
		if err != nil {
			return nil, t.fail(firstOf(err))
		}
		sealed := make([]types.WriteRequest, len(given))
		next := 0
		for i, r := range given {
			if sealed[i] = r; r.PutRequest != nil && r.PutRequest.Item != nil {
				if err := t.size(plain[next], stored[next]); err != nil {
					return nil, err
				}
				sealed[i].PutRequest = &types.PutRequest{Item: stored[next]}
				s.given[t.keyText(stored[next])] = r // a signed beacon can be a key
				next++
			}
		}
		requests[name], encrypted[name] = sealed, s
	}
	if in.RequestItems != nil {
		in.RequestItems = requests
	}
	result, err := o.send(&in)
	if err != nil {
		for _, s := range encrypted {
			return nil, o.failed(s.table, err)
		}
		return nil, err
	}
	out := result.(*dynamodb.BatchWriteItemOutput)
	for name, left := range out.UnprocessedItems {
		s, is := encrypted[name]
		if !is {
			if s, is = encryptedAs(name, encrypted); !is {
				continue
			}
		}
		for i, r := range left {
			if r.PutRequest == nil {
				continue
			}
			given, known := s.given[s.keyText(r.PutRequest.Item)]
			if !known {
				return nil, s.fail(fmt.Errorf("%w: the batch may be written in part: "+
					"DynamoDB returned an unprocessed item that was not in the request", store.ErrUncertain))
			}
			left[i] = given
		}
	}
	return out, nil
}

// encryptedAs finds what was sent under another name of the same table: an
// answer may name it where the request had its ARN.
func encryptedAs[V any](name string, sent map[string]V) (V, bool) {
	want, err := tablename.Parse(name)
	if err == nil {
		for other, v := range sent {
			if plain, err := tablename.Parse(other); err == nil && plain == want {
				return v, true
			}
		}
	}
	var none V
	return none, false
}

// firstOf takes the first error out of a batch's.
func firstOf(err error) error {
	var batch *envelope.BatchError
	if errors.As(err, &batch) {
		for i, e := range batch.Errors {
			if e != nil {
				return fmt.Errorf("item %d of the table: %w", i, e)
			}
		}
	}
	return err
}

func (c *Client) batchGet(ctx context.Context, in dynamodb.BatchGetItemInput, o *call) (any, error) {
	type sent struct {
		*table
		projection
		given types.KeysAndAttributes
	}
	encrypted := map[string]sent{}
	requests := make(map[string]types.KeysAndAttributes, len(in.RequestItems))
	for name, given := range in.RequestItems {
		requests[name] = given
		t, err := c.table("BatchGetItem", &name)
		if err != nil {
			return nil, err
		}
		if t == nil {
			continue
		}
		if err := t.legacy(map[string]bool{"AttributesToGet": given.AttributesToGet != nil}); err != nil {
			return nil, err
		}
		p, err := t.soleProjection(given.ProjectionExpression, given.ExpressionAttributeNames)
		if err != nil {
			return nil, err
		}
		for _, key := range given.Keys {
			if err := t.key("Keys", key); err != nil {
				return nil, err
			}
		}
		encrypted[name] = sent{t, p, given}
		given.ProjectionExpression, given.ExpressionAttributeNames = p.expression, p.names
		requests[name] = given
	}
	if in.RequestItems != nil {
		in.RequestItems = requests
	}
	result, err := o.send(&in)
	if err != nil {
		return nil, err
	}
	out := result.(*dynamodb.BatchGetItemOutput)
	for name, items := range out.Responses {
		s, is := encrypted[name]
		if !is {
			if s, is = encryptedAs(name, encrypted); !is {
				continue
			}
		}
		if out.Responses[name], err = s.openAll(ctx, items, s.projection, false); err != nil {
			return nil, err
		}
	}
	for name, left := range out.UnprocessedKeys {
		s, is := encrypted[name]
		if !is {
			if s, is = encryptedAs(name, encrypted); !is {
				continue
			}
		}
		again := s.given
		again.Keys = left.Keys
		out.UnprocessedKeys[name] = again
	}
	return out, nil
}
