// SPDX-License-Identifier: Apache-2.0

package keystore

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/uuid"

	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// KMSClient is the part of the AWS KMS client that the store calls;
// [kms.Client] has it. A store that only reads calls Decrypt only.
type KMSClient interface {
	Decrypt(context.Context, *kms.DecryptInput, ...func(*kms.Options)) (*kms.DecryptOutput, error)
	GenerateDataKeyWithoutPlaintext(context.Context, *kms.GenerateDataKeyWithoutPlaintextInput,
		...func(*kms.Options)) (*kms.GenerateDataKeyWithoutPlaintextOutput, error)
	ReEncrypt(context.Context, *kms.ReEncryptInput, ...func(*kms.Options)) (*kms.ReEncryptOutput, error)
}

var _ KMSClient = (*kms.Client)(nil)

// Store is a key store: what applications and tools use of one.
type Store interface {
	materials.BranchKeySource
	materials.BeaconKeySource
	// LogicalName returns the name that is bound to every key.
	LogicalName() string
	// CreateKey creates a branch key with its first version and a beacon key and
	// returns its id.
	CreateKey(ctx context.Context, in CreateKeyInput) (string, error)
	// VersionKey rotates a branch key and returns its new active version.
	VersionKey(ctx context.Context, branchKeyID string) (string, error)
	// Versions lists the versions of a branch key.
	Versions(ctx context.Context, branchKeyID string) ([]VersionInfo, error)
	// Shred destroys all versions of a branch key.
	Shred(ctx context.Context, branchKeyID string) error
}

// Config configures a [KeyStore].
type Config struct {
	// LogicalName is bound to every key; see the package comment.
	LogicalName string
	// KMS says which KMS keys wrap the branch keys.
	KMS KMSConfiguration
	// KMSClient must be a client for the Region of the key.
	KMSClient KMSClient
	// DynamoDB and TableName say where the records are; or Storage does.
	DynamoDB  DynamoDBClient
	TableName string
	Storage   Storage
	// GrantTokens are sent with every KMS call; at most 10.
	GrantTokens []string
	// ID identifies this configuration in Info; empty draws a UUID.
	ID string
	// Now is the clock for the records' creation times; nil is time.Now.
	Now func() time.Time
}

// KeyStore keeps branch keys in a [Storage], wrapped by AWS KMS. It caches
// nothing: each Active or Version is one read of the storage and one
// kms:Decrypt. Safe for concurrent use.
type KeyStore struct {
	logicalName string
	kms         KMSConfiguration
	client      KMSClient
	storage     Storage
	table       string
	grantTokens []string
	id          string
	now         func() time.Time

	kmsCalls, storageCalls atomic.Uint64
}

var _ Store = (*KeyStore)(nil)

// maxGrantTokens is the service's own limit.
const maxGrantTokens = 10

// New returns a key store; it makes no call. Errors:
// [materials.ErrConfiguration].
func New(c Config) (*KeyStore, error) {
	bad := func(text string) error { return fmt.Errorf("%w: key store %s", materials.ErrConfiguration, text) }
	if c.LogicalName == "" || !utf8.ValidString(c.LogicalName) {
		return nil, bad("needs a logical name in UTF-8")
	}
	if err := c.KMS.validate(); err != nil {
		return nil, err
	}
	if nilvalue.Is(c.KMSClient) {
		return nil, bad("needs a KMS client")
	}
	if len(c.GrantTokens) > maxGrantTokens || slices.Contains(c.GrantTokens, "") {
		return nil, bad(fmt.Sprintf("takes up to %d grant tokens, none of them empty", maxGrantTokens))
	}
	storage := c.Storage
	switch {
	case storage != nil && (c.DynamoDB != nil || c.TableName != ""):
		return nil, bad("takes either a storage, or a DynamoDB client and a table name")
	case storage != nil && nilvalue.Is(storage):
		return nil, bad("has a nil pointer as its storage")
	case storage == nil:
		var err error
		if storage, err = NewDynamoDBStorage(c.DynamoDB, c.TableName); err != nil {
			return nil, err
		}
	}
	if c.ID == "" {
		c.ID = uuid.NewString()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &KeyStore{
		logicalName: c.LogicalName, kms: c.KMS, client: c.KMSClient, storage: storage, table: c.TableName,
		grantTokens: slices.Clone(c.GrantTokens), id: c.ID, now: c.Now,
	}, nil
}

// Info describes a key store's configuration.
type Info struct {
	ID, TableName, LogicalName string
	KMS                        KMSConfiguration
	GrantTokens                []string
}

// Info returns the configuration.
func (s *KeyStore) Info() Info {
	return Info{ID: s.id, TableName: s.table, LogicalName: s.logicalName, KMS: s.kms,
		GrantTokens: slices.Clone(s.grantTokens)}
}

// LogicalName returns the name that is bound to every key.
func (s *KeyStore) LogicalName() string { return s.logicalName }

// CreateTable creates the storage's table unless it exists and returns its ARN;
// see [DynamoDBStorage.CreateTable]. A storage that cannot make tables fails
// with [materials.ErrUnsupported].
func (s *KeyStore) CreateTable(ctx context.Context) (string, error) {
	t, ok := s.storage.(tableCreator)
	if !ok {
		return "", fmt.Errorf("%w: this key store's storage makes no table", materials.ErrUnsupported)
	}
	return t.CreateTable(ctx)
}

// Stats counts calls since New.
type Stats struct {
	// KMSCalls and StorageCalls count calls begun, failed ones too; retries
	// inside a client count once.
	KMSCalls, StorageCalls uint64
}

// Stats returns the counters.
func (s *KeyStore) Stats() Stats {
	return Stats{KMSCalls: s.kmsCalls.Load(), StorageCalls: s.storageCalls.Load()}
}
