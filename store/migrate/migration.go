// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/internal/expiry"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
)

// Migration is a migration of one table. DryRun and Run must not run at the
// same time.
type Migration struct {
	config      Config
	fingerprint string
	absent      []string // names that an item's condition checks the absence of
	unsigned    []string // likewise, of an encrypted one
	read, write limit
}

// Phases, as checkpoints name them.
const (
	dryRun = "dry-run"
	run    = "run"
	verify = "verify" // has no checkpoints
)

// New checks a configuration and returns a Migration. It makes no call. Errors:
// envelope.ErrConfiguration.
func New(c Config) (*Migration, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	m := &Migration{config: c, fingerprint: c.fingerprint(), read: newLimit(c.ReadUnits), write: newLimit(c.WriteUnits)}
	for _, e := range []*envelope.ItemEncryptor{c.From, c.To} {
		if e != nil {
			m.unsigned = append(m.unsigned, e.UnsignedNames()...)
			m.absent = slices.AppendSeq(m.absent, maps.Keys(e.Actions()))
		}
	}
	m.unsigned = append(m.unsigned, precondition.LegacyUnsignedNames(c.From, c.To)...)
	slices.Sort(m.unsigned)
	m.unsigned = slices.Compact(m.unsigned)
	m.absent = append(append(m.absent, m.unsigned...), envelope.FooterAttribute)
	slices.Sort(m.absent)
	m.absent = slices.Compact(m.absent)
	return m, nil
}

// DryRun opens and converts every item of this share and builds its write, but
// does not send it, so that the report names everything that would fail. Each
// call starts from the beginning, unless the last call was interrupted. Errors:
// [ErrFailedItems]; [ErrCheckpoint]; the client's; the error of Config.Failed;
// envelope.ErrConfiguration if To would encrypt the key of an index or the
// attribute by which the table expires items; envelope.ErrKeyDenied, which ends
// it at once.
func (m *Migration) DryRun(ctx context.Context) (Report, error) { return m.all(ctx, dryRun) }

// Run converts the items of this share. It does not read again a segment that it
// completed without failed items, unless a later dry run found items to convert
// there. Errors: [ErrNoDryRun]; the errors of DryRun; store.ErrUncertain if a write
// failed without a clear answer and the item could not be read again.
func (m *Migration) Run(ctx context.Context) (Report, error) { return m.all(ctx, run) }

func (m *Migration) all(ctx context.Context, phase string) (Report, error) {
	var segments []int
	for s := m.config.Share.Index; s < m.config.Segments; s += m.config.Share.Total {
		segments = append(segments, s)
	}
	t := &tracker{begin: time.Now(), call: m.config.Progress, failed: m.config.Failed}
	t.progress.Segments = len(segments)
	items, err := m.describe(ctx)
	if err == nil {
		t.report.Unchecked, err = m.checkExpiry(ctx)
	}
	if err != nil {
		return Report{}, fmt.Errorf("migration of %s: %w", m.config.Table, err)
	}
	t.total = items * int64(len(segments)) / int64(m.config.Segments)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, s := range segments {
		wg.Go(func() {
			if err := m.segment(ctx, phase, s, t); err != nil {
				cancel(fmt.Errorf("segment %d: %w", s, err))
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return t.report, fmt.Errorf("migration of %s: %w", m.config.Table, err)
	}
	if phase == verify {
		return t.report, t.report.verified(m.config.Table)
	}
	return t.report, t.report.err(m.config.Table)
}

// describe returns DynamoDB's count of the table's items. It refuses a table
// with an index over an attribute that To encrypts: DynamoDB would refuse each
// write, since ciphertext is of another type.
func (m *Migration) describe(ctx context.Context) (items int64, err error) {
	out, err := m.config.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &m.config.Table})
	if err != nil || out.Table == nil {
		return 0, err
	}
	items = aws.ToInt64(out.Table.ItemCount)
	if m.config.To == nil {
		return items, nil
	}
	indexes := map[string][]types.KeySchemaElement{}
	for _, i := range out.Table.GlobalSecondaryIndexes {
		indexes[aws.ToString(i.IndexName)] = i.KeySchema
	}
	for _, i := range out.Table.LocalSecondaryIndexes {
		indexes[aws.ToString(i.IndexName)] = i.KeySchema
	}
	for index, keys := range indexes {
		for _, k := range keys {
			name := aws.ToString(k.AttributeName)
			if action, _ := m.config.To.Action(name); action == envelope.EncryptAndSign {
				return 0,
					fmt.Errorf("%w: key %q of index %s would be encrypted: delete the index, or sign the attribute "+
						"only", envelope.ErrConfiguration, name, index)
			}
		}
	}
	return items, nil
}

// checkExpiry refuses a table that expires items by an attribute that To
// encrypts: they would never expire. It returns what it could not compare.
func (m *Migration) checkExpiry(ctx context.Context) (unchecked []string, err error) {
	if m.config.To == nil {
		return nil, nil
	}
	name, reason, err := expiry.Attribute(ctx, m.config.Client, m.config.Table)
	if err != nil {
		return nil, err
	}
	if reason != "" {
		return []string{reason}, nil
	}
	if action, _ := m.config.To.Action(name); action == envelope.EncryptAndSign {
		return nil,
			fmt.Errorf("%w: the table expires items by %q, which would be encrypted, so that no item ever expires: "+
				"sign it only, or leave it unsigned", envelope.ErrConfiguration, name)
	}
	return nil, nil
}

// segment works through one segment from its checkpoint on.
func (m *Migration) segment(ctx context.Context, phase string, segment int, t *tracker) error {
	if phase == run && !m.config.SkipDryRun {
		dry, err := m.load(ctx, dryRun, segment)
		if err != nil {
			return err
		}
		if !dry.done {
			return ErrNoDryRun
		}
	}
	c := checkpoint{}
	var err error
	if phase != verify {
		c, err = m.load(ctx, phase, segment)
	}
	if err != nil {
		return err
	}
	if c.done && phase == run && c.counts.Failed == 0 {
		t.earlier(c.counts)
		t.segmentDone()
		return nil
	}
	if c.done { // a dry run is asked for again, or failed items are tried again
		c = checkpoint{}
	}
	t.earlier(c.counts)
	for !c.done {
		in := &dynamodb.ScanInput{
			TableName: &m.config.Table, ConsistentRead: aws.Bool(true), ExclusiveStartKey: c.position,
			ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		}
		if m.config.Segments > 1 {
			in.Segment, in.TotalSegments = aws.Int32(int32(segment)), aws.Int32(int32(m.config.Segments))
		}
		if m.config.PageSize > 0 {
			in.Limit = &m.config.PageSize
		}
		out, err := m.config.Client.Scan(ctx, in)
		if err != nil {
			return err
		}
		if out.ConsumedCapacity != nil {
			if err := m.read.wait(ctx, aws.ToFloat64(out.ConsumedCapacity.CapacityUnits)); err != nil {
				return err
			}
		}
		counts, failures, err := m.page(ctx, phase, out.Items)
		// What is known of the page, whatever becomes of its checkpoint.
		if err := errors.Join(err, t.page(counts, failures)); err != nil {
			return err
		}
		c.counts.add(counts)
		c.position, c.done = out.LastEvaluatedKey, len(out.LastEvaluatedKey) == 0
		if c.done && phase == dryRun && c.counts.Plaintext+c.counts.Legacy+c.counts.Outdated > 0 {
			if err := m.reopen(ctx, segment); err != nil {
				return err
			}
		}
		if phase == verify {
			continue
		}
		if err := m.save(ctx, phase, segment, c); err != nil {
			return err
		}
	}
	t.segmentDone()
	return nil
}

// page works on the items of a page, several at the same time.
func (m *Migration) page(ctx context.Context, phase string,
	items []envelope.Item) (counts Counts, failures []*store.ItemError, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := make(chan envelope.Item)
	for range min(m.config.Writers, len(items)) {
		wg.Go(func() {
			for item := range next {
				c, err := m.item(ctx, phase, item)
				if err != nil && isFinal(ctx, err) {
					if ctx.Err() == nil {
						err = m.failed(item, err) // names the item
					}
					cancel(err)
					return
				}
				mu.Lock()
				counts.add(c)
				if err != nil {
					failures = append(failures, m.failed(item, err))
				}
				mu.Unlock()
			}
		})
	}
	for _, item := range items {
		select {
		case next <- item:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	return counts, failures, context.Cause(ctx)
}
