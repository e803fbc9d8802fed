// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// change is a write on the table that it found. It is bound without the table's
// lock, and evaluated and applied with it.
type change struct {
	*input.Write
	on bound

	old  *table.Entry // what was there, or nil
	next *table.Entry // what is there now, or nil
}

// evaluate finds out what the write would leave behind, and changes nothing.
// The caller holds the table's lock, under which table.Table.Check allowed ch.Def.
func (ch *change) evaluate() error {
	ch.old, ch.next = ch.on.Get(ch.Primary), nil
	next, size, err := ch.Write.Evaluate(ch.old.ItemOrNil())
	switch {
	case err != nil:
		return err
	case ch.Kind == input.ConditionCheck:
		ch.next = ch.old
	case next != nil:
		ch.next = &table.Entry{Key: ch.Primary, Item: next, Size: size}
	}
	return nil
}

// apply makes the evaluated write happen, in memory and in tx.
func (ch *change) apply(tx *storage.Tx) {
	if ch.Kind == input.ConditionCheck || ch.old == nil && ch.next == nil {
		return
	}
	ch.on.Change(tx, ch.old, ch.next)
}

// run evaluates and applies one write on its own.
func (ch *change) run() error {
	return ch.on.Update(ch.Def, func(tx *storage.Tx) error {
		if err := ch.evaluate(); err != nil {
			return err
		}
		ch.apply(tx)
		return nil
	})
}

func (ch *change) returned() schema.Item {
	return ch.Write.Returned(ch.old.ItemOrNil(), ch.next.ItemOrNil())
}

// writeCall is a write that stands alone.
type writeCall struct {
	input.WriteItem
	change change
}

func (in *writeCall) find(s *Service, c *request.Call) {
	in.change.Write = in.Prepared
	trail(c, in.change.At)
	in.change.on = s.lookup(in.change.At)
}

func (in *writeCall) renew() { in.change.on = in.change.on.renewed() }

func (in *writeCall) authorize(ctx context.Context, s *Service, c *request.Call) error {
	w := in.Prepared
	returnValues := "NONE"
	if w.ReturnValues != "" {
		returnValues = w.ReturnValues
	}
	return s.allowAccess(ctx, c, access{action: w.Kind.Action(), at: w.At, keys: []schema.Item{w.KeyItem()},
		attributes: w.Attributes(w.KeyItem()), returnValues: returnValues}, in.change.on)
}

func (in *writeCall) answer(ctx context.Context, s *Service, c *request.Call) ([]byte, error) {
	ch := &in.change
	if err := s.ready(ch.on); err != nil {
		return nil, err
	}
	if err := ch.Bind(ch.on.def); err != nil {
		return nil, err
	}
	if err := s.enter(ctx, c, ch.on); err != nil {
		return nil, err
	}
	if err := ch.run(); err != nil {
		return nil, err
	}
	returned := ch.returned()
	r := newResponse(64 + len(returned)*32)
	if returned != nil {
		r.member("Attributes").item(returned)
	}
	if in.Consumed.Wanted() {
		used := capacity{name: in.TableName()}
		used.addWrite(ch, 1)
		r.capacity(&used, in.Consumed)
	}
	if in.Collections.Wanted() && ch.on.hasLocal() {
		partition := ch.KeyItem()[ch.Def.Key.Partition.Name]
		r.member("ItemCollectionMetrics").write(func(b []byte) []byte { return ch.on.appendCollection(b, partition) })
	}
	return r.bytes(), nil
}
