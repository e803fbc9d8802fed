// SPDX-License-Identifier: Apache-2.0

// Package expiry finds the attribute by which DynamoDB expires the items of a
// table.
package expiry

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// Describer is the call that tells. *dynamodb.Client has it.
type Describer interface {
	DescribeTimeToLive(
		context.Context, *dynamodb.DescribeTimeToLiveInput, ...func(*dynamodb.Options),
	) (*dynamodb.DescribeTimeToLiveOutput, error)
}

var _ Describer = (*dynamodb.Client)(nil)

// Attribute returns the name of the attribute by which the table expires items,
// or "" if it expires none. The call has the options. If the client is not a
// Describer, the caller may not make the call, or the endpoint does not know it,
// unchecked says so. Errors: the client's.
func Attribute(ctx context.Context, client any, table string,
	options ...func(*dynamodb.Options)) (attribute, unchecked string, err error) {
	d, can := client.(Describer)
	if !can {
		return "", "time to live: the client has no method DescribeTimeToLive", nil
	}
	out, err := d.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &table}, options...)
	if err != nil {
		var answer smithy.APIError
		if errors.As(err, &answer) {
			switch answer.ErrorCode() {
			case "AccessDeniedException":
				return "", "time to live: the caller lacks dynamodb:DescribeTimeToLive", nil
			case "UnknownOperationException":
				return "", "time to live: the endpoint does not know DescribeTimeToLive", nil
			}
		}
		return "", "", fmt.Errorf("time to live: %w", err)
	}
	if t := out.TimeToLiveDescription; t != nil {
		switch t.TimeToLiveStatus {
		case types.TimeToLiveStatusEnabled, types.TimeToLiveStatusEnabling:
			return aws.ToString(t.AttributeName), "", nil
		}
	}
	return "", "", nil
}
