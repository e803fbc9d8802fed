// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/store"
)

// Counts are numbers of items by state. In a dry run Plaintext, Legacy and Outdated
// are what Run would convert; in Run they are zero and Migrated counts instead.
type Counts struct {
	Plaintext int64 // without header and footer, and to be encrypted
	Legacy    int64 // of the older DynamoDB Encryption Client
	Outdated  int64 // encrypted, but not in the new state
	Current   int64 // in the new state already
	Migrated  int64 // written in the new state, as DynamoDB confirmed or reading again showed
	Gone      int64 // deleted by others after they were read
	Failed    int64 // cannot be converted; left as they are
	// WithoutBeacons of the items that Plaintext, Legacy, Outdated and Migrated
	// count lacked a beacon of To, or had another value of it, when they were read:
	// searches by it do not find them.
	WithoutBeacons int64
}

// Total is the number of items that were looked at.
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

// Progress is how far this process is.
type Progress struct {
	Counts Counts
	// SegmentsDone of Segments are complete; of this share.
	SegmentsDone, Segments int
	Elapsed                time.Duration
	// ItemsPerSecond counts what was looked at since the start of this process.
	ItemsPerSecond float64
	// Remaining is the estimated time to the end, from DynamoDB's count of the
	// table's items, which is up to six hours old; zero if unknown.
	Remaining time.Duration
}

// Report is the result of a migration, over all runs of its ID as far as this
// share goes. After an error it includes what is known of the pages that were
// interrupted; the next run reads those again and counts their migrated items as
// current.
type Report struct {
	Counts Counts
	// Unchecked says what was not checked before the first item and why, such as
	// the table's time to live because the caller lacks
	// dynamodb:DescribeTimeToLive.
	Unchecked []string
	// Failures are the first 100 [*store.ItemError] of this process;
	// [Config].Failed gets all of them.
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
