package dynamodb

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
)

// view is what a page reads: a table or one of its indexes.
type view struct {
	def   *definition
	index *indexDefinition // nil: the table itself
	local bool             // of the index
}

func (v view) schema() keySchema {
	if v.index != nil {
		return v.index.Key
	}
	return v.def.Key
}

// key is the ordered key of an item, or of a start key, in the view.
func (v view) key(it Item) (string, bool) {
	primary, ok := v.def.Key.primary(it)
	if !ok || v.index == nil {
		return primary, ok
	}
	return v.index.Key.indexed(it, primary)
}

// lastKey is the LastEvaluatedKey of an item.
func (v view) lastKey(it Item) Item {
	key := v.def.Key.keyOf(it)
	if v.index != nil {
		for name, value := range v.index.Key.keyOf(it) {
			key[name] = value
		}
	}
	return key
}

// project returns what the view holds of an item.
func (v view) project(it Item) Item {
	if v.index == nil {
		return it
	}
	return v.index.project(v.def.Key, it)
}

// size returns the size of what the view holds of an item; whole is the size
// of the item.
func (v view) size(it Item, whole int) int {
	if v.index == nil {
		return whole
	}
	return v.index.size(v.def.Key, it, whole)
}

// checkStart checks the attributes of an ExclusiveStartKey.
func (v view) checkStart(start Item) error {
	want := map[string]string{}
	schemas := []keySchema{v.def.Key}
	if v.index != nil {
		schemas = append(schemas, v.index.Key)
	}
	for _, k := range schemas {
		want[k.Partition.Name] = k.Partition.Type
		if k.hasSort() {
			want[k.Sort.Name] = k.Sort.Type
		}
	}
	invalid := refusal.Validation("The provided starting key is invalid: The provided key element does not match the schema")
	if v.index != nil {
		invalid = refusal.Validation("The provided starting key is invalid")
	}
	if len(start) != len(want) {
		return invalid
	}
	for name, kind := range want {
		value := start[name]
		if value == nil || ddbjson.TypeName(value) != kind || emptyKey(value) != "" {
			return invalid
		}
	}
	return nil
}

// span is the part of a view's order that a page may read: low <= key < high,
// in one direction, behind start when that is set.
type span struct {
	low, high string // an empty high is no bound
	backward  bool
	start     string
	started   bool
	match     func(Item) bool // what bounds alone cannot say; nil: everything
}

// segment is the part of the order that one of total parallel scans reads:
// equal shares of the range of partition hashes.
func segment(n, total int64) span {
	if total <= 1 {
		return span{}
	}
	bound := func(i int64) string {
		if i == 0 || i == total {
			return ""
		}
		hi, lo := bits.Mul64(^uint64(0), uint64(i))
		q, _ := bits.Div64(hi, lo, uint64(total))
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], q)
		return string(b[:])
	}
	return span{low: bound(n), high: bound(n + 1)}
}

// querySpan is the part of the order that a key condition selects.
func (v view) querySpan(q ddbexpr.KeyQuery) span {
	schema := v.schema()
	prefix := schema.partitionPrefix(q.Partition)
	s := span{low: prefix, high: after(prefix)}
	if q.Sort == nil {
		return s
	}
	term := *q.Sort
	name := schema.Sort.Name
	s.match = func(it Item) bool { return term.Matches(it[name]) }
	// Bounds only save reading; the match decides.
	edge := func(v2 types.AttributeValue, up bool) string {
		b, ok := keyBytes(nil, v2, schema.Sort.Type)
		if !ok {
			return ""
		}
		if v.index != nil {
			b = appendEscaped(nil, b)
			b = b[:len(b)-2] // what sorts before every longer value
		}
		if up {
			if b := after(string(b)); b != "" {
				return prefix + b
			}
			return ""
		}
		return prefix + string(b)
	}
	switch term.Operator {
	case ddbexpr.KeyEqual, ddbexpr.KeyBeginsWith:
		s.low = edge(term.Value, false)
		if term.Operator == ddbexpr.KeyBeginsWith || v.index != nil || schema.Sort.Type == "N" {
			s.high = minText(s.high, edge(term.Value, true))
		} else {
			s.high = s.low + "\x00"
		}
	case ddbexpr.KeyGreater, ddbexpr.KeyGreaterEqual:
		s.low = edge(term.Value, false)
	case ddbexpr.KeyLess, ddbexpr.KeyLessEqual:
		s.high = minText(s.high, edge(term.Value, true))
	case ddbexpr.KeyBetween:
		s.low = edge(term.Value, false)
		s.high = minText(s.high, edge(term.High, true))
	}
	if s.low == "" {
		s.low = prefix
	}
	return s
}

func minText(a, b string) string {
	if b == "" || strings.Compare(a, b) < 0 {
		return a
	}
	return b
}
