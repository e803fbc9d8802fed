// SPDX-License-Identifier: Apache-2.0

// Package calls derives a DynamoDB client whose calls have options of their own
// and whose consumed capacity is added up.
package calls

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Client has the methods of a table's client.
type Client interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput,
		...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput,
		...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput,
		...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput,
		...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
	TransactGetItems(context.Context, *dynamodb.TransactGetItemsInput,
		...func(*dynamodb.Options)) (*dynamodb.TransactGetItemsOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput,
		...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput,
		...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
}

var _ Client = (*derived)(nil)

// derived is a client whose calls have options, and a meter unless it is nil.
type derived struct {
	base    Client
	options []func(*dynamodb.Options)
	meter   *Meter
}

// With returns a client that calls base. The options of a call are applied after
// options, so that a write can still watch its attempts. A nil option is left out,
// and so is a meter that counts the calls of base already.
func With(base Client, meter *Meter, options ...func(*dynamodb.Options)) Client {
	for d, is := base.(*derived); is && meter != nil; d, is = d.base.(*derived) {
		if d.meter == meter {
			meter = nil
		}
	}
	d := &derived{base: base, meter: meter}
	for _, o := range options {
		if o != nil {
			d.options = append(d.options, o)
		}
	}
	return d
}

// Base returns the client that c was derived from and the options that its calls
// have, or c itself if it was not derived.
func Base(c Client) (base Client, options []func(*dynamodb.Options)) {
	d, is := c.(*derived)
	if !is {
		return c, nil
	}
	base, options = Base(d.base)
	return base, append(options, d.options...)
}

// with returns the options of a call.
func (d *derived) with(own []func(*dynamodb.Options)) []func(*dynamodb.Options) {
	if len(d.options) == 0 {
		return own
	}
	out := make([]func(*dynamodb.Options), 0, len(d.options)+len(own))
	return append(append(out, d.options...), own...)
}

// metered returns what a request asks for: was, unless there is a meter.
func (d *derived) metered(was types.ReturnConsumedCapacity) types.ReturnConsumedCapacity {
	if d.meter == nil || was != "" {
		return was
	}
	return types.ReturnConsumedCapacityTotal
}
