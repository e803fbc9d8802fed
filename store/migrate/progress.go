// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/store"
)

// Counts are numbers of items by state. In a dry run, Plaintext, Legacy and
// Outdated count the items that Run would convert. In Run they are zero, and
// Migrated counts these items.
type Counts struct {
	Plaintext int64 // in plaintext, to be encrypted
	Legacy    int64 // of the older DynamoDB Encryption Client
	Outdated  int64 // encrypted, but not in the new state
	Current   int64 // already in the new state
	Migrated  int64 // written in the new state, which DynamoDB confirmed or a second read showed
	Gone      int64 // deleted by others after the migration read them
	Failed    int64 // cannot be converted; left as they are
	// WithoutBeacons counts the items among Plaintext, Legacy, Outdated and
	// Migrated that lacked a beacon of To, or had another value for it, when they
	// were read. Searches by that beacon do not find them before the migration.
	WithoutBeacons int64
}

// Total returns the number of items that were read.
func (c Counts) Total() int64 {
	return c.Plaintext + c.Legacy + c.Outdated + c.Current + c.Migrated + c.Gone + c.Failed
}

func (c *Counts) add(d Counts) {
	c.Plaintext += d.Plaintext
	c.Legacy += d.Legacy
	c.Outdated += d.Outdated
	c.Current += d.Current
	c.Migrated += d.Migrated
	c.Gone += d.Gone
	c.Failed += d.Failed
	c.WithoutBeacons += d.WithoutBeacons
}

// Progress says how far this process has come.
type Progress struct {
	Counts Counts
	// SegmentsDone is the number of segments of this share that are complete,
	// of Segments in total.
	SegmentsDone, Segments int
	Elapsed                time.Duration
	// ItemsPerSecond is the average number of items that this process read in a
	// second since the call of DryRun, Run or VerifyBeacons.
	ItemsPerSecond float64
	// Remaining is the estimated time to the end; zero if unknown. It depends
	// on DynamoDB's count of the table's items, which can be six hours old.
	Remaining time.Duration
}

// Report is the result of a migration for this share, over all runs with its ID.
// After an error it includes what is known of the pages that were interrupted.
// The next run reads these pages again and counts the items that were migrated
// as Current.
type Report struct {
	Counts Counts
	// Unchecked says what could not be checked before the first item was read,
	// and why: for example the table's time to live, because the caller lacks
	// dynamodb:DescribeTimeToLive.
	Unchecked []string
	// Failures has the first 100 errors of items in this process, each a
	// [*store.ItemError]. [Config].Failed gets all of them.
	Failures []error
}

const maxFailures = 100

// tracker sums up what the segments do.
type tracker struct {
	mu       sync.Mutex
	begin    time.Time
	total    int64 // estimated items of this share; 0: unknown
	seen     int64 // by this process
	report   Report
	progress Progress
	call     func(Progress)
	failed   func(*store.ItemError) error
}

// page adds a page's counts and failures and tells about it. Its error is that of
// Config.Failed.
func (t *tracker) page(c Counts, failures []*store.ItemError) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Counts.add(c)
	for _, f := range failures[:min(len(failures), maxFailures-len(t.report.Failures))] {
		t.report.Failures = append(t.report.Failures, f)
	}
	t.seen += c.Total()
	t.tell()
	if t.failed == nil {
		return nil
	}
	for _, f := range failures {
		if err := t.failed(f); err != nil {
			return fmt.Errorf("report of a failed item: %w", err)
		}
	}
	return nil
}

// earlier adds the counts that a segment's checkpoint brings along.
func (t *tracker) earlier(c Counts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Counts.add(c)
}

func (t *tracker) segmentDone() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.progress.SegmentsDone++
	t.tell()
}

func (t *tracker) tell() {
	if t.call == nil {
		return
	}
	p := &t.progress
	p.Counts, p.Elapsed = t.report.Counts, time.Since(t.begin)
	if s := p.Elapsed.Seconds(); s > 0 {
		p.ItemsPerSecond = float64(t.seen) / s
	}
	p.Remaining = 0
	if left := t.total - p.Counts.Total(); left > 0 && p.ItemsPerSecond > 0 {
		p.Remaining = time.Duration(float64(left) / p.ItemsPerSecond * float64(time.Second))
	}
	t.call(*p)
}

// err of a finished migration.
func (r Report) err(table string) error {
	if r.Counts.Failed == 0 {
		return nil
	}
	return fmt.Errorf("migration of %s: %w: %d of %d; %w", table, ErrFailedItems, r.Counts.Failed, r.Counts.Total(),
		errors.Join(r.Failures[:min(len(r.Failures), 3)]...))
}
