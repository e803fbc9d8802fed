// SPDX-License-Identifier: Apache-2.0

package searching

import (
	"encoding/base64"
	"errors"
	"fmt"

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
}

// maxCursor is more than the keys of a table and an index together need.
const maxCursor = 16 << 10

// positionsAttribute holds the places in several requests. No key has this name.
const positionsAttribute = "aws_dbe_positions"

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

// DecodeKey is the inverse of EncodeKey. Errors: [ErrCursor].
func DecodeKey(cursor string) (Item, error) { return decode(cursor, 1) }

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
// are at the end.
func encodePositions(at []position) (string, error) {
	end := true
	list := make([]types.AttributeValue, len(at))
	for i, p := range at {
		end = end && p.end
		switch {
		case p.end:
			list[i] = &types.AttributeValueMemberNULL{Value: true}
		default: // an empty one is the beginning
			list[i] = &types.AttributeValueMemberM{Value: p.key}
		}
	}
	switch {
	case end:
		return "", nil
	case len(at) == 1:
		return EncodeKey(at[0].key)
	}
	return EncodeKey(Item{positionsAttribute: &types.AttributeValueMemberL{Value: list}})
}

// decodePositions is the inverse of encodePositions.
func decodePositions(cursor string, queries int) ([]position, error) {
	out := make([]position, queries)
	key, err := decode(cursor, queries)
	if err != nil || key == nil {
		return out, err
	}
	list, several := key[positionsAttribute].(*types.AttributeValueMemberL)
	switch {
	case !several && queries == 1:
		out[0].key = key
		return out, nil
	case !several, len(list.Value) != queries, queries == 1:
		return nil, fmt.Errorf("%w: it is one of a query over another number of partitions", ErrCursor)
	}
	for i, v := range list.Value {
		switch v := v.(type) {
		case *types.AttributeValueMemberNULL:
			out[i].end = true
		case *types.AttributeValueMemberM:
			if len(v.Value) > 0 {
				out[i].key = v.Value
			}
		default:
			return nil, fmt.Errorf("%w: it holds no keys", ErrCursor)
		}
	}
	return out, nil
}
