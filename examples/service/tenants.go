// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
)

// branchKeyLifetime is how long a branch key stays in memory. A withdrawn
// permission takes effect when it ends.
const branchKeyLifetime = 10 * time.Minute

// tenants keeps a branch key for each tenant, all under one KMS key.
type tenants struct {
	keys  *keystore.KeyStore
	cache *cache.Source
}

func newTenants(ctx context.Context, db *dynamodb.Client, k *kms.Client, table, keyARN string) (*tenants, error) {
	keys, err := keystore.New(keystore.Config{
		LogicalName: "service-branch-keys", // bound to every branch key: it never changes
		TableName:   table, DynamoDB: db, KMS: keystore.KMSKey(keyARN), KMSClient: k,
	})
	if err != nil {
		return nil, err
	}
	if _, err := keys.CreateTable(ctx); err != nil {
		return nil, err
	}
	source, err := cache.NewSource(keys, branchKeyLifetime)
	return &tenants{keys, source}, err
}

// close wipes the branch keys in memory.
func (t *tenants) close() { t.cache.Cache().Purge() }

var tenantName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// add makes the branch key of a new tenant.
func (t *tenants) add(ctx context.Context, tenant string) error {
	if !tenantName.MatchString(tenant) {
		return fmt.Errorf("a tenant's name has lower-case letters, digits and hyphens")
	}
	_, err := t.keys.CreateKey(ctx, keystore.CreateKeyInput{
		BranchKeyID: branchKeyID(tenant), EncryptionContext: map[string]string{"tenant": tenant},
	})
	return err
}

// remove destroys the branch key of a tenant, and by that everything that the
// tenant has in the table, in its backups and exports.
func (t *tenants) remove(ctx context.Context, tenant string) error {
	err := t.keys.Shred(ctx, branchKeyID(tenant))
	t.cache.Cache().Purge() // of this process; others forget it within the lifetime
	return err
}

func branchKeyID(tenant string) string { return "tenant-" + tenant }

// keyring wraps the data key of each item under the branch key of its tenant,
// which the partition key names. The partition key is signed, so an item cannot
// be moved to another tenant.
func (t *tenants) keyring() (*keyring.Hierarchical, error) {
	return keyring.NewHierarchical(keyring.HierarchicalConfig{
		Source: t.cache,
		Supplier: func(_ context.Context, attributes map[string]types.AttributeValue) (string, error) {
			key, is := attributes["pk"].(*types.AttributeValueMemberS)
			tenant, _, found := strings.Cut(value(key, is), "#")
			if !found {
				return "", errors.New("the partition key names no tenant")
			}
			return branchKeyID(tenant), nil
		},
	})
}

func value(s *types.AttributeValueMemberS, is bool) string {
	if !is {
		return ""
	}
	return s.Value
}
