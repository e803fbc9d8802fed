// SPDX-License-Identifier: Apache-2.0

package tablechange

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var errGone = errors.New("there is no such table")

// slow is an AWS on which every change takes a time.
type slow struct {
	Client
	takes  time.Duration
	until  time.Time
	gone   bool // after until
	backup string
}

func (s *slow) begin() { s.until = time.Now().Add(s.takes) }

func (s *slow) over() bool { return !time.Now().Before(s.until) }

func (s *slow) DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (
	*dynamodb.DescribeTableOutput, error) {
	status, sse := types.TableStatusActive, types.SSEStatusUpdating
	if s.over() {
		if s.gone {
			return nil, errGone
		}
		sse = types.SSEStatusEnabled
	}
	return &dynamodb.DescribeTableOutput{Table: &types.TableDescription{TableStatus: status,
		SSEDescription: &types.SSEDescription{Status: sse}}}, nil
}

func (s *slow) CreateTable(context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options)) (
	*dynamodb.CreateTableOutput, error) {
	s.begin()
	return nil, nil
}

func (s *slow) UpdateTable(context.Context, *dynamodb.UpdateTableInput, ...func(*dynamodb.Options)) (
	*dynamodb.UpdateTableOutput, error) {
	s.begin()
	return nil, nil
}

func (s *slow) DeleteTable(context.Context, *dynamodb.DeleteTableInput, ...func(*dynamodb.Options)) (
	*dynamodb.DeleteTableOutput, error) {
	s.begin()
	s.gone = true
	return nil, nil
}

func (s *slow) CreateBackup(_ context.Context, in *dynamodb.CreateBackupInput, _ ...func(*dynamodb.Options)) (
	*dynamodb.CreateBackupOutput, error) {
	s.begin()
	s.backup = *in.BackupName
	return &dynamodb.CreateBackupOutput{BackupDetails: &types.BackupDetails{BackupArn: aws.String("arn")}}, nil
}

func (s *slow) DescribeBackup(context.Context, *dynamodb.DescribeBackupInput, ...func(*dynamodb.Options)) (
	*dynamodb.DescribeBackupOutput, error) {
	status := types.BackupStatusCreating
	if s.over() {
		status = types.BackupStatusAvailable
	}
	return &dynamodb.DescribeBackupOutput{BackupDescription: &types.BackupDescription{
		BackupDetails: &types.BackupDetails{BackupStatus: status}}}, nil
}

// TestWaits: a change is waited for until it shows, and not for ever.
func TestWaits(t *testing.T) {
	for _, c := range []struct{ takes, atLeast, atMost time.Duration }{
		{0, 0, 0},
		{10 * time.Second, 10 * time.Second, 12 * time.Second},
		{time.Hour, waitAtMost, waitAtMost},
	} {
		synctest.Test(t, func(t *testing.T) {
			done := c.takes < waitAtMost
			took := func(what string, do func(*slow) bool) {
				t.Helper()
				began := time.Now()
				if got := do(&slow{takes: c.takes}); got != done {
					t.Errorf("%s that takes %s: done %v", what, c.takes, got)
				}
				if d := time.Since(began); d < c.atLeast || d > c.atMost {
					t.Errorf("%s that takes %s was waited for %s", what, c.takes, d)
				}
			}
			took("a table", func(s *slow) bool {
				ready, err := Create(t.Context(), s, &dynamodb.CreateTableInput{TableName: aws.String("x")})
				return ready && err == nil
			})
			took("a change", func(s *slow) bool { return Protect(t.Context(), s, "x", true) == nil && s.over() })
			took("a deletion", func(s *slow) bool { return Delete(t.Context(), s, "x") == nil && s.over() })
			took("a backup", func(s *slow) bool {
				arn, err := Backup(t.Context(), s, strings.Repeat("x", 255))
				if len(s.backup) != 255 {
					t.Errorf("the name of the backup has %d characters", len(s.backup))
				}
				return arn == "arn" && err == nil
			})
		})
	}
}

// TestWaitEnds: a request that ends does not wait on.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if settles(ctx, &slow{until: began.Add(time.Hour)}, "x") || time.Since(began) > time.Second {
			t.Error("it waited for", time.Since(began))
		}
	})
}
