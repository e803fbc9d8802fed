// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"log/slog"

	"github.com/ddbseal/ddbseal/localaws/internal/cloudtrail"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb"
	"github.com/ddbseal/ddbseal/localaws/internal/frontdoor"
	"github.com/ddbseal/ddbseal/localaws/internal/iam"
	"github.com/ddbseal/ddbseal/localaws/internal/kms"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// Errors of New about its data directory.
var (
	// ErrInUse means that another process has the data directory open.
	ErrInUse = storage.ErrLocked
	// ErrDamaged means that the data file is truncated, corrupted, or not written by
	// this package.
	ErrDamaged = storage.ErrDamaged
	// ErrFormat means that the data file was written by another version of the program.
	ErrFormat = storage.ErrFormat
	// ErrRootKey means that the root key file is missing, damaged, or belongs to other data.
	ErrRootKey = storage.ErrRootKey
)

// Errors of New, Err, Wait and Close about a data directory that cannot be
// written.
var (
	// ErrDiskFull means that there is no room on the disk, in a quota, or below the limit
	// on the size of a file.
	ErrDiskFull = storage.ErrDiskFull
	// ErrReadOnly means that the data directory cannot be written.
	ErrReadOnly = storage.ErrReadOnly
	// ErrDisk means that the disk reports an error.
	ErrDisk = storage.ErrDisk
)

// openStore opens the state in dir, or one that forgets for an empty dir.
func openStore(dir string, log *slog.Logger) (storage.Store, error) {
	if dir == "" {
		return storage.Memory{}, nil
	}
	store, err := storage.Open(dir, log)
	if err != nil {
		return nil, err // not a typed nil
	}
	return store, nil
}

// startServices makes the services in the order in which they need each other.
func (s *Server) startServices() (err error) {
	if s.identity, err = iam.New(iam.Config{Clock: s.options.Clock, Store: s.store}); err != nil {
		return err
	}
	keys, err := kms.New(kms.Config{Clock: s.options.Clock, Store: s.store, Authorizer: s.identity, Audit: s.log,
		Principals: s.identity})
	if err != nil {
		return err
	}
	if s.tables, err = dynamodb.New(dynamodb.Config{Clock: s.options.Clock, Store: s.store, Authorizer: s.identity,
		Keys:        tableKeys{keys},
		Principals:  s.identity,
		KeyCacheTTL: s.options.KeyCacheTTL, ShardLife: s.options.ShardLife, Faults: s.engineFaults()}); err != nil {
		return err
	}
	s.door = frontdoor.New(frontdoor.Config{
		Identity: s.identity, Log: s.log, Clock: s.options.Clock, SigningClock: s.options.SigningClock,
		Interrupt: s.interrupt, Report: s.note, Explain: storage.Explain, Logger: s.options.Logger,
		Failed: func() error { return s.store.Failed() },
		Settle: func() error { return s.store.Submit(new(storage.Tx)).Wait() },
	})
	for _, e := range endpoints(s.identity, keys, s.tables, s.tables.Streams(),
		cloudtrail.NewService(s.log, s.identity)) {
		s.door.Mount(e)
	}
	return nil
}
