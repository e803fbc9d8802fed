// SPDX-License-Identifier: Apache-2.0

package keystore

import "context"

// Storage keeps the records of a key store: by default a DynamoDB table, see
// [NewDynamoDBStorage]. It holds no secret: the keys in it are wrapped. Errors
// other than those named are passed on; to tell an outage from a refusal they
// should match [ErrUnavailable]. Implementations must be safe for concurrent
// use.
type Storage interface {
	// Get returns one record as of now, or [ErrNotFound].
	Get(ctx context.Context, branchKeyID, recordType string) (Record, error)
	// Create adds all records or none; if one is there already it fails with
	// [ErrExists].
	Create(ctx context.Context, records []Record) error
	// Rotate adds the new version and replaces the active record, both or
	// neither, provided that the wrapped key of the active record still is old;
	// else it fails with [ErrConflict].
	Rotate(ctx context.Context, version, active Record, old []byte) error
	// List returns all records of a branch key as of now, in any order, none
	// if there is no such key.
	List(ctx context.Context, branchKeyID string) ([]Record, error)
	// Delete removes records; those that are not there do not matter.
	Delete(ctx context.Context, branchKeyID string, recordTypes []string) error
}

// tableCreator is a Storage that can make its own table.
type tableCreator interface {
	CreateTable(ctx context.Context) (arn string, err error)
}
