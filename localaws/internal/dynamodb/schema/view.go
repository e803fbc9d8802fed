package schema

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
)

// View is what a page reads: a table or one of its indexes.
type View struct {
	Def   *Definition
	Index *Index // nil: the table itself
	Local bool   // the index is a local one
}

// Schema returns the key schema of the table or the index.
func (v View) Schema() Key {
	if v.Index != nil {
		return v.Index.Key
	}
	return v.Def.Key
}

// Key returns the ordered key of an item, or of a start key, in the view. It
// returns false for an item that is not in the view.
func (v View) Key(it Item) (string, bool) {
	primary, ok := v.Def.Key.Primary(it)
	if !ok || v.Index == nil {
		return primary, ok
	}
	return v.Index.Key.Indexed(it, primary)
}

// LastKey returns the LastEvaluatedKey of a page whose last item is it.
func (v View) LastKey(it Item) Item {
	key := v.Def.Key.Of(it)
	if v.Index != nil {
		for name, value := range v.Index.Key.Of(it) {
			key[name] = value
		}
	}
	return key
}

// Project returns what the view holds of an item.
func (v View) Project(it Item) Item {
	if v.Index == nil {
		return it
	}
	return v.Index.Project(v.Def.Key, it)
}

// Size returns the size in bytes of what the view holds of an item. whole is
// the size of the item.
func (v View) Size(it Item, whole int) int {
	if v.Index == nil {
		return whole
	}
	return v.Index.Size(v.Def.Key, it, whole)
}

// CheckStart refuses an ExclusiveStartKey that cannot be a key of the view.
func (v View) CheckStart(start Item) error {
	want := map[string]string{}
	schemas := []Key{v.Def.Key}
	if v.Index != nil {
		schemas = append(schemas, v.Index.Key)
	}
	for _, k := range schemas {
		want[k.Partition.Name] = k.Partition.Type
		if k.HasSort() {
			want[k.Sort.Name] = k.Sort.Type
		}
	}
	text := "The provided starting key is invalid: The provided key element does not match the schema"
	if v.Index != nil {
		text = "The provided starting key is invalid"
	}
	invalid := refusal.Validation(text)
	if len(start) != len(want) {
		return invalid
	}
	for name, kind := range want {
		value := start[name]
		if value == nil || ddbjson.TypeName(value) != kind || EmptyKey(value) != "" {
			return invalid
		}
	}
	return nil
}

// Span is the part of a view's order that a page may read: Low <= key < High,
// in one direction, and behind Start if Started is set.
type Span struct {
	Low, High string          // an empty High is no bound
	Backward  bool            // read from High to Low
	Start     string          // the ordered key behind which the page begins
	Started   bool            // Start is set
	Match     func(Item) bool // selects items between the bounds; nil: all of them
}

// Segment returns the part of the order that the n-th of total parallel scans
// reads: each reads an equal share of the range of partition hashes.
func Segment(n, total int64) Span {
	if total <= 1 {
		return Span{}
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
	return Span{Low: bound(n), High: bound(n + 1)}
}

// QuerySpan returns the part of the order that a key condition selects.
func (v View) QuerySpan(q ddbexpr.KeyQuery) Span {
	schema := v.Schema()
	prefix := schema.PartitionPrefix(q.Partition)
	s := Span{Low: prefix, High: After(prefix)}
	if q.Sort == nil {
		return s
	}
	term := *q.Sort
	name := schema.Sort.Name
	s.Match = func(it Item) bool { return term.Matches(it[name]) }
	// Bounds only save reading; the match decides.
	edge := func(v2 types.AttributeValue, up bool) string {
		b, ok := keyBytes(nil, v2, schema.Sort.Type)
		if !ok {
			return ""
		}
		if v.Index != nil {
			b = appendEscaped(nil, b)
			b = b[:len(b)-2] // what sorts before every longer value
		}
		if up {
			if b := After(string(b)); b != "" {
				return prefix + b
			}
			return ""
		}
		return prefix + string(b)
	}
	switch term.Operator {
	case ddbexpr.KeyEqual, ddbexpr.KeyBeginsWith:
		s.Low = edge(term.Value, false)
		if term.Operator == ddbexpr.KeyBeginsWith || v.Index != nil || schema.Sort.Type == "N" {
			s.High = minText(s.High, edge(term.Value, true))
		} else {
			s.High = s.Low + "\x00"
		}
	case ddbexpr.KeyGreater, ddbexpr.KeyGreaterEqual:
		s.Low = edge(term.Value, false)
	case ddbexpr.KeyLess, ddbexpr.KeyLessEqual:
		s.High = minText(s.High, edge(term.Value, true))
	case ddbexpr.KeyBetween:
		s.Low = edge(term.Value, false)
		s.High = minText(s.High, edge(term.High, true))
	}
	if s.Low == "" {
		s.Low = prefix
	}
	return s
}

func minText(a, b string) string {
	if b == "" || strings.Compare(a, b) < 0 {
		return a
	}
	return b
}
