// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/itemkey"
	"github.com/ddbseal/ddbseal/store"
)

const (
	// minWorkers is the minimum concurrency of a batch, whatever GOMAXPROCS is:
	// keyrings that ask a key service mostly wait.
	minWorkers = 8
	// chunk is how many records are decoded ahead of the one that is yielded.
	chunk = 256
)

// Decode opens records and yields them in their order. It opens up to 256 of
// them before it yields the first, several at a time. For a record that fails
// it yields a [*RecordError] and a Change that has the record's key, kind and
// sequence number as far as they could be read, and the iteration goes on. If
// ctx ends, the last element is an error that wraps the context's.
//
// A RecordError matches [ErrRecord] for a malformed or truncated record,
// [ErrView] for an unknown view, [ErrOtherTable] for a record of another table,
// [store.ErrOtherEntity] if each image is of another entity type, and the errors
// of the envelope package if an image does not open: for example
// envelope.ErrTampered for one that was changed, and envelope.ErrMaterials or
// envelope.ErrKeyDenied if no key could be obtained.
//
// If one of two images is of another entity type, Old or New is nil and the
// Change is a Remove or an Insert of T.
func Decode[T any](ctx context.Context, t Table[T], records []Record) iter.Seq2[Change[T], error] {
	return func(yield func(Change[T], error) bool) {
		for from := 0; from < len(records); from += chunk {
			part := records[from:min(from+chunk, len(records))]
			changes, errs := decodeAll(ctx, t, part, from)
			if err := ctx.Err(); err != nil {
				yield(Change[T]{}, fmt.Errorf("decode records of table %s: %w", t.Name(), err))
				return
			}
			for i := range changes {
				if !yield(changes[i], errs[i]) {
					return
				}
			}
		}
	}
}

// decodeAll opens records in parallel.
func decodeAll[T any](ctx context.Context, t Table[T], records []Record, from int) ([]Change[T], []error) {
	changes, errs := make([]Change[T], len(records)), make([]error, len(records))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(len(records), max(minWorkers, runtime.GOMAXPROCS(0))) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(records) || ctx.Err() != nil {
					return
				}
				changes[i], errs[i] = decodeOne(ctx, t, &records[i], from+i)
			}
		})
	}
	wg.Wait()
	return changes, errs
}

// decodeOne opens one record. Every error is a *RecordError.
func decodeOne[T any](ctx context.Context, t Table[T], r *Record, place int) (out Change[T], err error) {
	if r.index > 0 {
		place = r.index
	}
	out.table, out.index = t.Name(), place
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{v}
		}
		if err != nil {
			out.Old, out.New, out.old, out.new, out.complete = nil, nil, nil, nil, false
			err = &RecordError{Table: t.Name(), Index: place, Sequence: out.Sequence, Key: out.Key, Err: err}
		}
	}()
	c, err := r.read()
	out.Kind, out.At, out.Sequence, out.ByTTL = c.kind, c.at, c.sequence, c.byTTL
	k, keyErr := key(&c, t)
	out.Key = k
	if err == nil {
		err = c.checkTable(t.Name())
	}
	if err == nil && keyErr != nil {
		err = malformed("it is not of this table: %w", keyErr)
	}
	if err != nil {
		return out, err
	}
	return out, out.open(ctx, t, &c)
}

// open decrypts the images of a record.
func (out *Change[T]) open(ctx context.Context, t Table[T], c *content) error {
	images, others := 0, 0
	for _, image := range []struct {
		name   string
		stored envelope.Item
		plain  *envelope.Item
		value  **T
	}{{"old", c.old, &out.old, &out.Old}, {"new", c.new, &out.new, &out.New}} {
		if len(image.stored) == 0 {
			continue
		}
		images++
		if !sameKey(c.keys, image.stored) {
			return malformed("the key of the %s image is not the record's", image.name)
		}
		v, plain, err := t.DecodeItem(ctx, image.stored)
		switch {
		case isOther(plain, err):
			others++
			if others == images && (image.name == "new" || len(c.new) == 0) {
				return reason(err)
			}
			continue
		case err != nil:
			return fmt.Errorf("%s image: %w", image.name, reason(err))
		}
		*image.plain, *image.value = plain, &v
	}
	out.complete = c.complete()
	if others > 0 {
		out.Kind = Insert
		if out.New == nil {
			out.Kind = Remove
		}
	}
	return nil
}

// reason leaves out that an error is of an item, which RecordError says.
func reason(err error) error {
	var item *store.ItemError
	if errors.As(err, &item) {
		return item.Err
	}
	return err
}

// sameKey reports whether an image has the record's key. A full export has no
// keys beside its items.
func sameKey(keys, image envelope.Item) bool {
	if len(keys) == 0 {
		return true
	}
	for name := range keys {
		if image[name] == nil || itemkey.Text(keys, name) != itemkey.Text(image, name) {
			return false
		}
	}
	return true
}
