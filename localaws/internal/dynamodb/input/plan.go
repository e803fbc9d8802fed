// SPDX-License-Identifier: Apache-2.0

package input

import (
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// Plan binds the request to a table and its index at now. It returns what the
// page reads and in which order. fetch reports whether the page needs whole items
// from the table, and not what the index holds of them.
func (in *Page) Plan(d *schema.Definition, now time.Time) (v schema.View, s schema.Span, fetch bool, err error) {
	v.Def = d
	p := in.Parsed
	selects := in.Select()
	if in.index != nil {
		v.Index, v.Local = d.Index(*in.index)
		switch {
		case v.Index == nil:
			return v, s, false, refusal.Validationf("The table does not have the specified index: %s", *in.index)
		case v.Index.Status(now) == "CREATING":
			return v, s, false, refusal.Validationf("Cannot read from backfilling global secondary index: %s",
				*in.index)
		}
		if i := v.Index; !v.Local {
			if in.Consistent() {
				return v, s, false, refusal.Validation("Consistent reads are not supported on global secondary indexes")
			}
			if selects == "ALL_ATTRIBUTES" && i.Projection != schema.ProjectAll {
				return v, s, false, refusal.Parameter("Select type ALL_ATTRIBUTES is not supported for global "+
					"secondary index %s because its projection type is not ALL", i.Name)
			}
		}
	}
	if err := p.checkPaths(d); err != nil {
		return v, s, false, err
	}
	key := v.Schema()
	if p.filter != nil && in.Query {
		for _, name := range p.filter.TopLevelNames() {
			if key.Has(name) {
				what := "Filter Expression"
				if in.legacy.queryFilter != nil {
					what = "QueryFilter"
				}
				return v, s, false, refusal.Validationf("%s can only contain non-primary key attributes: Primary "+
					"key attribute: %s", what, name)
			}
		}
	}
	if v.Index != nil {
		if fetch, err = in.fetches(v, selects); err != nil {
			return v, s, false, err
		}
	}
	if in.Query {
		if err := in.legacy.checkKeyConditions(key); err != nil {
			return v, s, false, err
		}
		q, err := key.Bind(p.keyCondition)
		if err != nil {
			return v, s, false, errExpression(err)
		}
		if err := checkQueryKey(q); err != nil {
			return v, s, false, err
		}
		s = v.QuerySpan(q)
		s.Backward = in.forward != nil && !*in.forward
	} else if in.total != nil {
		s = schema.Segment(*in.segment, *in.total)
	}
	if in.start == nil {
		return v, s, fetch, nil
	}
	if err := v.CheckStart(in.start); err != nil {
		return v, s, false, err
	}
	var fits bool
	if s.Start, fits = v.Key(in.start); !fits { // a value that is too long for a key
		return v, s, false, refusal.Validation("The provided starting key is invalid")
	}
	s.Started = true
	if s.Start < s.Low || s.High != "" && s.Start >= s.High || s.Match != nil && !s.Match(in.start) {
		if in.Query {
			if strings.HasPrefix(s.Low, key.PartitionOf(in.start)) {
				return v, s, false, refusal.Validation("The provided starting key does not match the range key " +
					"predicate")
			}
			if v.Index == nil && !key.HasSort() {
				return v, s, false, refusal.Validationf("The provided exclusive start key is invalid: "+
					"ExclusiveStartKey: {%s=%s}", key.Partition.Name,
					ddbexpr.DescribeValue(in.start[key.Partition.Name]))
			}
			return v, s, false, refusal.Validation("The provided starting key is outside query boundaries based on " +
				"provided conditions")
		}
		return v, s, false, refusal.Validationf("The provided starting key is invalid: Invalid ExclusiveStartKey. "+
			"Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d", *in.total, *in.segment)
	}
	return v, s, fetch, nil
}

// checkQueryKey refuses empty key values.
func checkQueryKey(q ddbexpr.KeyQuery) error {
	for _, terms := range [][]ddbexpr.KeyTerm{q.Partition, q.Sort} {
		for i := range terms {
			t := &terms[i]
			if kind := schema.EmptyKey(t.Value); kind != "" && t.Operator != ddbexpr.KeyBeginsWith {
				return refusal.Parameter("One or more parameter values are not valid. The AttributeValue for a key "+
					"attribute cannot contain an empty %s value. Key: %s", kind, t.Name)
			}
		}
	}
	return nil
}

// fetches reports whether a page of an index must read whole items from the
// table, which only local ones can.
func (in *Page) fetches(v schema.View, selects string) (bool, error) {
	i, p := v.Index, in.Parsed
	if selects == "ALL_ATTRIBUTES" {
		return v.Local && i.Projection != schema.ProjectAll, nil
	}
	var missing []string
	if p.projection != nil {
		for _, name := range p.projection.TopLevelNames() {
			if !i.Projects(&v.Def.Key, name) {
				missing = append(missing, name)
			}
		}
	}
	if missing != nil && !v.Local {
		return false, refusal.Parameter("Global secondary index %s does not project [%s]", i.Name,
			strings.Join(missing, ", "))
	}
	if p.filter != nil && !v.Local {
		for _, name := range p.filter.TopLevelNames() {
			if !i.Projects(&v.Def.Key, name) {
				return false, refusal.Parameter("Global secondary index %s does not project [%s]", i.Name, name)
			}
		}
	}
	return missing != nil, nil
}
