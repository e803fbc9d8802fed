// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// Client is the part of *dynamodb.Client that a migration uses. If it also has
// DescribeTimeToLive, DryRun and Run make sure that the table does not expire
// items by an attribute that To encrypts. Do not install store/transparent in
// it for the table.
type Client interface {
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput,
		...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput,
		...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
}

var _ Client = (*dynamodb.Client)(nil)

var (
	// ErrNoDryRun means that Run was called for a segment without a complete dry run.
	ErrNoDryRun = errors.New("no complete dry run")
	// ErrCheckpoint means that the checkpoint is damaged or belongs to another migration
	// with the same ID.
	ErrCheckpoint = errors.New("checkpoint does not fit the migration")
	// ErrFailedItems means that the migration reached the end, but some items could not
	// be converted and are as they were. Report.Failures and Config.Failed name them.
	ErrFailedItems = errors.New("some items could not be converted")
)

// Config describes a migration.
type Config struct {
	Client Client
	Table  string
	// ID names the migration in the checkpoint table. Use a new ID for each migration.
	ID string
	// From opens items in the old state if it is encrypted; nil if it is
	// plaintext. Its PlaintextPolicy says whether plaintext items are in the old
	// state too. Items of the older DynamoDB Encryption Client are opened by To or
	// From, the first one with a Legacy override that allows it.
	From *envelope.ItemEncryptor
	// To encrypts items for the new state; nil means plaintext. It also opens
	// items.
	To *envelope.ItemEncryptor
	// CheckpointTable is the name of the table that keeps the positions; see
	// CreateCheckpointTable.
	CheckpointTable string
	// Segments is the number of segments of the table that are scanned in
	// parallel, up to 1,000,000; zero means 4. It must be the same in every
	// process and every run of a migration.
	Segments int
	// Share says which segments this process works on; zero means all.
	Share Share
	// ReadUnits and WriteUnits limit this process, in capacity units a second;
	// zero means no limit.
	ReadUnits, WriteUnits float64
	// PageSize is the maximum number of items that one call reads; zero means
	// as many as fit into 1 MB. This process has one page in memory for each of
	// its segments.
	PageSize int32
	// Writers is the number of items of a page that are converted at the same
	// time; zero means 8.
	Writers int
	// SkipDryRun lets Run start without a dry run with the same ID.
	SkipDryRun bool
	// DropBeacons lets Run convert items that have beacons which neither To nor
	// From computes, such as beacons of an official library. Such an item loses them
	// and no longer appears in searches by them. Without DropBeacons the item fails
	// with store.ErrBeacons, unless only its beacons change: then it keeps them.
	DropBeacons bool
	// Progress is called after each page, by one goroutine at a time. Nil: not
	// called.
	Progress func(Progress)
	// Failed is called for each item that failed, by one goroutine at a time and
	// before the position after the item is saved. A list that Failed keeps is
	// complete after an interruption, but can have an item more than once. The
	// calls are in no particular order. An error from Failed ends the migration.
	// Nil: not called.
	Failed func(*store.ItemError) error
}

// Share is the part of a migration that one of several machines does: every
// segment s for which s % Total == Index.
type Share struct{ Index, Total int }

// ShareFromEnvironment returns the share of a job from its environment:
// AWS_BATCH_JOB_ARRAY_INDEX of AWS Batch, or JOB_COMPLETION_INDEX of a
// Kubernetes indexed job. total is the number of jobs; zero means
// AWS_BATCH_JOB_ARRAY_SIZE. If the environment has neither index, it returns
// the share of a single machine, which is all of the table. Pass os.LookupEnv
// as lookup. Errors: envelope.ErrConfiguration.
func ShareFromEnvironment(lookup func(string) (string, bool), total int) (Share, error) {
	for _, v := range []struct{ index, size string }{
		{"AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"},
		{"JOB_COMPLETION_INDEX", ""},
	} {
		text, has := lookup(v.index)
		if !has {
			continue
		}
		index, err := strconv.Atoi(text)
		if err != nil {
			return Share{}, fmt.Errorf("%w: %s is not a number", envelope.ErrConfiguration, v.index)
		}
		if total == 0 && v.size != "" {
			size, _ := lookup(v.size)
			if total, err = strconv.Atoi(size); err != nil {
				return Share{}, fmt.Errorf("%w: %s is not a number, and no total was given", envelope.ErrConfiguration,
					v.size)
			}
		}
		if total == 0 {
			return Share{}, fmt.Errorf("%w: %s is set, but the total of jobs is not known", envelope.ErrConfiguration,
				v.index)
		}
		s := Share{index, total}
		return s, s.check()
	}
	return Share{0, 1}, nil
}

func (s Share) check() error {
	if s.Total < 1 || s.Index < 0 || s.Index >= s.Total {
		return fmt.Errorf("%w: share %d of %d", envelope.ErrConfiguration, s.Index, s.Total)
	}
	return nil
}

// maxSegments is DynamoDB's limit.
const maxSegments = 1_000_000

func (c *Config) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: migration: "+format, append([]any{envelope.ErrConfiguration}, args...)...)
	}
	switch {
	case c.Client == nil || c.Table == "":
		return bad("a client and a table are needed")
	case c.From == nil && c.To == nil:
		return bad("from plaintext to plaintext: From or To is needed")
	case c.ID == "" || c.CheckpointTable == "":
		return bad("an ID and a checkpoint table are needed")
	case c.CheckpointTable == c.Table:
		return bad("checkpoints need a table of their own")
	case c.From != nil && c.To != nil &&
		(c.From.PartitionKey() != c.To.PartitionKey() || c.From.SortKey() != c.To.SortKey()):
		return bad("From and To name different keys")
	case c.To != nil && c.To.PlaintextPolicy() == envelope.ForcePlaintextWriteAllowPlaintextRead:
		return bad("To writes plaintext by its policy: leave To nil for that")
	case c.Segments < 0 || c.Segments > maxSegments:
		return bad("%d segments", c.Segments)
	case c.ReadUnits < 0 || c.WriteUnits < 0 || c.PageSize < 0 || c.Writers < 0:
		return bad("a negative limit")
	}
	if c.Segments == 0 {
		c.Segments = 4
	}
	if c.Writers == 0 {
		c.Writers = 8
	}
	if c.Share == (Share{}) {
		c.Share.Total = 1
	}
	return c.Share.check()
}

// fingerprint tells migrations of one ID apart that do not belong together.
func (c *Config) fingerprint() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %d", c.Table, c.Segments)
	for _, e := range []*envelope.ItemEncryptor{c.From, c.To} {
		if e == nil {
			fmt.Fprint(h, " plaintext")
			continue
		}
		fmt.Fprintf(h, " %q %v", e.LogicalTableName(), e.AlgorithmSuite())
		actions := e.Actions()
		for _, name := range slices.Sorted(maps.Keys(actions)) {
			fmt.Fprintf(h, " %q=%v", name, actions[name])
		}
		if old := e.LegacyDecryptor(); old != nil {
			actions = old.Actions()
			fmt.Fprintf(h, " legacy %v", old.DefaultAction())
			for _, name := range slices.Sorted(maps.Keys(actions)) {
				fmt.Fprintf(h, " %q=%v", name, actions[name])
			}
		}
		if search := e.Search(); search != nil {
			fmt.Fprintf(h, " search %x", search.Fingerprint())
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
