// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/envelope/legacy/metatable"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// providers give keyrings their AWS clients. The AWS is opened only when a
// keyring asks for it: one with raw keys works without.
type providers struct {
	target *target
	as     string
	s      streams
	place  *place
}

func (p *providers) config(ctx context.Context) (cfg aws.Config, err error) {
	if p.place == nil {
		if p.place, err = p.target.open(ctx, false); err != nil {
			return aws.Config{}, err
		}
		p.place.say(p.s, p.as)
	}
	return p.place.as(p.as)
}

func (p *providers) close(err *error) {
	if p.place != nil {
		p.place.close(err)
	}
}

func (p *providers) hooks() itemconfig.Providers {
	return itemconfig.Providers{KMS: p.kms, KeyStore: p.keyStore, BeaconKeys: p.beaconKeys, MetaTable: p.metaTable}
}

func (p *providers) kms(ctx context.Context, region string) (awskms.KMSClient, error) {
	cfg, err := p.config(ctx)
	if err != nil {
		return nil, fmt.Errorf("client of AWS KMS: %w", err)
	}
	return kms.NewFromConfig(cfg, func(o *kms.Options) { o.Region = cmp.Or(region, o.Region) }), nil
}

func (p *providers) metaTable(ctx context.Context, name string) (legacy.MetaTable, error) {
	cfg, err := p.config(ctx)
	if err != nil {
		return nil, fmt.Errorf("meta table %s: %w", name, err)
	}
	return metatable.New(dynamodb.NewFromConfig(cfg), name)
}

// defaultTTL is the lifetime of branch keys in the cache where the file does
// not say.
const defaultTTL = 10 * time.Minute

func (p *providers) keyStore(ctx context.Context, k itemconfig.Keyring) (materials.BranchKeySource, error) {
	ttl := defaultTTL
	if k.TTL != "" {
		var err error
		if ttl, err = time.ParseDuration(k.TTL); err != nil {
			return nil, err
		}
	}
	ks, err := p.openKeyStore(ctx, k.Table, k.LogicalName, k.KMSKeyID)
	if err != nil {
		return nil, err
	}
	return cache.NewSource(ks, ttl)
}

func (p *providers) beaconKeys(ctx context.Context, k itemconfig.BeaconKeySource) (materials.BeaconKeySource, error) {
	ks, err := p.openKeyStore(ctx, k.Table, k.LogicalName, k.KMSKeyID)
	if err != nil {
		return nil, err
	}
	return ks, nil
}

// openKeyStore opens the key store that a keyring or a key source of the file
// describes. Without a logical name it has the name of its table.
func (p *providers) openKeyStore(ctx context.Context, table, logical, kmsKey string) (*keystore.KeyStore, error) {
	for _, m := range []struct{ name, value, what string }{{"table", table, "the name of the key store's table"},
		{"kmsKeyId", kmsKey, "the ARN of the KMS key that wraps its branch keys"}} {
		if m.value == "" {
			return nil, &itemconfig.MemberError{Path: m.name,
				Err: fmt.Errorf("%w: missing: %s", envelope.ErrConfiguration, m.what)}
		}
	}
	cfg, err := p.config(ctx)
	if err != nil {
		return nil, fmt.Errorf("key store %s: %w", table, err)
	}
	return keystore.New(keystore.Config{LogicalName: cmp.Or(logical, table), KMS: keystore.KMSKey(kmsKey),
		KMSClient: kms.NewFromConfig(inRegionOf(cfg, kmsKey)),
		DynamoDB:  dynamodb.NewFromConfig(cfg), TableName: table})
}

// openConfig makes the encryptor of a configuration file; nil without one. A
// configuration that is wrong is a mistake in the command line.
func openConfig(ctx context.Context, path string, p *providers) (*envelope.ItemEncryptor, error) {
	if path == "" {
		return nil, nil
	}
	c, err := readConfig(path)
	if err != nil {
		return nil, err
	}
	e, err := c.Encryptor(ctx, p.hooks())
	if err != nil {
		return nil, wrongConfig(fmt.Errorf("%s: %w", path, err))
	}
	return e, nil
}

// readConfig reads a configuration file.
func readConfig(path string) (*itemconfig.Config, error) {
	c, err := itemconfig.ReadFile(path)
	return c, wrongConfig(err)
}

// wrongConfig makes err a mistake in the command line if a configuration is wrong.
func wrongConfig(err error) error {
	if errors.Is(err, envelope.ErrConfiguration) {
		return usageError{err}
	}
	return err
}
