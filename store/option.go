// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/codec"
	"github.com/ddbseal/ddbseal/store/internal/schema"
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
	// projections has the declared indexes that do not project all attributes.
	projections map[string][]string
	// concurrency is the number of calls of a batch that run at the same time.
	concurrency int
	// validate is a func(T) error, or nil.
	validate any
	// tagKeys counts the options TagKey.
	tagKeys int
	// codec says how values are stored.
	codec codec.Settings
}

// collectOptions applies options and refuses those that could have no effect.
func collectOptions(opts []Option) (*options, error) {
	o := &options{}
	for _, apply := range opts {
		apply(o)
	}
	return o, o.check()
}

// TextMarshalers stores each value whose type has MarshalText and UnmarshalText,
// such as netip.Addr, big.Int, and the usual types of UUIDs and decimals, as a
// string, also as a key. A type that has MarshalBinary and UnmarshalBinary only,
// such as url.URL, is stored as bytes. [New] refuses a type with one method of a
// pair. Types with MarshalDynamoDBAttributeValue keep their own form, and times
// and the version keep theirs.
//
// It changes the stored form of types that [New] accepts without it, such as an
// array of bytes with text methods. Reading accepts both forms.
func TextMarshalers() Option { return func(o *options) { o.codec.Text = true } }

// TagKey reads the names and options of fields from the struct tag key too, such
// as json. Where a field has both tags, the name is taken from key, and the options
// of both count. A field of which key has no name, but dynamodbav has, is refused.
func TagKey(key string) Option { return func(o *options) { o.tagKeys++; o.codec.TagKey = key } }

// OmitZeroTimes lets the tag option omitempty leave out a time.Time that is zero.
// Without it [New] refuses the tag option there. A pointer to a zero time is kept.
func OmitZeroTimes() Option { return func(o *options) { o.codec.OmitZeroTimes = true } }

// SortableTimes stores times in UTC with nine digits of the second, such as
// 2026-01-02T03:04:05.000000000Z, so that their texts sort as they do and equal
// times have equal texts. A time.Time can then be a key. Times come back in UTC.
// The tag option unixtime keeps its form. Reading accepts both forms, but a query
// by a time finds items with the new form only.
func SortableTimes() Option { return func(o *options) { o.codec.FixedTimes = true } }

// SlicesAsSets stores each field that is a slice of strings, of numbers or of
// []byte as a set, as its tag options stringset, numberset and binaryset do. A set
// keeps no order. An empty slice is left out and comes back as nil, since DynamoDB has
// no empty sets. A slice with an element that occurs more than once is refused.
// Slices in slices and maps stay lists. Reading accepts both forms.
func SlicesAsSets() Option { return func(o *options) { o.codec.Sets = true } }

// AnyNumbers reads numbers in fields of type any, and in slices and maps of any,
// as N. Without it they are attributevalue.Number. A float64 holds about 15 of the
// 38 digits of a number: [Table.Update] writes back what it read, so numbers with
// more digits change although the application did not change them.
func AnyNumbers[N float64 | json.Number | attributevalue.Number]() Option {
	kind := codec.NumberText
	switch any(*new(N)).(type) {
	case float64:
		kind = codec.NumberFloat
	case json.Number:
		kind = codec.NumberJSON
	}
	return func(o *options) { o.codec.Numbers = kind }
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
	if o.tagKeys > 0 && slices.Contains([]string{"", "seal", schema.GlobalTag, schema.LocalTag}, o.codec.TagKey) {
		return fmt.Errorf("%w: TagKey of %q: the key of a tag with names, such as json", ErrConfiguration,
			o.codec.TagKey)
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
		return c.itemError(item, fmt.Errorf("%s is not valid: %w", c.plan.TypeName, err))
	}
	return nil
}
