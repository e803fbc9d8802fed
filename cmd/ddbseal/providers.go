package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
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
		if ttl, err = time.ParseDuration(k.TTL); err != nil || ttl <= 0 {
			return nil, fmt.Errorf("%w: ttl %q is not a duration such as 10m", envelope.ErrConfiguration, k.TTL)
		}
	}
	ks, err := p.openKeyStore(ctx, "a hierarchical keyring", k.Table, k.LogicalName, k.KMSKeyID)
	if err != nil {
		return nil, err
	}
	return cache.NewSource(ks, ttl)
}

func (p *providers) beaconKeys(ctx context.Context, k itemconfig.BeaconKeySource) (materials.BeaconKeySource, error) {
	ks, err := p.openKeyStore(ctx, "a keySource", k.Table, k.LogicalName, k.KMSKeyID)
	if err != nil {
		return nil, err
	}
	return ks, nil
}

// openKeyStore opens the key store that a member of the file, which who names,
// describes. Without a logical name it has the name of its table.
func (p *providers) openKeyStore(ctx context.Context, who, table, logical, kmsKey string) (*keystore.KeyStore, error) {
	cfg, err := p.config(ctx)
	if err != nil {
		return nil, fmt.Errorf("key store %s: %w", table, err)
	}
	if kmsKey == "" || table == "" {
		return nil, fmt.Errorf("%w: %s needs table and kmsKeyId", envelope.ErrConfiguration, who)
	}
	return keystore.New(keystore.Config{LogicalName: cmp.Or(logical, table), KMS: keystore.KMSKey(kmsKey),
		KMSClient: kms.NewFromConfig(inRegionOf(cfg, kmsKey)),
		DynamoDB:  dynamodb.NewFromConfig(cfg), TableName: table})
}

// openConfig makes the encryptor of a configuration file; nil without one.
func openConfig(ctx context.Context, path string, p *providers) (*envelope.ItemEncryptor, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	c, err := itemconfig.Read(file)
	if err == nil {
		var e *envelope.ItemEncryptor
		if e, err = c.Encryptor(ctx, p.hooks()); err == nil {
			return e, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", path, err)
}
