package dynamodb

import (
	"context"
	"errors"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// Config is what a Service stands on. It is checked by New and must not be
// changed afterwards.
type Config struct {
	// Clock tells the time; nil is time.Now.
	Clock func() time.Time
	// Store keeps tables and items; nil is storage.Memory.
	Store storage.Store
	// Authorizer decides every call; required.
	Authorizer request.Authorizer
	// Keys is KMS; required. It files the audit events of its own calls.
	Keys Keys
	// KeyCacheTTL imitates AWS's cache of table keys: how long a caller whom
	// KMS allowed is not asked for again. Denials are not cached. Zero: every
	// data call asks KMS.
	KeyCacheTTL time.Duration
	// Faults are all off when zero.
	Faults Faults
}

// Faults make the service misbehave as AWS sometimes does. The hooks run while
// tables are locked: they must not call the service.
type Faults struct {
	// Activation is how long a table or global index stays CREATING or
	// UPDATING, and the description of its encryption UPDATING after a switch:
	// the new key counts at once all the same.
	Activation time.Duration
	// Throttle refuses a data call on a table, in batches one request of it.
	Throttle func(table, operation string) bool
	// Unprocessed leaves the index-th request of a batch (keys or writes,
	// counted over all tables) to UnprocessedKeys or UnprocessedItems.
	Unprocessed func(table, operation string, index int) bool
	// Conflict cancels a transaction with TransactionConflict at the item with
	// this key.
	Conflict func(table, operation string, key Item) bool
}

func (f *Faults) throttled(table, operation string) bool {
	return f.Throttle != nil && f.Throttle(table, operation)
}

func (f *Faults) conflicts(table, operation string, key Item) bool {
	return f.Conflict != nil && f.Conflict(table, operation, key)
}

func (cfg *Config) validate() error {
	switch {
	case cfg.Authorizer == nil:
		return errors.New("dynamodb: Config.Authorizer is required")
	case cfg.Keys == nil:
		return errors.New("dynamodb: Config.Keys is required")
	case cfg.KeyCacheTTL < 0:
		return errors.New("dynamodb: Config.KeyCacheTTL is negative")
	case cfg.Faults.Activation < 0:
		return errors.New("dynamodb: Config.Faults.Activation is negative")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Store == nil {
		cfg.Store = storage.Memory{}
	}
	return nil
}

// Keys is what the engine asks of KMS. Every method is authorized as
// c.Caller, with c.ViaService in its context, and returns KMS's own *request.Error
// when KMS refuses. Keys are named by key ARN unless said otherwise.
type Keys interface {
	// Decrypt opens a wrapped table key.
	Decrypt(ctx context.Context, c *request.Call, keyARN string, ciphertext []byte, encryptionContext map[string]string) ([]byte, error)
	// GenerateDataKey makes a 256-bit key and its wrapped form.
	GenerateDataKey(ctx context.Context, c *request.Call, keyARN string, encryptionContext map[string]string) (plaintext, wrapped []byte, err error)
	// DescribeKey resolves a key id, key ARN, alias name or alias ARN.
	DescribeKey(ctx context.Context, c *request.Call, keyID string) (KeyInfo, error)
	// CreateGrant makes the grant of a table and returns its id.
	CreateGrant(ctx context.Context, c *request.Call, keyARN string, g TableGrant) (string, error)
	// RetireGrant ends it.
	RetireGrant(ctx context.Context, c *request.Call, keyARN, grantID string) error
	// RetireAbandoned ends the grants that are not in use. It is for the start.
	RetireAbandoned(inUse func(keyARN, grantID string) bool) error
	// EnsureAWSManagedKey returns the ARN of alias/aws/dynamodb in the call's
	// account and region, and makes the key when it is missing.
	EnsureAWSManagedKey(ctx context.Context, c *request.Call) (string, error)
}

// KeyInfo is what DescribeKey tells the engine.
type KeyInfo struct {
	ARN string
	// Symmetric is whether the key encrypts and decrypts symmetrically.
	Symmetric bool
	// AWSManaged marks alias/aws/dynamodb and its like.
	AWSManaged bool
}

// TableGrant is the grant that DynamoDB makes per table.
type TableGrant struct {
	GranteePrincipal  string
	RetiringPrincipal string
	Operations        []string
	ContextSubset     map[string]string
}
