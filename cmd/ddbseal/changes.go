// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/exportfile"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/labsetup"
	itemchange "github.com/ddbseal/ddbseal/store/change"
)

type changesCommand struct {
	target
	As         string        `placeholder:"PRINCIPAL" help:"Who reads: administrator or nextwork-kms-user. (default: administrator; with --aws or --endpoint-url the principal of the environment or of --profile)"`
	Table      string        `arg:"" complete:"@tables" help:"Table to follow."`
	Config     string        `type:"existingfile" placeholder:"FILE" help:"Configuration that opens the items, as for 'ddbseal item'. (default: the configuration of the lab's tables; items of others are shown as they are)"`
	All        bool          `help:"Begin with the oldest change that the stream has, up to 24 hours old. (default: with the next one)"`
	Idle       time.Duration `placeholder:"DURATION" help:"End when nothing came for so long. (default: never)"`
	Enable     bool          `help:"Enable the table's stream, with both images, if it has none."`
	ID         string        `name:"id" placeholder:"ID" help:"Name under which positions are kept, so that the command goes on where it was."`
	Checkpoint string        `name:"checkpoint-table" default:"ddbseal-followers" placeholder:"NAME" help:"Table that keeps the positions of --id; made when it is not there. (default: ${default})"`
}

// Help is the long help text.
func (c *changesCommand) Help() string {
	return `Follows the DynamoDB stream of a table and prints each change as a JSON line, decrypted: kind, time, sequence number, key, the attributes whose plaintext changed, and the old and the new item in DynamoDB JSON. A record that does not open is reported with its sequence number, and the others go on; the exit code is then 1. So is it where changes are missing.

  ddbseal changes nextwork-client-table --enable
  ddbseal changes nextwork-client-table --all --idle 5s
  ddbseal changes Orders --config orders.json --id audit --aws`
}

// Run follows the table.
func (c *changesCommand) Run(ctx context.Context, s streams) (err error) {
	p := &providers{target: &c.target, as: c.As, s: s}
	defer p.close(&err)
	cfg, err := p.config(ctx)
	if err != nil {
		return err
	}
	db := dynamodb.NewFromConfig(cfg)
	keys, err := c.describe(ctx, db, s)
	if err != nil {
		return err
	}
	e, err := c.encryptor(ctx, p, cfg)
	if err != nil {
		return err
	}
	table, err := itemchange.Items(c.Table, e, keys.Partition, keys.Sort)
	if err != nil {
		return err
	}
	f := &changePrinter{s: s, keys: keys}
	options := []itemchange.Option{itemchange.Poison(f.poison), itemchange.OnGap(f.gap), itemchange.UntilIdle(c.Idle),
		itemchange.Attempts(1)}
	if !c.All {
		options = append(options, itemchange.FromNow())
	}
	if c.Idle > 0 {
		options = append(options, itemchange.PollEvery(min(time.Second, max(c.Idle/4, time.Millisecond))))
	}
	if c.ID != "" {
		if err := itemchange.CreateCheckpointTable(ctx, db, c.Checkpoint); err != nil {
			return err
		}
		checkpoint, err := itemchange.NewTableCheckpoint(db, c.Checkpoint, c.ID)
		if err != nil {
			return err
		}
		options = append(options, itemchange.WithCheckpoint(checkpoint))
	}
	err = itemchange.Follow(ctx, dynamodbstreams.NewFromConfig(cfg), table, f.show, options...)
	switch {
	case errors.Is(err, itemchange.ErrNoStream):
		return fmt.Errorf("%w: add --enable", err)
	case err != nil && ctx.Err() != nil, err == nil: // Ctrl-C is how it ends
		if f.failed {
			return errChecks
		}
		return nil
	}
	return err
}

// describe returns the key of the table, and enables the stream if that is asked
// for.
func (c *changesCommand) describe(ctx context.Context, db *dynamodb.Client,
	s streams) (keys exportfile.Keys, err error) {
	out, err := db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &c.Table})
	if err != nil {
		return keys, err
	}
	for _, k := range out.Table.KeySchema {
		if k.KeyType == types.KeyTypeHash {
			keys.Partition = aws.ToString(k.AttributeName)
		} else {
			keys.Sort = aws.ToString(k.AttributeName)
		}
	}
	on := out.Table.StreamSpecification != nil && aws.ToBool(out.Table.StreamSpecification.StreamEnabled)
	if !c.Enable || on {
		return keys, nil
	}
	if _, err := db.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &c.Table,
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true),
			StreamViewType: types.StreamViewTypeNewAndOldImages}}); err != nil {
		return keys, err
	}
	tell(s.err, "Enabled the stream of %s; it has changes from now on.\n", c.Table)
	return keys, dynamodb.NewTableExistsWaiter(db, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, 2*time.Second
	}).Wait(ctx, &dynamodb.DescribeTableInput{TableName: &c.Table}, time.Minute)
}

// encryptor opens the configuration, or that of a table of the lab; nil if there
// is none.
func (c *changesCommand) encryptor(ctx context.Context, p *providers, cfg aws.Config) (*envelope.ItemEncryptor, error) {
	if c.Config != "" {
		return openConfig(ctx, c.Config, p)
	}
	mode := map[string]string{labsetup.ClientTable: labsetup.ModeClient, labsetup.BothTable: labsetup.ModeBoth}[c.Table]
	if mode == "" {
		return nil, nil
	}
	keyARN, err := p.place.keyARN(ctx, cfg)
	if err != nil {
		return nil, err
	}
	table, err := labsetup.OpenTable(cfg, keyARN, mode)
	if err != nil {
		return nil, err
	}
	return table.Encryptor(), nil
}

// changePrinter prints changes. Shards call it in parallel.
type changePrinter struct {
	s    streams
	keys exportfile.Keys

	mu     sync.Mutex
	failed bool
}

// printedChange is a change in JSON.
type printedChange struct {
	Kind     string          `json:"kind"`
	At       time.Time       `json:"at"`
	Sequence string          `json:"sequence"`
	ByTTL    bool            `json:"byTTL,omitempty"`
	Key      json.RawMessage `json:"key"`
	// Changed is null where the stream's view does not tell.
	Changed []string        `json:"changed"`
	Old     json.RawMessage `json:"old,omitempty"`
	New     json.RawMessage `json:"new,omitempty"`
}

func (f *changePrinter) show(_ context.Context, c itemchange.Change[envelope.Item]) (err error) {
	out := printedChange{Kind: c.Kind.String(), At: c.At.UTC(), Sequence: c.Sequence, ByTTL: c.ByTTL}
	if names, known := c.Changed(); known {
		out.Changed = append([]string{}, names...)
	}
	if out.Key, err = ddbjson.Marshal(f.keys.Item(c.Key)); err != nil {
		return err
	}
	if c.Old != nil {
		if out.Old, err = ddbjson.Marshal(*c.Old); err != nil {
			return err
		}
	}
	if c.New != nil {
		if out.New, err = ddbjson.Marshal(*c.New); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	encoder := json.NewEncoder(display.NewWriter(f.s.out))
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	return nil
}

// errOutput: standard output cannot be written, so there is no use in going on.
var errOutput = errors.New("standard output")

// poison reports a record that does not open. A line that cannot be printed ends
// the command.
func (f *changePrinter) poison(_ context.Context, err error) error {
	if errors.Is(err, errOutput) {
		return err
	}
	return f.report(err)
}

func (f *changePrinter) gap(_ context.Context, gap *itemchange.GapError) error { return f.report(gap) }

func (f *changePrinter) report(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = true
	tell(f.s.err, "%s\n", plain(err.Error()))
	return nil
}
