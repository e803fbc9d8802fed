// SPDX-License-Identifier: Apache-2.0

// Package tablechange changes DynamoDB tables through an SDK client, and waits for
// a while until a change shows.
package tablechange

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Client is what the changes need of dynamodb.Client.
type Client interface {
	dynamodb.ListTablesAPIClient
	dynamodb.DescribeTableAPIClient
	CreateTable(context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options)) (
		*dynamodb.CreateTableOutput, error)
	UpdateTable(context.Context, *dynamodb.UpdateTableInput, ...func(*dynamodb.Options)) (
		*dynamodb.UpdateTableOutput, error)
	DeleteTable(context.Context, *dynamodb.DeleteTableInput, ...func(*dynamodb.Options)) (
		*dynamodb.DeleteTableOutput, error)
	CreateBackup(context.Context, *dynamodb.CreateBackupInput, ...func(*dynamodb.Options)) (
		*dynamodb.CreateBackupOutput, error)
	DescribeBackup(context.Context, *dynamodb.DescribeBackupInput, ...func(*dynamodb.Options)) (
		*dynamodb.DescribeBackupOutput, error)
	RestoreTableFromBackup(context.Context, *dynamodb.RestoreTableFromBackupInput, ...func(*dynamodb.Options)) (
		*dynamodb.RestoreTableFromBackupOutput, error)
}

var _ Client = (*dynamodb.Client)(nil)

// How long a change is waited for, and how often its state is asked for.
const (
	waitAtMost = 40 * time.Second
	firstPause = 50 * time.Millisecond
	mostPause  = 2 * time.Second
)

// wait asks until ok holds, for waitAtMost, and reports whether it did.
func wait(ctx context.Context, ok func(context.Context) bool) bool {
	ctx, cancel := context.WithTimeout(ctx, waitAtMost)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		if ok(ctx) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
}

// settles reports whether a table became ACTIVE, with no change of its key on the
// way, while it was waited for.
func settles(ctx context.Context, c Client, name string) bool {
	return wait(ctx, func(ctx context.Context) bool {
		t, err := Describe(ctx, c, name)
		return err == nil && t.TableStatus == types.TableStatusActive &&
			(t.SSEDescription == nil || t.SSEDescription.Status != types.SSEStatusUpdating)
	})
}

// Describe returns the description of a table.
func Describe(ctx context.Context, c Client, name string) (*types.TableDescription, error) {
	out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return nil, err
	}
	return out.Table, nil
}

// Create creates a table and reports whether it can be used already. The error is
// the call's.
func Create(ctx context.Context, c Client, in *dynamodb.CreateTableInput) (ready bool, err error) {
	if _, err := c.CreateTable(ctx, in); err != nil {
		return false, err
	}
	return settles(ctx, c, *in.TableName), nil
}

// Encrypt puts a table under another key. The error is the call's.
func Encrypt(ctx context.Context, c Client, name string, sse *types.SSESpecification) error {
	return update(ctx, c, &dynamodb.UpdateTableInput{TableName: &name, SSESpecification: sse})
}

// Protect turns the protection of a table from deletion on or off. The error is
// the call's.
func Protect(ctx context.Context, c Client, name string, on bool) error {
	return update(ctx, c, &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: &on})
}

func update(ctx context.Context, c Client, in *dynamodb.UpdateTableInput) error {
	_, err := c.UpdateTable(ctx, in)
	if err == nil {
		settles(ctx, c, *in.TableName)
	}
	return err
}

// Delete deletes a table. The error is the call's.
func Delete(ctx context.Context, c Client, name string) error {
	_, err := c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
	if err == nil {
		wait(ctx, func(ctx context.Context) bool {
			_, err := Describe(ctx, c, name)
			return err != nil
		})
	}
	return err
}

// maxBackupName is the maximum length of a backup's name.
const maxBackupName = 255

// Backup backs a table up and returns the ARN of the backup when it is complete.
// It fails when the backup is not complete after a while.
func Backup(ctx context.Context, c Client, name string) (arn string, err error) {
	as := "before-deletion-" + name
	made, err := c.CreateBackup(ctx, &dynamodb.CreateBackupInput{TableName: &name,
		BackupName: aws.String(as[:min(len(as), maxBackupName)])})
	if err != nil {
		return "", err
	}
	arn = aws.ToString(made.BackupDetails.BackupArn)
	if !wait(ctx, func(ctx context.Context) bool {
		out, err := c.DescribeBackup(ctx, &dynamodb.DescribeBackupInput{BackupArn: &arn})
		return err == nil && out.BackupDescription.BackupDetails.BackupStatus == types.BackupStatusAvailable
	}) {
		return "", fmt.Errorf("the backup %s of table %s is not complete yet: try again later", arn, name)
	}
	return arn, nil
}

// Restore creates a table from a backup. The error is the call's.
func Restore(ctx context.Context, c Client, name, backup string) error {
	_, err := c.RestoreTableFromBackup(ctx, &dynamodb.RestoreTableFromBackupInput{TargetTableName: &name,
		BackupArn: &backup})
	if err == nil {
		settles(ctx, c, name)
	}
	return err
}

// maxLooks bounds how many tables Under looks at.
const maxLooks = 200

// Under returns the tables that DynamoDB encrypts under a key, given by its ARN,
// among the account's first 200. The error is that of the first call that failed.
func Under(ctx context.Context, c Client, key string) (out []string, err error) {
	looks := 0
	pages := dynamodb.NewListTablesPaginator(c, &dynamodb.ListTablesInput{})
	for pages.HasMorePages() {
		list, err := pages.NextPage(ctx)
		if err != nil {
			return out, err
		}
		for _, name := range list.TableNames {
			if looks++; looks > maxLooks {
				return out, nil
			}
			t, err := Describe(ctx, c, name)
			if err != nil {
				return out, err
			}
			if t.SSEDescription != nil && aws.ToString(t.SSEDescription.KMSMasterKeyArn) == key {
				out = append(out, name)
			}
		}
	}
	return out, nil
}
