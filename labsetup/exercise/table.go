// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/store"
)

// record is what the tables of most exercises hold.
type record struct {
	ID   string `dynamodbav:"id" seal:"partition"`
	Name string `dynamodbav:"name"`
	Note string `dynamodbav:"note"`
}

func recordOf(id string) record {
	return record{ID: id, Name: "Robin Example", Note: "hay fever"}
}

// firstID is the ID of the one record of most tables.
const firstID = "1"

// tableDeadline bounds how long a table may take to become ready.
const tableDeadline = 5 * time.Minute

// makeTable creates a table of the exercise, or finds it, and puts it under the
// key, or under the AWS owned key if keyARN is empty.
func (s *stage) makeTable(ctx context.Context, a actor, name, keyARN string) error {
	in := &dynamodb.CreateTableInput{TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"),
			AttributeType: types.ScalarAttributeTypeS}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		Tags:      []types.Tag{{Key: aws.String(Tag), Value: aws.String(s.id)}}}
	if keyARN != "" {
		in.SSESpecification = sse(keyARN)
	}
	_, err := a.ddb.CreateTable(ctx, in)
	var exists *types.ResourceInUseException
	switch {
	case errors.As(err, &exists):
		if err := s.checkTableOurs(ctx, a, name); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	if err := waitTable(ctx, a.ddb, name, active); err != nil {
		return err
	}
	return putUnder(ctx, a.ddb, name, keyARN)
}

// makeTableWithRecord creates a table and puts the record into it.
func (s *stage) makeTableWithRecord(ctx context.Context, suffix, keyARN string, m store.Mode) error {
	if err := s.makeTable(ctx, s.admin, s.name(suffix), keyARN); err != nil {
		return err
	}
	return s.put(ctx, suffix, m, recordOf(firstID))
}

func (s *stage) put(ctx context.Context, suffix string, m store.Mode, r record) error {
	t, err := store.New[record](s.admin.ddb, s.name(suffix), m)
	if err != nil {
		return err
	}
	return t.Put(ctx, r)
}

func sse(keyARN string) *types.SSESpecification {
	if keyARN == "" {
		return &types.SSESpecification{Enabled: aws.Bool(false)}
	}
	return &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms,
		KMSMasterKeyId: aws.String(keyARN)}
}

// putUnder puts a table under a key unless it is under it already: AWS allows
// four changes of a table's encryption in 24 hours.
func putUnder(ctx context.Context, client *dynamodb.Client, name, keyARN string) error {
	under := func(t *types.TableDescription) bool {
		d := t.SSEDescription
		if keyARN == "" {
			return d == nil
		}
		return d != nil && d.Status == types.SSEStatusEnabled && aws.ToString(d.KMSMasterKeyArn) == keyARN
	}
	now, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
	if err != nil {
		return err
	}
	if !under(now.Table) {
		if _, err := client.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(name),
			SSESpecification: sse(keyARN)}); err != nil {
			return err
		}
	}
	return waitTable(ctx, client, name, under)
}

func active(t *types.TableDescription) bool { return t.TableStatus == types.TableStatusActive }

func waitTable(ctx context.Context, client *dynamodb.Client, name string,
	ok func(*types.TableDescription) bool) error {
	ctx, cancel := context.WithTimeout(ctx, tableDeadline)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		if err != nil {
			return err
		}
		if ok(out.Table) {
			return nil
		}
		if err := sleep(ctx, pause); err != nil {
			return fmt.Errorf("table %s did not become ready: %w", name, err)
		}
	}
}

// waitGone waits until a table that is being deleted is gone.
func waitGone(ctx context.Context, client *dynamodb.Client, name string) error {
	err := waitTable(ctx, client, name, func(*types.TableDescription) bool { return false })
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return nil
	}
	return err
}

func (s *stage) checkTableOurs(ctx context.Context, a actor, name string) error {
	described, err := a.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
	if err != nil {
		return err
	}
	tags, err := a.ddb.ListTagsOfResource(ctx,
		&dynamodb.ListTagsOfResourceInput{ResourceArn: described.Table.TableArn})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(tags.Tags, func(t types.Tag) bool {
		return aws.ToString(t.Key) == Tag && aws.ToString(t.Value) == s.id
	}) {
		return fmt.Errorf("table %s %w", name, ErrNotOurs)
	}
	return nil
}

// clientSide is the mode of a table whose items are encrypted under the key.
func clientSide(a actor, keyARN string) (store.ClientSide, error) {
	keyring, err := awskms.New(awskms.Config{Client: a.kms, KeyARN: keyARN})
	return store.ClientSide{Keyring: keyring}, err
}

// reads reads the first record of a table in a mode.
func (s *stage) reads(a actor, suffix string, m store.Mode) func(context.Context) (string, error) {
	return s.readsItem(a, suffix, m, firstID)
}

func (s *stage) readsItem(a actor, suffix string, m store.Mode, id string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		t, err := store.New[record](a.ddb, s.name(suffix), m)
		if err != nil {
			return "", err
		}
		got, err := t.Get(ctx, store.Key{Partition: id})
		if err == nil && got != recordOf(id) {
			return anotherRecord, nil
		}
		return theRecord, err
	}
}

// opens reads a record of a client-side table under the key.
func (s *stage) opens(a actor, suffix, keyARN string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		mode, err := clientSide(a, keyARN)
		if err != nil {
			return "", err
		}
		return s.reads(a, suffix, mode)(ctx)
	}
}
