// SPDX-License-Identifier: Apache-2.0

// Package account gives the examples something to run on: an AWS inside the
// process, or with the flag -aws the account of the usual environment, where
// AWS_ENDPOINT_URL counts. What an example makes there, it removes.
package account

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/localaws"
)

// Account is where an example runs.
type Account struct {
	DynamoDB *dynamodb.Client
	KMS      *kms.Client
	Config   aws.Config

	server *localaws.Server // nil on AWS
	remove []func(context.Context) error
}

// Main runs an example's function as a program.
func Main(run func(context.Context, *Account) error) {
	onAWS := flag.Bool("aws", false, "use the AWS account of the current credentials, which costs a little")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := Run(ctx, *onAWS, run); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// Run opens an account, runs the example and cleans up.
func Run(ctx context.Context, onAWS bool, run func(context.Context, *Account) error) error {
	a, err := open(ctx, onAWS)
	if err != nil {
		return err
	}
	err = run(ctx, a)
	for _, f := range slices.Backward(a.remove) {
		err = errors.Join(err, f(context.WithoutCancel(ctx))) // also after an interrupt
	}
	return err
}

func open(ctx context.Context, onAWS bool) (*Account, error) {
	a := &Account{}
	if onAWS {
		var err error
		if a.Config, err = config.LoadDefaultConfig(ctx); err != nil {
			return nil, err
		}
		where := "AWS"
		if a.Config.BaseEndpoint != nil { // AWS_ENDPOINT_URL, or the profile's
			where = *a.Config.BaseEndpoint
		}
		fmt.Printf("running on %s, region %s\n", where, a.Config.Region)
	} else {
		server, err := localaws.New(localaws.Options{})
		if err != nil {
			return nil, err
		}
		a.remove = append(a.remove, func(context.Context) error { return server.Close() })
		a.server = server
		a.Config = server.Config(server.RootCredentials())
		fmt.Println("running on the embedded AWS")
	}
	a.DynamoDB, a.KMS = dynamodb.NewFromConfig(a.Config), kms.NewFromConfig(a.Config)
	return a, nil
}

// Key makes a KMS key and returns its ARN.
func (a *Account) Key(ctx context.Context) (string, error) {
	out, err := a.KMS.CreateKey(ctx, &kms.CreateKeyInput{Description: aws.String("ddbseal example")})
	if err != nil {
		return "", err
	}
	arn := *out.KeyMetadata.Arn
	a.remove = append(a.remove, func(ctx context.Context) error {
		_, err := a.KMS.ScheduleKeyDeletion(ctx,
			&kms.ScheduleKeyDeletionInput{KeyId: &arn, PendingWindowInDays: aws.Int32(7)})
		return err
	})
	return arn, nil
}

// Table makes a table with the partition key "id", encrypted at rest under the
// KMS key if its ARN is not empty, and returns its name.
func (a *Account) Table(ctx context.Context, name, key string) (string, error) {
	in := &dynamodb.CreateTableInput{
		TableName: aws.String("ddbseal-example-" + name), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"),
			AttributeType: types.ScalarAttributeTypeS}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	}
	if key != "" {
		in.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms,
			KMSMasterKeyId: &key}
	}
	if _, err := a.DynamoDB.CreateTable(ctx, in); err != nil {
		return "", err
	}
	a.RemoveTable(*in.TableName)
	waiter := dynamodb.NewTableExistsWaiter(a.DynamoDB,
		func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = time.Second })
	return *in.TableName, waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: in.TableName}, 5*time.Minute)
}

// RemoveTable deletes a table that the example makes itself when the example ends,
// if the table is there then.
func (a *Account) RemoveTable(name string) {
	a.remove = append(a.remove, func(ctx context.Context) error {
		_, err := a.DynamoDB.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
		if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
			return nil
		}
		return err
	})
}
