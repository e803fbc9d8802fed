// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// restoring are the actions on the restored table that AWS asks a caller for.
var restoring = []string{"BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"}

// allowRestore asks for the restore on the backup, and for reading and writing the
// table that is made from it.
func (s *Service) allowRestore(ctx context.Context, c *request.Call, in *input.RestoreTable) error {
	if err := s.allowBackup(ctx, c, &in.Backup); err != nil {
		return err
	}
	at := in.Target()
	trail(c, at)
	for _, action := range restoring {
		if err := s.allowTable(ctx, c, action, at); err != nil {
			return err
		}
	}
	return nil
}

// restoreTable makes a table of a backup. The caller must be able to use the key
// that the backup is under, whatever the new table's key is.
func (s *Service) restoreTable(ctx context.Context, c *request.Call, in *input.RestoreTable) ([]byte, error) {
	at, now := in.Target(), s.cfg.Clock()
	if err := s.restorable(at, now); err != nil {
		return nil, err
	}
	from, release, err := s.backups.Use(in.Source().ARN, now)
	if err != nil {
		return nil, err
	}
	var busy time.Time
	defer func() { release(busy) }()
	def, err := in.Definition(from.Table)
	if err != nil {
		return nil, err
	}
	old, err := s.custodian.KeyAsCaller(ctx, c, from.Table)
	if err != nil {
		return nil, err
	}
	defer clear(old)
	mode, arn, err := s.custodian.Resolve(ctx, c, at.Account, in.Wish(from.Table))
	if err != nil {
		return nil, err
	}
	items, err := s.backups.Read(from, old)
	if err != nil {
		return nil, err
	}
	enc, key, err := s.custodian.Adopt(ctx, c, at, mode, arn, 1)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	s.begin(def, at, enc, now)
	def.Restored = &schema.Restoration{BackupARN: from.ARN, TableARN: from.Table.ARN, At: now}
	counts, pending, err := s.addRestored(def, key, items, now)
	if err != nil {
		s.custodian.Retire(ctx, c, at, enc)
		return nil, err
	}
	busy = def.ActiveAt
	if err := table.Wait(pending); err != nil {
		return nil, err
	}
	counts.Status = "CREATING" // as AWS answers, although the table may be ACTIVE by now
	return json.Marshal(jsonObject{"TableDescription": describe(def, counts, now)})
}

// addRestored makes a table with items known and files it.
func (s *Service) addRestored(def *schema.Definition, key []byte, items []schema.Item, now time.Time) (
	table.Counts, storage.Pending, error) {
	t, err := table.New(s.cfg.Store, s.streams, def, key)
	if err != nil {
		return table.Counts{}, nil, err
	}
	tx := new(storage.Tx)
	if err := t.Fill(tx, items); err != nil {
		return table.Counts{}, nil, err
	}
	_, counts := t.Describe(now)
	pending, ok := s.add(t, def, tx)
	if !ok {
		return table.Counts{}, nil, errRestoreTarget(def.Name)
	}
	return counts, pending, nil
}

// restorable refuses a target that exists.
func (s *Service) restorable(at schema.Target, now time.Time) error {
	switch b := s.lookup(at); {
	case b.Table == nil:
		return nil
	case b.def.Restoring(now):
		return request.Errorf("TableInUseException", "Table: %s is already being restored from backup: %s", at.Name,
			b.def.Restored.BackupARN)
	}
	return errRestoreTarget(at.Name)
}

func errRestoreTarget(name string) error {
	return request.Errorf("TableAlreadyExistsException", "Table already exists: %s", name)
}
