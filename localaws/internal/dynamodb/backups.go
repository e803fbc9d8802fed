// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/backup"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// createBackup copies the items of a table. A table whose key or indexes change
// meanwhile is copied again.
func (s *Service) createBackup(ctx context.Context, c *request.Call, in *input.CreateBackup) ([]byte, error) {
	for {
		b := s.lookup(in.Target())
		if b.Table == nil || b.def.Status(s.cfg.Clock()) == "CREATING" {
			return nil, errNoBackupsTable(in.Target().Name)
		}
		out, err := s.backUp(ctx, c, b, *in.BackupName)
		if !errors.Is(err, table.ErrRedefined) {
			return out, err
		}
	}
}

// backUp makes one try at a backup of b. The items leave the table, so the caller
// must be able to use its key.
func (s *Service) backUp(ctx context.Context, c *request.Call, b bound, name string) ([]byte, error) {
	key, err := s.custodian.KeyAsCaller(ctx, c, b.def)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	if err := b.Load(key, b.def.Encryption.Generation); err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	if err := b.Expire(now); err != nil {
		return nil, err
	}
	items, size, err := b.Items(b.def)
	if errors.Is(err, table.ErrRedefined) {
		return nil, err
	}
	if err != nil {
		return nil, errNoBackupsTable(b.def.Name) // deleted meanwhile
	}
	kept := b.def.Clone()
	kept.Policy, kept.Restored = nil, nil
	made, pending, err := s.backups.Create(name, kept, items, size, key, now, now.Add(s.cfg.Faults.Activation))
	if err != nil {
		return nil, err
	}
	if err := table.Wait(pending); err != nil {
		return nil, err
	}
	return json.Marshal(jsonObject{"BackupDetails": backupDetails(made, "CREATING")})
}

// allowBackup authorizes a request that names a backup, which need not exist.
func (s *Service) allowBackup(ctx context.Context, c *request.Call, in *input.Backup) error {
	from := in.Source()
	trail(c, schema.Target{Place: from.Place, Name: from.Table, ARN: schema.TableARN(from.Place, from.Table)})
	if from.Account != c.AccountID {
		return refusal.AccessDenied("Access is denied")
	}
	return s.allow(ctx, c, c.Operation, from.ARN, from.Account, nil)
}

// backupOf finds the backup of an authorized request. A backup is only reachable
// through the endpoint of its own Region.
func (s *Service) backupOf(c *request.Call, from backup.Target) (*backup.Backup, error) {
	if from.Region != c.Region {
		return nil, backup.NotFound(from.ARN)
	}
	return s.backups.Find(from.ARN)
}

func (s *Service) describeBackup(_ context.Context, c *request.Call, in *input.Backup) ([]byte, error) {
	b, err := s.backupOf(c, in.Source())
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	return json.Marshal(jsonObject{"BackupDescription": backupDescription(b, b.Status(now), now)})
}

func (s *Service) deleteBackup(_ context.Context, c *request.Call, in *input.Backup) ([]byte, error) {
	if _, err := s.backupOf(c, in.Source()); err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	b, pending, err := s.backups.Delete(in.Source().ARN, now)
	if err != nil {
		return nil, err
	}
	if err := table.Wait(pending); err != nil {
		return nil, err
	}
	return json.Marshal(jsonObject{"BackupDescription": backupDescription(b, "DELETED", now)})
}

func (s *Service) allowListBackups(ctx context.Context, c *request.Call, _ *input.ListBackups) error {
	return s.allow(ctx, c, "ListBackups", "*", c.AccountID, nil)
}

func (s *Service) listBackups(_ context.Context, c *request.Call, in *input.ListBackups) ([]byte, error) {
	now, at := s.cfg.Clock(), wire.PlaceOf(c)
	found := s.backups.List(func(b *backup.Backup) bool { return in.Selects(b, at) })
	page, next := wire.Page(found, func(b *backup.Backup) string { return b.ARN }, in.After(), in.PageSize())
	list := []jsonObject{}
	for _, b := range page {
		summary := backupDetails(b, b.Status(now))
		summary["TableName"], summary["TableArn"], summary["TableId"] = b.Table.Name, b.Table.ARN, b.Table.ID
		list = append(list, summary)
	}
	out := jsonObject{"BackupSummaries": list}
	if next != "" {
		out["LastEvaluatedBackupArn"] = next
	}
	return json.Marshal(out)
}

func backupDetails(b *backup.Backup, status string) jsonObject {
	return jsonObject{"BackupArn": b.ARN, "BackupName": b.Name, "BackupStatus": status, "BackupType": "USER",
		"BackupCreationDateTime": epoch(b.Created), "BackupSizeBytes": b.Bytes}
}

// backupIndex describes an index without what it holds.
func backupIndex(i *schema.Index) jsonObject {
	whole := describeIndex(i, "", table.IndexCounts{})
	return jsonObject{"IndexName": whole["IndexName"], "KeySchema": whole["KeySchema"],
		"Projection": whole["Projection"]}
}

// backupDescription makes a BackupDescription.
func backupDescription(b *backup.Backup, status string, now time.Time) jsonObject {
	d := b.Table
	units := func(t schema.Throughput) jsonObject {
		return jsonObject{"ReadCapacityUnits": t.Read, "WriteCapacityUnits": t.Write}
	}
	source := jsonObject{"TableName": d.Name, "TableId": d.ID, "TableArn": d.ARN, "TableSizeBytes": b.Bytes,
		"KeySchema": describeKey(&d.Key), "TableCreationDateTime": epoch(d.Created), "ItemCount": b.Items,
		"ProvisionedThroughput": units(d.Throughput), "BillingMode": "PROVISIONED"}
	if d.OnDemand {
		source["BillingMode"] = "PAY_PER_REQUEST"
	}
	if limit := describeLimit(d.OnDemandLimit); limit != nil {
		source["OnDemandThroughput"] = limit
	}
	features := jsonObject{}
	var global, local []jsonObject
	for _, i := range sortedIndexes(d.Global) {
		o := backupIndex(i)
		o["ProvisionedThroughput"] = units(i.Throughput)
		if limit := describeLimit(i.Limit); limit != nil {
			o["OnDemandThroughput"] = limit
		}
		global = append(global, o)
	}
	for _, i := range sortedIndexes(d.Local) {
		local = append(local, backupIndex(i))
	}
	if global != nil {
		features["GlobalSecondaryIndexes"] = global
	}
	if local != nil {
		features["LocalSecondaryIndexes"] = local
	}
	if d.TTLAttribute != "" {
		features["TimeToLiveDescription"] = jsonObject{"TimeToLiveStatus": "ENABLED", "AttributeName": d.TTLAttribute}
	}
	if d.Streams() {
		features["StreamDescription"] = describeStream(d.Stream)
	}
	if sse := describeEncryption(&d.Encryption, now); sse != nil {
		features["SSEDescription"] = sse
	}
	return jsonObject{"BackupDetails": backupDetails(b, status), "SourceTableDetails": source,
		"SourceTableFeatureDetails": features}
}

func (s *Service) updateContinuousBackups(_ context.Context, _ *request.Call, in *input.ContinuousBackups) (
	[]byte, error) {
	t, err := s.existing(in.Target(), errNoBackupsTable)
	if err != nil {
		return nil, err
	}
	wanted := in.PointInTimeRecoverySpecification
	now := s.cfg.Clock()
	var out jsonObject
	err = t.Edit(func(d *schema.Definition) error {
		if *wanted.PointInTimeRecoveryEnabled && !d.PITR {
			d.PITRSince = now
		}
		d.PITR, d.PITRDays = *wanted.PointInTimeRecoveryEnabled, in.Days()
		out = describeBackups(d, now)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

func errNoBackupsTable(name string) error {
	return request.Errorf("TableNotFoundException", "Table not found: %s", name)
}

func (s *Service) describeContinuousBackups(_ context.Context, _ *request.Call, in *input.Table) ([]byte, error) {
	t, err := s.existing(in.Target(), errNoBackupsTable)
	if err != nil {
		return nil, err
	}
	return json.Marshal(describeBackups(t.Definition(), s.cfg.Clock()))
}

func describeBackups(d *schema.Definition, now time.Time) jsonObject {
	recovery := jsonObject{"PointInTimeRecoveryStatus": "DISABLED"}
	if d.PITR {
		earliest := now.Add(-time.Duration(d.PITRDays) * 24 * time.Hour)
		if earliest.Before(d.PITRSince) {
			earliest = d.PITRSince
		}
		recovery = jsonObject{"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": d.PITRDays,
			"EarliestRestorableDateTime": epoch(earliest), "LatestRestorableDateTime": epoch(now)}
	}
	return jsonObject{"ContinuousBackupsDescription": jsonObject{"ContinuousBackupsStatus": "ENABLED",
		"PointInTimeRecoveryDescription": recovery}}
}
