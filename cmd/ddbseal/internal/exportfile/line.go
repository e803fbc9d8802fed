// SPDX-License-Identifier: Apache-2.0

package exportfile

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/change"
)

// Keys names the key attributes of a table.
type Keys struct{ Partition, Sort string }

// Item returns a key as an item.
func (k Keys) Item(of store.Key) envelope.Item {
	out := envelope.Item{}
	if v, ok := of.Partition.(types.AttributeValue); ok {
		out[k.Partition] = v
	}
	if v, ok := of.Sort.(types.AttributeValue); ok && k.Sort != "" {
		out[k.Sort] = v
	}
	return out
}

// appendLine appends a change as a line of an export of the same kind.
func appendLine(dst []byte, k Keys, c change.Change[envelope.Item]) ([]byte, error) {
	if c.Kind == change.Snapshot {
		return appendMember(append(dst, '{'), "Item", *c.New, '}')
	}
	dst = append(dst, `{"Metadata":{"WriteTimestampMicros":{"N":"`...)
	dst = strconv.AppendInt(dst, c.At.UnixMicro(), 10)
	dst, err := appendMember(append(dst, `"}},`...), "Keys", k.Item(c.Key), 0)
	if err == nil && c.Old != nil {
		dst, err = appendMember(append(dst, ','), "OldImage", *c.Old, 0)
	}
	if err == nil && c.New != nil {
		dst, err = appendMember(append(dst, ','), "NewImage", *c.New, 0)
	}
	return append(dst, '}'), err
}

// appendMember appends a name and an item, and the end unless it is 0.
func appendMember(dst []byte, name string, item envelope.Item, end byte) ([]byte, error) {
	dst = append(strconv.AppendQuote(dst, name), ':')
	dst, err := ddbjson.AppendItemSorted(dst, item)
	if end != 0 {
		dst = append(dst, end)
	}
	return dst, err
}
