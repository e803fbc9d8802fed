// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store/internal/calls"
	"github.com/ddbseal/ddbseal/store/internal/provision"
)

// TableCreator is what [Create] needs of the client. *dynamodb.Client fits.
type TableCreator interface {
	CreateTable(context.Context, *dynamodb.CreateTableInput,
		...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput,
		...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
	UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput,
		...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error)
	DescribeTimeToLive(context.Context, *dynamodb.DescribeTimeToLiveInput,
		...func(*dynamodb.Options)) (*dynamodb.DescribeTimeToLiveOutput, error)
}

var _ TableCreator = (*dynamodb.Client)(nil)

// CreateOptions are the settings of a table that its types do not declare. The
// zero value makes an on-demand table under a key that AWS owns, or in
// [ServerSide] mode under its KMSKeyARN.
type CreateOptions struct {
	// ReadUnits and WriteUnits provision capacity for the table and for each of
	// its global indexes. Both zero: on demand.
	ReadUnits, WriteUnits int64
	// KMSKey is the id, ARN or alias of the KMS key for DynamoDB's own
	// encryption; "alias/aws/dynamodb" is the one that AWS manages.
	KMSKey string
	// DeletionProtection refuses to delete the table.
	DeletionProtection bool
	Tags               map[string]string
	// Timeout bounds the whole call; zero: 5 minutes.
	Timeout time.Duration
}

const createTimeout = 5 * time.Minute

// Declaration is a *[Table] of any type, or a *[Collection].
type Declaration interface{ declaration() *core }

func (c *core) declaration() *core { return c }

// Create creates one physical table for all the types in it: with the keys that
// they share, the indexes that their tags declare together, and the time to live
// of the one that has a ttl field. It waits until the table and its indexes are
// active.
//
// Where a table of that name exists, nothing is changed but a time to live that is off:
// Create returns nil if the table is as it is declared, and otherwise a
// [*DeclarationError] that names each difference. An index or tag that the table has
// beyond its declaration is not a difference.
//
// The caller needs dynamodb:CreateTable and dynamodb:DescribeTable; with a ttl
// field dynamodb:UpdateTimeToLive and dynamodb:DescribeTimeToLive; with tags
// dynamodb:TagResource; and for a KMS key of the account kms:DescribeKey and
// kms:CreateGrant.
//
// Errors: [ErrConfiguration] for declarations that do not fit together, or a
// client without the methods of [TableCreator]; [*DeclarationError]; ctx's;
// the SDK's.
func Create(ctx context.Context, o CreateOptions, tables ...Declaration) error {
	d, client, err := define(o, tables)
	if err != nil {
		return err
	}
	timeout := o.Timeout
	if timeout == 0 {
		timeout = createTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	differences, err := d.Ensure(ctx, client)
	switch {
	case err != nil:
		return tables[0].declaration().callError("create", err)
	case len(differences) > 0:
		return &DeclarationError{Table: d.Name, Problems: differences}
	}
	return nil
}

// define merges the declarations of one physical table.
func define(o CreateOptions, tables []Declaration) (*provision.Definition, TableCreator, error) {
	refuse := func(format string, args ...any) (*provision.Definition, TableCreator, error) {
		return nil, nil, fmt.Errorf("%w: create: "+format, append([]any{ErrConfiguration}, args...)...)
	}
	if len(tables) == 0 {
		return refuse("no table is declared")
	}
	switch {
	case (o.ReadUnits == 0) != (o.WriteUnits == 0) || o.ReadUnits < 0 || o.WriteUnits < 0:
		return refuse("ReadUnits %d and WriteUnits %d must both be positive, or both be zero for a table on demand",
			o.ReadUnits, o.WriteUnits)
	case o.Timeout < 0:
		return refuse("Timeout %v is negative", o.Timeout)
	}
	first := tables[0].declaration()
	d := &provision.Definition{Name: first.name, Key: first.plan.TableKey(), Types: map[string]string{},
		KMSKey: o.KMSKey, Read: o.ReadUnits, Write: o.WriteUnits, DeletionProtection: o.DeletionProtection,
		Tags: maps.Clone(o.Tags)}
	for _, t := range tables {
		c, kmsKey := t.declaration(), ""
		if m, is := c.mode.(ServerSide); is {
			kmsKey = m.KMSKeyARN
		}
		if err := c.requests().Define(d, first.plan.TypeName, kmsKey); err != nil {
			return refuse("%w", err)
		}
	}
	base, _ := calls.Base(first.client)
	client, can := base.(TableCreator)
	if !can {
		return refuse("client %T of table %s lacks methods of store.TableCreator", first.client, d.Name)
	}
	return d, client, nil
}
