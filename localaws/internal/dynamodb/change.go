package dynamodb

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// change is a write on the table that it found. It is bound without the
// table's lock, evaluated and applied with it.
type change struct {
	*input.Write
	on bound

	old  *entry // what was there, or nil
	next *entry // what is there now, or nil
}

// evaluate finds out what the write would leave behind, and changes nothing.
// The caller holds the table's lock, under which the table allowed w.def.
func (ch *change) evaluate() error {
	ch.old, ch.next = ch.on.get(ch.Primary), nil
	next, size, err := ch.Write.Evaluate(ch.old.itemOrNil())
	switch {
	case err != nil:
		return err
	case ch.Kind == input.ConditionCheck:
		ch.next = ch.old
	case next != nil:
		ch.next = &entry{key: ch.Primary, item: next, size: size}
	}
	return nil
}

// apply makes the evaluated write happen, in memory and in tx.
func (ch *change) apply(tx *storage.Tx) {
	if ch.Kind == input.ConditionCheck || ch.old == nil && ch.next == nil {
		return
	}
	ch.on.change(tx, ch.old, ch.next)
}

// run evaluates and applies one write on its own.
func (ch *change) run() error {
	return ch.on.writing(ch.Def, func(tx *storage.Tx) error {
		if err := ch.evaluate(); err != nil {
			return err
		}
		ch.apply(tx)
		return nil
	})
}

func (ch *change) returned() schema.Item {
	return ch.Write.Returned(ch.old.itemOrNil(), ch.next.itemOrNil())
}
