// SPDX-License-Identifier: Apache-2.0

package itemconfig

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/legacy"
)

// Legacy says how the older DynamoDB Encryption Client wrote the items of the
// table.
type Legacy struct {
	Policy string `json:"policy"` // official name
	// the name that the writer signed; Config.Table if empty
	Table            string                     `json:"table,omitempty"`
	WithoutTable     bool                       `json:"withoutTable,omitempty"`
	AttributeActions map[string]envelope.Action `json:"attributeActions"`
	DefaultAction    envelope.Action            `json:"defaultAction,omitempty"`
	Rules            string                     `json:"rules,omitempty"` // java or python
	Provider         LegacyProvider             `json:"provider"`
}

// LegacyProvider describes where the older client got its keys. Type decides which
// other members it can have: see the package documentation.
type LegacyProvider struct {
	Type string `json:"type"` // static, wrapped, aws-kms or meta-store

	// static and wrapped
	ContentKey  *Secret `json:"contentKey,omitempty"`
	WrappingKey *Secret `json:"wrappingKey,omitempty"`
	PrivateKey  string  `json:"privateKey,omitempty"` // PEM, unwraps
	MAC         string  `json:"mac,omitempty"`        // algorithm of macKey
	MACKey      *Secret `json:"macKey,omitempty"`
	PublicKey   string  `json:"publicKey,omitempty"` // PEM, verifies signatures

	// aws-kms
	KeyIDs      []string `json:"keyIds,omitempty"` // key ARNs of one Region
	WithoutKeys bool     `json:"withoutKeys,omitempty"`

	// meta-store
	Table        string          `json:"table,omitempty"`
	SignedTable  string          `json:"signedTable,omitempty"` // the name that rows are signed with
	MaterialName string          `json:"materialName,omitempty"`
	SignedOnly   []string        `json:"signedOnly,omitempty"`
	Rows         *LegacyProvider `json:"rows,omitempty"`
}

// open returns the override of a configuration. The keys of a configuration that
// forbids reading are not asked for.
func (l *Legacy) open(ctx context.Context, c *Config, p Providers) (*envelope.LegacyOverride, error) {
	policy, err := envelope.ParseLegacyPolicy(l.Policy)
	if err != nil || policy == envelope.ForbidLegacyEncryptForbidLegacyDecrypt {
		return &envelope.LegacyOverride{Policy: policy}, in("policy", err)
	}
	provider, err := l.Provider.open(ctx, p)
	if err != nil {
		return nil, in("provider", err)
	}
	config := legacy.Config{
		TableName: l.Table, WithoutTable: l.WithoutTable, PartitionKey: c.PartitionKey, SortKey: c.SortKey,
		Actions: l.AttributeActions, DefaultAction: l.DefaultAction, Provider: provider,
	}
	if config.TableName == "" && !l.WithoutTable {
		config.TableName = c.Table
	}
	if l.Rules != "" {
		if config.Rules, err = legacy.ParseRules(l.Rules); err != nil {
			return nil, in("rules", err)
		}
	}
	decryptor, err := legacy.New(config)
	if err != nil {
		return nil, err
	}
	return &envelope.LegacyOverride{Policy: policy, Decryptor: decryptor}, nil
}

func (l *LegacyProvider) open(ctx context.Context, p Providers) (legacy.Provider, error) {
	switch l.Type {
	case "static":
		return l.static()
	case "wrapped":
		return l.wrapped()
	case "aws-kms":
		return l.kms(ctx, p)
	case "meta-store":
		return l.metaStore(ctx, p)
	}
	return nil, in("type", oneOf(l.Type, "static", "wrapped", "aws-kms", "meta-store"))
}

func (l *LegacyProvider) verification() (*legacy.VerificationKey, error) {
	if (l.MACKey == nil) == (l.PublicKey == "") {
		return nil, bad("exactly one of macKey and publicKey is needed")
	}
	if l.PublicKey != "" {
		key, err := rsaPublicKey(l.PublicKey)
		if err != nil {
			return nil, err
		}
		return legacy.NewRSA(key)
	}
	key, err := l.MACKey.bytes()
	if err != nil {
		return nil, in("macKey", err)
	}
	defer clear(key)
	name := l.MAC
	if name == "" {
		name = "HmacSHA256"
	}
	return legacy.NewHMAC(name, key)
}

func (l *LegacyProvider) static() (legacy.Provider, error) {
	verification, err := l.verification()
	if err != nil {
		return nil, err
	}
	key, err := l.ContentKey.bytes()
	if err != nil {
		return nil, in("contentKey", err)
	}
	defer clear(key)
	return legacy.NewStatic(legacy.StaticConfig{ContentKey: key, Verification: verification})
}

func (l *LegacyProvider) wrapped() (legacy.Provider, error) {
	verification, err := l.verification()
	if err != nil {
		return nil, err
	}
	config := legacy.WrappedConfig{Verification: verification}
	if l.PrivateKey != "" {
		if config.UnwrappingKey, err = rsaPrivateKey(l.PrivateKey); err != nil {
			return nil, err
		}
	}
	if l.WrappingKey != nil {
		if config.WrappingKey, err = l.WrappingKey.bytes(); err != nil {
			return nil, in("wrappingKey", err)
		}
		defer clear(config.WrappingKey)
	}
	return legacy.NewWrapped(config)
}

func (l *LegacyProvider) kms(ctx context.Context, p Providers) (legacy.Provider, error) {
	if len(l.KeyIDs) == 0 {
		return nil, in("keyIds", bad("missing: the ARNs of KMS keys"))
	}
	region := ""
	if key, err := arn.Parse(l.KeyIDs[0]); err == nil {
		region = key.Region
	}
	if p.KMS == nil {
		return nil, bad("no AWS KMS is to be had for the key %s", l.KeyIDs[0])
	}
	client, err := p.KMS(ctx, region)
	if err != nil {
		return nil, err
	}
	keys, err := awskms.NewLegacy(awskms.LegacyConfig{Client: client, KeyARNs: l.KeyIDs})
	if err != nil {
		return nil, err
	}
	return legacy.NewKMS(legacy.KMSConfig{Client: keys, WithoutKeys: l.WithoutKeys})
}

func (l *LegacyProvider) metaStore(ctx context.Context, p Providers) (legacy.Provider, error) {
	switch {
	case l.Table == "" || l.Rows == nil:
		return nil, bad("the legacy provider meta-store needs table and rows")
	case p.MetaTable == nil:
		return nil, bad("no DynamoDB is to be had for the meta table %s", l.Table)
	}
	rows, err := l.Rows.open(ctx, p)
	if err != nil {
		return nil, in("rows", err)
	}
	table, err := p.MetaTable(ctx, l.Table)
	if err != nil {
		return nil, err
	}
	signed := l.SignedTable
	if signed == "" {
		signed = l.Table
	}
	return legacy.NewMetaStore(legacy.MetaStoreConfig{Table: table, TableName: signed, MaterialName: l.MaterialName,
		SignedOnly: l.SignedOnly, Provider: rows})
}
