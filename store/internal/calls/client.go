// SPDX-License-Identifier: Apache-2.0

package calls

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func (d *derived) PutItem(ctx context.Context, in *dynamodb.PutItemInput,
	options ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	request := *in
	request.ReturnConsumedCapacity = d.metered(in.ReturnConsumedCapacity)
	out, err := d.base.PutItem(ctx, &request, d.with(options)...)
	if err == nil {
		d.meter.write(one(out.ConsumedCapacity)...)
	}
	return out, err
}

func (d *derived) GetItem(ctx context.Context, in *dynamodb.GetItemInput,
	options ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	request := *in
	request.ReturnConsumedCapacity = d.metered(in.ReturnConsumedCapacity)
	out, err := d.base.GetItem(ctx, &request, d.with(options)...)
	if err == nil {
		d.meter.read(one(out.ConsumedCapacity)...)
	}
	return out, err
}

func (d *derived) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput,
	options ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	request := *in
	request.ReturnConsumedCapacity = d.metered(in.ReturnConsumedCapacity)
	out, err := d.base.UpdateItem(ctx, &request, d.with(options)...)
	if err == nil {
		d.meter.write(one(out.ConsumedCapacity)...)
	}
	return out, err
}

func (d *derived) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput,
	options ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	request := *in
	request.ReturnConsumedCapacity = d.metered(in.ReturnConsumedCapacity)
	out, err := d.base.DeleteItem(ctx, &request, d.with(options)...)
	if err == nil {
		d.meter.write(one(out.ConsumedCapacity)...)
	}
	return out, err
}

func (d *derived) Query(ctx context.Context, in *dynamodb.QueryInput,
	options ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	request := *in
	request.ReturnConsumedCapacity = d.metered(in.ReturnConsumedCapacity)
	out, err := d.base.Query(ctx, &request, d.with(options)...)
	if err == nil {
		d.meter.read(one(out.ConsumedCapacity)...)
	}
	return out, err
}

func (d *derived) Scan(ctx context.Context, in *dynamodb.ScanInput,
	options ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	request := *in
	request.ReturnConsumedCapacity = d.metered(in.ReturnConsumedCapacity)
	out, err := d.base.Scan(ctx, &request, d.with(options)...)
	if err == nil {
		d.meter.read(one(out.ConsumedCapacity)...)
	}
	return out, err
}

func (d *derived) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput,
	options ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	request := *in
	request.ReturnConsumedCapacity = d.metered(in.ReturnConsumedCapacity)
	out, err := d.base.BatchGetItem(ctx, &request, d.with(options)...)
	if err == nil {
		d.meter.read(out.ConsumedCapacity...)
	}
	return out, err
}

func (d *derived) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput,
	options ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	request := *in
	request.ReturnConsumedCapacity = d.metered(in.ReturnConsumedCapacity)
	out, err := d.base.BatchWriteItem(ctx, &request, d.with(options)...)
	if err == nil {
		d.meter.write(out.ConsumedCapacity...)
	}
	return out, err
}

func (d *derived) TransactGetItems(ctx context.Context, in *dynamodb.TransactGetItemsInput,
	options ...func(*dynamodb.Options)) (*dynamodb.TransactGetItemsOutput, error) {
	request := *in
	request.ReturnConsumedCapacity = d.metered(in.ReturnConsumedCapacity)
	out, err := d.base.TransactGetItems(ctx, &request, d.with(options)...)
	if err == nil {
		d.meter.read(out.ConsumedCapacity...)
	}
	return out, err
}

func (d *derived) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput,
	options ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	request := *in
	request.ReturnConsumedCapacity = d.metered(in.ReturnConsumedCapacity)
	out, err := d.base.TransactWriteItems(ctx, &request, d.with(options)...)
	if err == nil {
		d.meter.write(out.ConsumedCapacity...)
	}
	return out, err
}

func (d *derived) DescribeTable(ctx context.Context, in *dynamodb.DescribeTableInput,
	options ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	return d.base.DescribeTable(ctx, in, d.with(options)...)
}
