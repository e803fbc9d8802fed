// SPDX-License-Identifier: Apache-2.0

package change

import (
	"slices"
	"strings"
	"time"

	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/internal/tablename"
)

// Record is a record of a change as its source delivered it, encrypted and not
// parsed yet. [Stream], [Lambda], [Kinesis] and [Line] return records, and
// [Decode] opens them.
type Record struct {
	source   source
	text     []byte              // JSON, unless the source is fromStream
	stream   *streamtypes.Record // fromStream
	sequence string              // that the record's envelope has
	err      error               // the envelope could not be read
	index    int                 // the line in an export; 0: the place in the call
}

type source uint8

const (
	fromStream source = iota + 1
	fromLambda
	fromKinesis
	fromExport
)

// content is what a record says.
type content struct {
	table         string // name or stream ARN; "" if the record does not say
	kind          Kind
	view          string
	keys          envelope.Item
	old, new      envelope.Item
	sequence      string
	at            time.Time
	byTTL         bool
	views         bool // the source has views
	snapshot      bool // a line of a full export
	kindFromImage bool // a line of an incremental export
}

// read takes the record apart. After an error, content has what was read before.
func (r *Record) read() (content, error) {
	c := content{sequence: r.sequence}
	if r.err != nil {
		return c, r.err
	}
	var err error
	switch r.source {
	case fromStream:
		err = c.readStream(r.stream)
	case fromLambda, fromKinesis:
		c.views = r.source == fromLambda
		err = c.readEvent(r.text)
	case fromExport:
		err = c.readLine(r.text)
	default:
		err = malformed("the zero Record: make records with Stream, Lambda, Kinesis or Line")
	}
	if err != nil {
		return c, err
	}
	return c, c.check()
}

// check refuses a record that contradicts itself, so that what a truncated
// record lacks is not taken for something that did not exist.
func (c *content) check() error {
	if c.snapshot {
		if len(c.new) == 0 {
			return malformed("the item has no attributes")
		}
		return nil
	}
	if len(c.keys) == 0 {
		return malformed("Keys are missing")
	}
	if c.kindFromImage {
		return nil
	}
	if c.kind == 0 {
		return malformed("the event name is missing or unknown")
	}
	wantOld, wantNew := c.kind != Insert, c.kind != Remove
	if c.views {
		if c.sequence == "" {
			return malformed("the sequence number is missing")
		}
		switch streamtypes.StreamViewType(c.view) {
		case streamtypes.StreamViewTypeNewAndOldImages:
		case streamtypes.StreamViewTypeNewImage:
			wantOld = false
		case streamtypes.StreamViewTypeOldImage:
			wantNew = false
		case streamtypes.StreamViewTypeKeysOnly:
			wantOld, wantNew = false, false
		default:
			return &viewError{c.view}
		}
	}
	switch {
	case wantOld && len(c.old) == 0:
		return malformed("a %v of view %s lacks the old image", c.kind, c.viewName())
	case wantNew && len(c.new) == 0:
		return malformed("a %v of view %s lacks the new image", c.kind, c.viewName())
	case !wantOld && len(c.old) > 0:
		return malformed("a %v of view %s has an old image", c.kind, c.viewName())
	case !wantNew && len(c.new) > 0:
		return malformed("a %v of view %s has a new image", c.kind, c.viewName())
	}
	return nil
}

func (c *content) viewName() string {
	if c.view == "" {
		return string(streamtypes.StreamViewTypeNewAndOldImages)
	}
	return c.view
}

// complete reports whether the record has all images that exist.
func (c *content) complete() bool {
	switch {
	case c.snapshot:
		return false
	case c.kindFromImage:
		return len(c.old) > 0
	}
	return !c.views || c.view == string(streamtypes.StreamViewTypeNewAndOldImages)
}

// viewError is an unknown view.
type viewError struct{ view string }

// Error names the view and the known ones.
func (e *viewError) Error() string {
	var known []string
	for _, v := range streamtypes.StreamViewType("").Values() {
		known = append(known, string(v))
	}
	slices.Sort(known)
	return ErrView.Error() + " " + printable(e.view) + ": known are " + strings.Join(known, ", ")
}

// Unwrap returns ErrView.
func (e *viewError) Unwrap() error { return ErrView }

// checkTable refuses a record of another table. A record without a table passes:
// its items are bound to the logical table name by their signatures.
func (c *content) checkTable(name string) error {
	if c.table == "" {
		return nil
	}
	got := c.table
	if arn, _, isStream := strings.Cut(got, "/stream/"); isStream {
		got = arn
	}
	gotName, err := tablename.Parse(got)
	if err != nil {
		return malformed("its table is %s, which is neither a name nor an ARN", printable(c.table))
	}
	wantName, err := tablename.Parse(name)
	if err != nil {
		return err
	}
	if gotName != wantName || got != gotName && name != wantName && got != name {
		return &otherTableError{want: name, got: got}
	}
	return nil
}

type otherTableError struct{ want, got string }

// Error names both tables.
func (e *otherTableError) Error() string {
	return ErrOtherTable.Error() + ": it is of " + printable(e.got) + ", not of " + e.want
}

// Unwrap returns ErrOtherTable.
func (e *otherTableError) Unwrap() error { return ErrOtherTable }

// key returns the record's key, as far as the record shows it.
func key[T any](c *content, t Table[T]) (store.Key, error) {
	switch {
	case len(c.keys) > 0:
		return t.KeyOf(c.keys)
	case len(c.new) > 0:
		return t.KeyOf(c.new)
	}
	return store.Key{}, malformed("Keys are missing")
}
