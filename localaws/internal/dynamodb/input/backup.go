// SPDX-License-Identifier: Apache-2.0

package input

import (
	"math"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/backup"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// CreateBackup is a CreateBackup request.
type CreateBackup struct {
	Table
	BackupName *string
}

// Check implements [wire.Checker].
func (in *CreateBackup) Check(c *wire.Checks) {
	in.Table.Check(c)
	if c.Required(in.BackupName == nil, "backupName") {
		checkResource(c, in.BackupName, "backupName")
	}
}

// Backup is the part of a request that names a backup. DescribeBackup and
// DeleteBackup have nothing else.
type Backup struct {
	BackupArn *string

	from backup.Target // set by Prepare
}

const (
	minBackupARN = 37 // characters
	maxBackupARN = 1024
)

// Check implements [wire.Checker].
func (in *Backup) Check(c *wire.Checks) {
	if c.Required(in.BackupArn == nil, "backupArn") {
		c.Length(in.BackupArn, "backupArn", minBackupARN, maxBackupARN)
	}
}

// Prepare takes the ARN apart.
func (in *Backup) Prepare(*request.Call) (err error) {
	in.from, err = locateBackup(*in.BackupArn)
	return err
}

func locateBackup(arn string) (backup.Target, error) {
	t, ok := backup.Locate(arn)
	switch {
	case ok:
		return t, nil
	case strings.HasPrefix(arn, "arn:"):
		return t, refusal.Validation("BackupArn is not valid")
	}
	return t, refusal.Validation("Invalid Backup ARN")
}

// Source returns the backup that the prepared request names.
func (in *Backup) Source() backup.Target { return in.from }

// maxBackups is the longest page of ListBackups.
const maxBackups = 100

// ListBackups is a ListBackups request.
type ListBackups struct {
	TableName                                *string
	BackupType, ExclusiveStartBackupArn      *string
	Limit                                    *int64
	TimeRangeLowerBound, TimeRangeUpperBound *float64

	table string // set by Prepare: the ARN of the table, or empty
}

// Check implements [wire.Checker].
func (in *ListBackups) Check(c *wire.Checks) {
	if in.TableName != nil {
		checkTable(c, in.TableName, "tableName")
	}
	c.Enum(in.BackupType, "backupType", "USER", "SYSTEM", "AWS_BACKUP", "ALL")
	c.Length(in.ExclusiveStartBackupArn, "exclusiveStartBackupArn", minBackupARN, maxBackupARN)
	c.Between(in.Limit, "limit", 1, maxBackups)
}

// Prepare checks the members together.
func (in *ListBackups) Prepare(c *request.Call) error {
	if low, high := in.TimeRangeLowerBound, in.TimeRangeUpperBound; low != nil && high != nil && *low > *high {
		return refusal.Validation("Time range lower bound must be less than or equal to upper bound")
	}
	if in.ExclusiveStartBackupArn != nil {
		if _, err := locateBackup(*in.ExclusiveStartBackupArn); err != nil {
			return err
		}
	}
	if in.TableName == nil {
		return nil
	}
	at, err := Locate(c, *in.TableName)
	in.table = at.ARN
	return err
}

// Selects reports whether the request wants the backup among those of the place
// that it lists. Every backup is one that a user has made.
func (in *ListBackups) Selects(b *backup.Backup, at wire.Place) bool {
	seconds := float64(b.Created.UnixMilli()) / float64(time.Second/time.Millisecond)
	low, high := math.Inf(-1), math.Inf(1)
	if in.TimeRangeLowerBound != nil {
		low = *in.TimeRangeLowerBound
	}
	if in.TimeRangeUpperBound != nil {
		high = *in.TimeRangeUpperBound
	}
	users := in.BackupType == nil || *in.BackupType == "USER" || *in.BackupType == "ALL"
	return users && b.Place() == at && (in.table == "" || in.table == b.Table.ARN) && seconds >= low && seconds < high
}

// After returns the ARN after which the page begins, or "".
func (in *ListBackups) After() string {
	if in.ExclusiveStartBackupArn == nil {
		return ""
	}
	return *in.ExclusiveStartBackupArn
}

// PageSize returns how many backups an answer may hold.
func (in *ListBackups) PageSize() int {
	if in.Limit != nil {
		return int(*in.Limit)
	}
	return maxBackups
}
