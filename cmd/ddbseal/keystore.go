// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/internal/display"
)

type keystoreCommand struct {
	Create keystoreCreate `cmd:"" help:"Make the key store's table, unless it exists, and a branch key in it."`
	Rotate keystoreRotate `cmd:"" help:"Make a new version of a branch key; older items stay readable."`
	List   keystoreList   `cmd:"" help:"List the branch keys, or the versions of one."`
}

// keystoreFlags say which key store, and who uses it.
type keystoreFlags struct {
	target
	As          string `placeholder:"PRINCIPAL" help:"Who does it: administrator or nextwork-kms-user. (default: administrator; with --aws or --endpoint-url the principal of the environment or of --profile)"`
	Table       string `default:"nextwork-key-store" placeholder:"NAME" help:"Table of the key store. (default: ${default})"`
	LogicalName string `placeholder:"NAME" help:"Name that is bound to every key; it must never change. (default: the table's name)"`
	KMSKey      string `name:"kms-key" placeholder:"ARN" help:"KMS key that wraps the branch keys. (default: the lab's key)"`
	JSON        bool   `name:"json" help:"Print the result as JSON."`
}

// with opens the key store and calls do.
func (f *keystoreFlags) with(ctx context.Context, s streams, do func(*keystore.KeyStore, aws.Config) error) error {
	return f.act(ctx, s, f.As, func(p *place, cfg aws.Config) (err error) {
		if f.KMSKey == "" {
			if f.KMSKey, err = p.keyARN(ctx, cfg); err != nil {
				return err
			}
		}
		if f.LogicalName == "" {
			f.LogicalName = f.Table
		}
		ks, err := keystore.New(keystore.Config{LogicalName: f.LogicalName, KMS: keystore.KMSKey(f.KMSKey),
			KMSClient: kms.NewFromConfig(inRegionOf(cfg, f.KMSKey)),
			DynamoDB:  dynamodb.NewFromConfig(cfg), TableName: f.Table})
		if err != nil {
			return err
		}
		return do(ks, cfg)
	})
}

// branchKey is a branch key, or one version of it, as JSON.
type branchKey struct {
	ID      string `json:"branchKeyId"`
	Version string `json:"version,omitempty"`
	Created string `json:"created,omitempty"`
	Active  bool   `json:"active,omitempty"`
}

func (f *keystoreFlags) print(s streams, keys ...branchKey) error {
	if f.JSON {
		return printJSON(s.out, keys)
	}
	t := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, k := range keys {
		columns := []string{k.ID, k.Version, k.Created, ""}
		if k.Active {
			columns[3] = "active"
		}
		line := ""
		for _, c := range columns {
			if c != "" {
				line += "\t" + display.Text(c)
			}
		}
		tell(t, "%s\n", terminal.Styled(line[1:]))
	}
	return t.Flush()
}

type keystoreCreate struct {
	keystoreFlags
	BranchKeyID string            `placeholder:"ID" help:"Identifier of your own, such as a tenant; it needs --context. (default: a new UUID)"`
	Context     map[string]string `placeholder:"NAME=VALUE" help:"Encryption context bound to the key; not secret."`
}

// Help is the long help text.
func (c *keystoreCreate) Help() string {
	return `A branch key is drawn and wrapped by KMS and kept in a DynamoDB table. Items encrypted under it cost one KMS call for each process and lifetime of its cache, not one each.

The table is yours: 'ddbseal down' does not delete it.

  ddbseal keystore create --branch-key-id tenant-1 --context tenant=1
  ddbseal keystore list --branch-key-id tenant-1`
}

// Run creates the table and a branch key.
func (c *keystoreCreate) Run(ctx context.Context, s streams) error {
	if c.BranchKeyID != "" && len(c.Context) == 0 {
		return usagef("--branch-key-id needs --context: such a key is bound to what it is for")
	}
	return c.with(ctx, s, func(ks *keystore.KeyStore, _ aws.Config) error {
		if _, err := ks.CreateTable(ctx); err != nil {
			return err
		}
		id, err := ks.CreateKey(ctx, keystore.CreateKeyInput{BranchKeyID: c.BranchKeyID, EncryptionContext: c.Context})
		if errors.Is(err, keystore.ErrExists) {
			return existsAlready{c.BranchKeyID, c.Table, err}
		}
		if err != nil {
			return err
		}
		return c.print(s, branchKey{ID: id})
	})
}

// existsAlready is [keystore.ErrExists] without what DynamoDB says of its
// transaction.
type existsAlready struct {
	id, table string
	cause     error
}

func (e existsAlready) Error() string {
	return fmt.Sprintf("branch key %s exists already in table %s: give another --branch-key-id, "+
		"or make a new version of it with 'ddbseal keystore rotate'", e.id, e.table)
}

// Unwrap returns the key store's error.
func (e existsAlready) Unwrap() error { return e.cause }

type keystoreRotate struct {
	keystoreFlags
	BranchKeyID string `required:"" placeholder:"ID" help:"The branch key."`
}

// Help is the long help text.
func (c *keystoreRotate) Help() string {
	return `Makes a new version and prints it. Running processes write under the old one until the lifetime of their cache ends.

  ddbseal keystore rotate --branch-key-id tenant-1`
}

// Run rotates a branch key.
func (c *keystoreRotate) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(ks *keystore.KeyStore, _ aws.Config) error {
		version, err := ks.VersionKey(ctx, c.BranchKeyID)
		if err != nil {
			return err
		}
		return c.print(s, branchKey{ID: c.BranchKeyID, Version: version, Active: true})
	})
}

type keystoreList struct {
	keystoreFlags
	BranchKeyID string `placeholder:"ID" help:"List the versions of this branch key."`
}

// Help is the long help text.
func (c *keystoreList) Help() string {
	return `Lists all branch keys of the table, which is scanned for that; with --branch-key-id the versions of one, oldest first.

  ddbseal keystore list
  ddbseal keystore list --branch-key-id tenant-1`
}

// Run lists.
func (c *keystoreList) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(ks *keystore.KeyStore, cfg aws.Config) error {
		keys := []branchKey{}
		if c.BranchKeyID == "" {
			ids, err := branchKeyIDs(ctx, cfg, c.Table)
			if err != nil {
				return err
			}
			for _, id := range ids {
				keys = append(keys, branchKey{ID: id})
			}
			return c.print(s, keys...)
		}
		versions, err := ks.Versions(ctx, c.BranchKeyID)
		if err != nil {
			return err
		}
		for _, v := range versions {
			keys = append(keys, branchKey{ID: c.BranchKeyID, Version: v.Version, Created: v.CreateTime,
				Active: v.Active})
		}
		return c.print(s, keys...)
	})
}

// branchKeyIDs finds the active records of a key store's table.
func branchKeyIDs(ctx context.Context, cfg aws.Config, table string) ([]string, error) {
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(cfg), &dynamodb.ScanInput{
		TableName: aws.String(table), FilterExpression: aws.String("#t = :active"),
		ProjectionExpression:     aws.String("#id"),
		ExpressionAttributeNames: map[string]string{"#t": "type", "#id": "branch-key-id"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":active": &types.AttributeValueMemberS{Value: "branch:ACTIVE"}},
	})
	var ids []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		var missing *types.ResourceNotFoundException
		if errors.As(err, &missing) {
			return nil, fmt.Errorf("there is no key store table %s: 'ddbseal keystore create' makes it", table)
		}
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			if id, ok := item["branch-key-id"].(*types.AttributeValueMemberS); ok {
				ids = append(ids, id.Value)
			}
		}
	}
	return ids, nil
}
