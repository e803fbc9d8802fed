// SPDX-License-Identifier: Apache-2.0

package leastprivilege

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Describe reads a table's ARN, key and indexes. It needs dynamodb:DescribeTable
// and, for a table under a KMS key, kms:DescribeKey. The caller sets Items and
// Former, because DynamoDB does not know that items are encrypted. Errors are the
// SDK's, such as types.ResourceNotFoundException for a missing table.
func Describe(ctx context.Context, cfg aws.Config, name string) (Table, error) {
	out, err := dynamodb.NewFromConfig(cfg).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return Table{}, fmt.Errorf("table %s: %w", name, err)
	}
	t := Table{Place: Place{ARN: aws.ToString(out.Table.TableArn)}}
	for _, i := range out.Table.GlobalSecondaryIndexes {
		t.Indexes = append(t.Indexes, aws.ToString(i.IndexName))
	}
	for _, i := range out.Table.LocalSecondaryIndexes {
		t.Indexes = append(t.Indexes, aws.ToString(i.IndexName))
	}
	if sse := out.Table.SSEDescription; sse != nil && sse.KMSMasterKeyArn != nil {
		t.KeyARN = *sse.KMSMasterKeyArn
		key, err := kms.NewFromConfig(cfg).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: sse.KMSMasterKeyArn})
		if err != nil {
			return Table{}, fmt.Errorf("key %s of table %s: whether it is the AWS managed key: %w", t.KeyARN, name, err)
		}
		t.Managed = key.KeyMetadata.KeyManager == kmstypes.KeyManagerTypeAws
	}
	return t, nil
}

// DescribeStore is like [Describe] but for the table of a key store, which need
// not exist yet. For a missing table it returns the ARN that the table will have
// in the account and Region of cfg, and the AWS owned key.
func DescribeStore(ctx context.Context, cfg aws.Config, name string) (Place, error) {
	t, err := Describe(ctx, cfg, name)
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		return t.Place, err
	}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Place{}, fmt.Errorf("account of table %s: %w", name, err)
	}
	caller, err := arn.Parse(aws.ToString(who.Arn))
	if err != nil {
		return Place{}, fmt.Errorf("account of table %s: %w", name, err)
	}
	return Place{ARN: arn.ARN{Partition: caller.Partition, Service: "dynamodb", Region: cfg.Region,
		AccountID: caller.AccountID, Resource: "table/" + name}.String()}, nil
}
