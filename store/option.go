package store

import (
	"fmt"

	"github.com/ddbseal/ddbseal/envelope"
)

// Option changes a setting of a table that few tables need. Pass options to
// [New] and [NewEntity].
type Option func(*options)

// options are the settings that the options of a table change.
type options struct {
	// dropMembers lets Update drop members of nested values that T lacks.
	dropMembers bool
	// dropBeacons lets Update replace an item that bears beacons.
	dropBeacons bool
	// wholeIndexes names the secondary indexes that must project whole items.
	wholeIndexes []string
	// indexes are declared beside those of tags.
	indexes []Index
	// projections are those of declared indexes that do not project all.
	projections map[string][]string
	// concurrency is the number of calls of a batch that run at the same time.
	concurrency int
	// validate is a func(T) error, or nil.
	validate any
}

// Validate makes each write that has a value call check with it first: Put and its
// relatives, Update after the change, BatchPut and their operations in a
// transaction. An error of check ends the write before the call; it is wrapped in
// an [*ItemError], and its text appears in that error's, so it must hold no
// secret. T is the type of the table, or [New] fails with [ErrConfiguration].
func Validate[T any](check func(T) error) Option { return func(o *options) { o.validate = check } }

// maxConcurrency bounds the calls of one batch, each of which may hold 16 MB.
const maxConcurrency = 64

// BatchConcurrency lets BatchPut, BatchDelete and BatchGet have n calls under
// way at the same time, from 1, the default, to 64. If a batch ends early with
// [ErrUncertain], the items of several calls may have been written.
func BatchConcurrency(n int) Option { return func(o *options) { o.concurrency = n } }

// DropUnknownMembers lets [Table.Update] and [Table.UpdateOp] drop members of
// structs in slices, arrays and maps that the Go type lacks. Without it they
// refuse such an item with [ErrUnknownMembers]: elements have no identity, so
// the members cannot be carried over to the new value.
func DropUnknownMembers() Option { return func(o *options) { o.dropMembers = true } }

// DropBeacons lets [Table.Update] and [Table.UpdateOp] replace an item that
// bears beacons which the table's configuration does not have. The item then no
// longer appears in searches by those beacons. Without DropBeacons they refuse
// such an item with [ErrBeacons].
func DropBeacons() Option { return func(o *options) { o.dropBeacons = true } }

// WholeIndexes declares that the named secondary indexes hold whole items, so
// that a query of them can verify what it reads. [Table.Check] reports one that
// does not project all attributes.
func WholeIndexes(names ...string) Option {
	return func(o *options) { o.wholeIndexes = append(o.wholeIndexes, names...) }
}

// GlobalIndex declares a global secondary index with all attributes, like the tag
// index, for keys that are not fields of T: the names of compound and signed
// beacons, and of beacons of virtual fields. Queries name the index by its name.
func GlobalIndex(i Index) Option { return func(o *options) { o.indexes = append(o.indexes, i) } }

// IndexProjection declares that a secondary index, which tags of T or
// [GlobalIndex] declare, projects the named attributes besides all keys, or the
// keys only if there are none. Without it a declared index projects all
// attributes. What such an index returns of encrypted items fails with
// [ErrPartialItem], since it cannot be verified.
func IndexProjection(index string, attributes ...string) Option {
	return func(o *options) {
		if o.projections == nil {
			o.projections = map[string][]string{}
		}
		o.projections[index] = attributes
	}
}

// check refuses settings that could have no effect.
func (o *options) check() error {
	if o.concurrency < 0 || o.concurrency > maxConcurrency {
		return fmt.Errorf("%w: BatchConcurrency of %d, from 1 to %d", ErrConfiguration, o.concurrency, maxConcurrency)
	}
	return nil
}

// validation returns check, a func(T) error or nil, for a T or *T.
func validation[T any](check any) (func(v any) error, error) {
	if check == nil {
		return nil, nil
	}
	f, fits := check.(func(T) error)
	if !fits || f == nil {
		return nil, fmt.Errorf("%w: Validate has a %T, not a check of %T", ErrConfiguration, check, *new(T))
	}
	return func(v any) error {
		if p, is := v.(*T); is {
			return f(*p)
		}
		return f(v.(T))
	}, nil
}

// valid checks v, a value of T or a pointer to one, which was converted to item.
func (c *core) valid(item envelope.Item, v any) error {
	if c.validate == nil {
		return nil
	}
	if err := c.validate(v); err != nil {
		return c.itemError(item, fmt.Errorf("%s is not valid: %w", c.plan.typeName, err))
	}
	return nil
}
