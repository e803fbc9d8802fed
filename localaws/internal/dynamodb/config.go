// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"cmp"
	"errors"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/atrest"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/resourcepolicy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/stream"
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
	Keys atrest.Keys
	// Principals knows the users and roles that the policies of tables name;
	// required.
	Principals resourcepolicy.Principals
	// KeyCacheTTL imitates AWS's cache of table keys: how long a caller whom
	// KMS allowed is not asked for again. Denials are not cached. Zero: every
	// data call asks KMS.
	KeyCacheTTL time.Duration
	// ShardLife is how long a shard of a stream takes records; zero: four hours.
	ShardLife time.Duration
	// Faults are all off when zero.
	Faults Faults
}

// Faults make the service misbehave as AWS sometimes does. The hooks run while
// tables are locked: they must not call the service.
type Faults struct {
	// Activation is how long a table or global index stays CREATING or
	// UPDATING, and the description of its encryption UPDATING after a switch:
	// the new key counts at once all the same. It is also how long a backup stays
	// CREATING, and with it a table refuses a second change of its policy for as
	// long as AWS does.
	Activation time.Duration
	// Throttle refuses a data call on a table, in batches one request of it.
	Throttle func(table, operation string) bool
	// Split closes the shard of a table's stream that a record would go to, and puts
	// two in its place.
	Split func(table string) bool
	// Unprocessed leaves the index-th request of a batch (keys or writes,
	// counted over all tables) to UnprocessedKeys or UnprocessedItems.
	Unprocessed func(table, operation string, index int) bool
	// Conflict cancels a transaction with TransactionConflict at the item with
	// this key.
	Conflict func(table, operation string, key schema.Item) bool
}

func (f *Faults) throttled(table, operation string) bool {
	return f.Throttle != nil && f.Throttle(table, operation)
}

func (f *Faults) conflicts(table, operation string, key schema.Item) bool {
	return f.Conflict != nil && f.Conflict(table, operation, key)
}

// streaming returns the configuration of streams.
func (cfg *Config) streaming() stream.Config {
	return stream.Config{Clock: cfg.Clock, Store: cfg.Store, Life: cmp.Or(cfg.ShardLife, stream.DefaultLife),
		Split: cfg.Faults.Split}
}

func (cfg *Config) validate() error {
	switch {
	case cfg.Authorizer == nil:
		return errors.New("dynamodb: Config.Authorizer is required")
	case cfg.Keys == nil:
		return errors.New("dynamodb: Config.Keys is required")
	case cfg.Principals == nil:
		return errors.New("dynamodb: Config.Principals is required")
	case cfg.KeyCacheTTL < 0:
		return errors.New("dynamodb: Config.KeyCacheTTL is negative")
	case cfg.ShardLife < 0:
		return errors.New("dynamodb: Config.ShardLife is negative")
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
