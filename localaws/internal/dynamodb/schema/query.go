// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// MaxParts is how many attributes the partition key of a global index may have, and
// how many its sort key.
const MaxParts = 4

// Bind fits the key condition of a Query to the key. Errors are *ddbexpr.Error.
func (k *Key) Bind(condition *ddbexpr.KeyCondition) (ddbexpr.KeyQuery, error) {
	var partition, sort [MaxParts]ddbexpr.KeyAttribute // off the heap, as every Query comes here
	bound := ddbexpr.KeySchema{Partition: append(partition[:0], ddbexpr.KeyAttribute(k.Partition))}
	for _, a := range k.MorePartition {
		bound.Partition = append(bound.Partition, ddbexpr.KeyAttribute(a))
	}
	if k.HasSort() {
		bound.Sort = append(sort[:0], ddbexpr.KeyAttribute(k.Sort))
	}
	for _, a := range k.MoreSort {
		bound.Sort = append(bound.Sort, ddbexpr.KeyAttribute(a))
	}
	return condition.Bind(bound)
}

// sortAt returns the n-th attribute of the sort key, counted from zero.
func (k *Key) sortAt(n int) Attribute {
	if n == 0 {
		return k.Sort
	}
	return k.MoreSort[n-1]
}

// QuerySpan returns the part of the order that a key condition selects.
func (v View) QuerySpan(q ddbexpr.KeyQuery) Span {
	schema := v.Schema()
	prefix := schema.queryPrefix(q)
	s := Span{Low: prefix, High: After(prefix)}
	if len(q.Sort) == 0 {
		return s
	}
	// The prefix has the equalities on the attributes before this one.
	term := q.Sort[len(q.Sort)-1]
	sort := schema.sortAt(len(q.Sort) - 1)
	s.Match = func(it Item) bool { return term.Matches(it[sort.Name]) }
	// Bounds only save reading; the match decides.
	edge := func(v2 types.AttributeValue, up bool) string {
		b, ok := keyBytes(nil, v2, sort.Type)
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
		if term.Operator == ddbexpr.KeyBeginsWith || v.Index != nil || sort.Type == "N" {
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

// queryPrefix returns the start of the ordered keys of the partition that a query
// selects, and of the values of the sort key's attributes before the last one that
// has a condition.
func (k *Key) queryPrefix(q ddbexpr.KeyQuery) string {
	var values [MaxParts]types.AttributeValue
	for i, term := range q.Partition {
		values[i] = term.Value
	}
	prefix := k.PartitionPrefix(values[:len(q.Partition)]...)
	if len(q.Sort) < 2 {
		return prefix
	}
	b := []byte(prefix)
	for i, term := range q.Sort[:len(q.Sort)-1] {
		raw, _ := keyBytes(nil, term.Value, k.sortAt(i).Type)
		b = appendEscaped(b, raw)
	}
	return string(b)
}

func minText(a, b string) string {
	if b == "" || strings.Compare(a, b) < 0 {
		return a
	}
	return b
}
