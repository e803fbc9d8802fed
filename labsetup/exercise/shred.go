// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/store"
)

// The tables and tenants of shredTenant.
const (
	backup    = "backup"
	keysTable = "keys"
	red, blue = "red", "blue"
)

// shredTenant: one tenant's items are made unreadable wherever they are.
func shredTenant() definition {
	return definition{
		Exercise: Exercise{
			ID:    "shred-tenant",
			Title: "Shred one tenant",
			Goal:  "What a tenant's key has encrypted is gone with the key, in every copy, and nothing else is.",
			Start: "The items of two tenants, red and blue, are in …-records, and a backup of them in …-backup that " +
				"cannot be changed on the tenant's word. Each tenant has a branch key in the table …-keys, wrapped " +
				"by the KMS key. The branch key of red was rotated since the first item was written.",
			Task: "Make every item of red unreadable for good, the copies in …-backup too, without touching " +
				"…-backup. The items of blue go on opening.",
			Hints: []string{
				"aws dynamodb query shows the records of a branch key in …-keys: the active version, every version " +
					"by its own name, and the beacon key.",
				"An item names the version that it was written under. The active record alone is not all that opens " +
					"items.",
				"Delete all records whose branch-key-id is red. In a program: keystore.KeyStore.Shred.",
			},
		},
		tables: []string{records, backup, keysTable},
		start:  startShred,
		probes: func(ctx context.Context, s *stage, _ string) ([]probe, error) {
			ks, err := s.keyStore(ctx)
			if err != nil {
				return nil, err
			}
			const lives = "A copy of the item still opens: a record of the branch key is left in the key store."
			const harm = "The answer harms the other tenant."
			who := s.admin.name
			opens := func(table, id string) func(context.Context) (string, error) {
				return s.opensTenant(ks, table, id)
			}
			return []probe{
				{who, "open red-1 of " + s.name(backup), noBranchKey, lives, opens(backup, "red-1")},
				{who, "open red-2 of " + s.name(backup), noBranchKey, lives, opens(backup, "red-2")},
				{who, "find red-1 in " + s.name(backup), "found", "The backup was changed: it cannot be, in the task.",
					func(ctx context.Context) (string, error) { return s.findsItem(ctx, backup, "red-1") }},
				{who, "open blue-1 of " + s.name(records), theRecord, harm, opens(records, "blue-1")},
				{who, "open blue-1 of " + s.name(backup), theRecord, harm, opens(backup, "blue-1")},
			}, nil
		},
		solution: func(ctx context.Context, s *stage) (Solution, []command, error) {
			ks, err := s.keyStore(ctx)
			if err != nil {
				return Solution{}, nil, err
			}
			table := s.name(keysTable)
			return Solution{Why: "Each item names the version of the branch key that it was written under. Once all " +
					"versions are deleted, nothing can unwrap the items' keys: not in the table, not in a backup, an " +
					"export or a stream. Backups of the key store itself have to go too, as long as the KMS key " +
					"lives."},
				[]command{{"for type in $(aws dynamodb query --table-name " + table + " --consistent-read " +
					"--key-condition-expression '#k = :k' --expression-attribute-names '{\"#k\":\"branch-key-id\"}' " +
					"--expression-attribute-values '{\":k\":{\"S\":\"red\"}}' --query 'Items[].type.S' --output " +
					"text); do\n  aws dynamodb delete-item --table-name " + table +
					" --key '{\"branch-key-id\":{\"S\":\"red\"},\"type\":{\"S\":\"'\"$type\"'\"}}'\ndone",
					func(ctx context.Context) error { return ks.Shred(ctx, red) }}}, nil
		},
	}
}

// noBranchKey is what comes of opening an item whose branch key is gone.
const noBranchKey = "no branch key"

func (s *stage) keyStore(ctx context.Context) (*keystore.KeyStore, error) {
	keyARN, err := s.key(ctx)
	if err != nil {
		return nil, err
	}
	table := s.name(keysTable)
	return keystore.New(keystore.Config{LogicalName: table, TableName: table, KMS: keystore.KMSKey(keyARN),
		KMSClient: s.admin.kms, DynamoDB: s.admin.ddb})
}

// tenantMode is the mode of the two tables: the tenant before the hyphen of the
// partition key has the branch key.
func (s *stage) tenantMode(ks *keystore.KeyStore) (store.ClientSide, error) {
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: ks,
		Supplier: func(_ context.Context, attributes map[string]ddbtypes.AttributeValue) (string, error) {
			id, ok := attributes["id"].(*ddbtypes.AttributeValueMemberS)
			if !ok {
				return "", errors.New("the item has no id of a tenant")
			}
			tenant, _, _ := strings.Cut(id.Value, "-")
			return tenant, nil
		}})
	return store.ClientSide{Keyring: k, LogicalTableName: s.name(records)}, err
}

func startShred(ctx context.Context, s *stage) error {
	if _, err := s.makeKey(ctx, s.basePolicy()); err != nil {
		return err
	}
	ks, err := s.keyStore(ctx)
	if err != nil {
		return err
	}
	if err := s.makeKeyStoreTable(ctx, ks); err != nil {
		return err
	}
	mode, err := s.tenantMode(ks)
	if err != nil {
		return err
	}
	for _, tenant := range []string{red, blue} {
		_, err := ks.CreateKey(ctx, keystore.CreateKeyInput{BranchKeyID: tenant,
			EncryptionContext: map[string]string{"tenant": tenant}})
		if err != nil && !errors.Is(err, keystore.ErrExists) {
			return err
		}
	}
	for _, table := range []string{records, backup} {
		if err := s.makeTable(ctx, s.admin, s.name(table), ""); err != nil {
			return err
		}
	}
	for _, id := range []string{"red-1", "red-2", "blue-1"} {
		if id == "red-2" {
			if _, err := ks.VersionKey(ctx, red); err != nil {
				return err
			}
		}
		if err := s.put(ctx, records, mode, recordOf(id)); err != nil {
			return err
		}
		if err := s.copyItem(ctx, s.admin, s.name(records), s.name(backup), id); err != nil {
			return err
		}
	}
	return nil
}

// makeKeyStoreTable creates the key store's table with the tag, or finds it.
func (s *stage) makeKeyStoreTable(ctx context.Context, ks *keystore.KeyStore) error {
	name := s.name(keysTable)
	err := s.checkTableOurs(ctx, s.admin, name)
	var missing *ddbtypes.ResourceNotFoundException
	if !errors.As(err, &missing) {
		if err != nil {
			return err
		}
		// An answer can have left half a branch key, which cannot be created again.
		if err := ks.Shred(ctx, red); err != nil && !errors.Is(err, keystore.ErrNotFound) {
			return err
		}
		if err := ks.Shred(ctx, blue); err != nil && !errors.Is(err, keystore.ErrNotFound) {
			return err
		}
		return nil
	}
	arn, err := ks.CreateTable(ctx)
	if err != nil {
		return err
	}
	_, err = s.admin.ddb.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: aws.String(arn),
		Tags: []ddbtypes.Tag{{Key: aws.String(Tag), Value: aws.String(s.id)}}})
	return err
}

func (s *stage) opensTenant(ks *keystore.KeyStore, table, id string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		mode, err := s.tenantMode(ks)
		if err != nil {
			return "", err
		}
		got, err := s.readsItem(s.admin, table, mode, id)(ctx)
		if errors.Is(err, keystore.ErrNotFound) {
			return noBranchKey, nil
		}
		return got, err
	}
}

// findsItem looks whether an item is there, without opening it.
func (s *stage) findsItem(ctx context.Context, table, id string) (string, error) {
	out, err := s.admin.ddb.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(s.name(table)),
		Key:            map[string]ddbtypes.AttributeValue{"id": &ddbtypes.AttributeValueMemberS{Value: id}},
		ConsistentRead: aws.Bool(true)})
	if err != nil {
		return "", fmt.Errorf("item %s: %w", id, err)
	}
	if len(out.Item) == 0 {
		return "not found", nil
	}
	return "found", nil
}
