// SPDX-License-Identifier: Apache-2.0

package searching

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store/internal/redaction"
)

// ErrCursor means that a text is not a cursor of the query; its own text is the reason.
var ErrCursor = errors.New("cursor does not fit")

// position is a place in the results of one request.
type position struct {
	key Item // of the item before it; nil: the beginning
	end bool
	// turn is the key behind which the opposite direction goes on if nothing is read
	// from here; nil: its beginning. The item of key is the first result behind turn:
	// key itself would leave it out in both directions.
	turn Item
}

// maxCursor is more than a position needs: twice the keys of a table and an index.
const maxCursor = 32 << 10

// No key attribute has one of these names: a cursor with one of them holds more
// than the key behind which a query goes on.
const (
	// positionsAttribute holds the places in several requests, or the beginning.
	positionsAttribute = "aws_dbe_positions"
	// backAttribute holds the places from which a query goes back.
	backAttribute = "aws_dbe_back"
	// The three attributes of a scan.
	segmentAttribute  = "aws_dbe_segment"
	segmentsAttribute = "aws_dbe_segments"
	scanAttribute     = "aws_dbe_scan"
)

// EncodeKey returns the cursor of a position behind the item with a key, "" for
// no key.
func EncodeKey(key Item) (string, error) {
	if len(key) == 0 {
		return "", nil
	}
	text, err := ddbjson.Marshal(key)
	if err != nil {
		return "", redaction.New("position of the query cannot be written", err)
	}
	return base64.RawURLEncoding.EncodeToString(text), nil
}

// Start is where a page of a query begins.
type Start struct {
	// Key is the key next to the page, nil for the beginning, or with Back the end.
	Key Item
	// Back: the page is the one in front of Key.
	Back bool
}

// EncodeStart returns the cursor of a page of one request.
func EncodeStart(s Start) (string, error) {
	return encodePositions([]position{{key: s.Key}}, s.Back)
}

// DecodeStart is the inverse of EncodeStart. Errors: [ErrCursor].
func DecodeStart(cursor string) (Start, error) {
	at, back, err := decodePositions(cursor, 1)
	if err == nil && at[0].end {
		err = fmt.Errorf("%w: it is one of the end", ErrCursor)
	}
	if err != nil {
		return Start{}, err
	}
	return Start{Key: at[0].key, Back: back}, nil
}

// Link returns the cursors of the neighbours of a page of one call, which began at
// s: of the page where reading goes on, and of the other one, "" where there is
// none. front is the key next to the item that was read first, nil if there is
// none, and last where the call ended, nil at the end.
func (s Start) Link(front, last Item) (on, turned string, err error) {
	if len(last) > 0 {
		on, err = EncodeStart(Start{Key: last, Back: s.Back})
	}
	if err == nil && (s.Back || len(s.Key) > 0) { // not the first page
		turned, err = EncodeStart(Start{Key: front, Back: !s.Back})
	}
	return on, turned, err
}

func decode(cursor string, queries int) (Item, error) {
	if cursor == "" {
		return nil, nil
	}
	if len(cursor) > maxCursor*queries {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrCursor, len(cursor))
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, fmt.Errorf("%w: it is not valid base64", ErrCursor)
	}
	key, err := ddbjson.Unmarshal(text)
	if err != nil || len(key) == 0 {
		return nil, fmt.Errorf("%w: it holds no key", ErrCursor)
	}
	return key, nil
}

// encodePositions returns the cursor of places in several requests, "" if all
// are at the end, or at the beginning of all where the query goes back.
func encodePositions(at []position, back bool) (string, error) {
	end := true
	list := make([]types.AttributeValue, len(at))
	for i, p := range at {
		end = end && p.end
		switch {
		case p.end:
			list[i] = &types.AttributeValueMemberNULL{Value: true}
		case len(at) > 1 && len(p.turn) > 0: // the only one of a cursor is always read from
			list[i] = &types.AttributeValueMemberL{Value: []types.AttributeValue{
				&types.AttributeValueMemberM{Value: p.key}, &types.AttributeValueMemberM{Value: p.turn}}}
		default: // an empty one is the beginning
			list[i] = &types.AttributeValueMemberM{Value: p.key}
		}
	}
	attribute := positionsAttribute
	switch {
	case end:
		return "", nil
	case back:
		attribute = backAttribute
	case len(at) == 1 && len(at[0].key) > 0:
		return EncodeKey(at[0].key)
	}
	return EncodeKey(Item{attribute: &types.AttributeValueMemberL{Value: list}})
}

// decodePositions is the inverse of encodePositions.
func decodePositions(cursor string, queries int) (out []position, back bool, err error) {
	out = make([]position, queries)
	key, err := decode(cursor, queries)
	if err != nil || key == nil {
		return out, false, err
	}
	list, several := key[positionsAttribute].(*types.AttributeValueMemberL)
	if !several {
		list, back = key[backAttribute].(*types.AttributeValueMemberL)
	}
	switch {
	case key[scanAttribute] != nil:
		return nil, false, fmt.Errorf("%w: it is one of a scan", ErrCursor)
	case !several && !back && queries == 1:
		out[0].key = key
		return out, false, nil
	case !several && !back, len(list.Value) != queries:
		return nil, false, fmt.Errorf("%w: it is one of a query over another number of partitions", ErrCursor)
	}
	for i, v := range list.Value {
		if pair, is := v.(*types.AttributeValueMemberL); is && len(pair.Value) == 2 {
			turn, is := pair.Value[1].(*types.AttributeValueMemberM)
			if !is || len(turn.Value) == 0 {
				return nil, false, fmt.Errorf("%w: it holds no keys", ErrCursor)
			}
			v, out[i].turn = pair.Value[0], turn.Value
		}
		switch v := v.(type) {
		case *types.AttributeValueMemberNULL:
			out[i].end = true
		case *types.AttributeValueMemberM:
			if len(v.Value) > 0 {
				out[i].key = v.Value
			}
		default:
			return nil, false, fmt.Errorf("%w: it holds no keys", ErrCursor)
		}
	}
	return out, back, nil
}

// EncodeScan returns the cursor behind an item in one of several segments of a
// scan, "" for no key.
func EncodeScan(key Item, segment, segments int) (string, error) {
	if len(key) == 0 {
		return "", nil
	}
	number := func(n int) types.AttributeValue { return &types.AttributeValueMemberN{Value: strconv.Itoa(n)} }
	return EncodeKey(Item{scanAttribute: &types.AttributeValueMemberM{Value: key}, segmentAttribute: number(segment),
		segmentsAttribute: number(segments)})
}

// DecodeScan is the inverse of EncodeScan. A cursor of another segment, or of
// another number of segments, is an [ErrCursor]: its key is not in this one.
func DecodeScan(cursor string, segment, segments int) (Item, error) {
	item, err := decode(cursor, 1)
	if err != nil || item == nil {
		return nil, err
	}
	key, is := item[scanAttribute].(*types.AttributeValueMemberM)
	if !is || len(key.Value) == 0 {
		return nil, fmt.Errorf("%w: it is not one of a scan", ErrCursor)
	}
	for _, n := range []struct {
		name string
		want int
	}{{segmentAttribute, segment}, {segmentsAttribute, segments}} {
		if has, is := item[n.name].(*types.AttributeValueMemberN); !is || has.Value != strconv.Itoa(n.want) {
			return nil, fmt.Errorf("%w: it is not one of segment %d of %d", ErrCursor, segment, segments)
		}
	}
	return key.Value, nil
}
