package dynamodb

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const maxSegments = 1_000_000

// pageInput is a Query or Scan request.
type pageInput struct {
	query          bool
	name, index    *string
	selects        *string
	limit          *int64
	start          schema.Item
	consistent     *bool
	forward        *bool
	segment, total *int64
	consumed       consumed
	expressions

	at     schema.Target // once prepared
	parsed *parsed
}

func (in *pageInput) ReadMember(d *wire.Decoder, name []byte) error {
	switch string(name) {
	case "TableName":
		return d.Text(&in.name)
	case "IndexName":
		return d.Text(&in.index)
	case "Select":
		return d.Text(&in.selects)
	case "Limit":
		return d.Integer(&in.limit)
	case "ExclusiveStartKey":
		return readItem(d, &in.start)
	case "ConsistentRead":
		return d.Boolean(&in.consistent)
	case "ReturnConsumedCapacity":
		return d.Text(&in.consumed.mode)
	case "ConditionExpression", "UpdateExpression", "Expected", "AttributeUpdates":
		return d.Skip() // not members of a read
	case "ScanIndexForward", "KeyConditionExpression", "KeyConditions", "QueryFilter":
		if !in.query {
			return d.Skip()
		}
		if string(name) == "ScanIndexForward" {
			return d.Boolean(&in.forward)
		}
	case "Segment", "TotalSegments", "ScanFilter":
		switch {
		case in.query:
			return d.Skip()
		case string(name) == "Segment":
			return d.Integer(&in.segment)
		case string(name) == "TotalSegments":
			return d.Integer(&in.total)
		}
	}
	if ok, err := in.expressions.readMember(d, name); ok {
		return err
	}
	return d.Skip()
}

func (in *pageInput) Check(c *wire.Checks) {
	in.consumed.check(c)
	checkTable(c, in.name, "tableName")
	checkResource(c, in.index, "indexName")
	c.Enum(in.selects, "select", "SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES")
	c.Between(in.limit, "limit", 1, -1)
	c.Between(in.segment, "segment", 0, maxSegments-1)
	c.Between(in.total, "totalSegments", 1, maxSegments)
	in.legacy.check(c)
}

// checkAlone checks what needs no table.
func (in *pageInput) checkAlone(p *parsed) error {
	switch {
	case in.query && p.keyCondition == nil:
		return refusal.Validation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	case in.total != nil && in.segment == nil:
		return refusal.Validation("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case in.segment != nil && in.total == nil:
		return refusal.Validation("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case in.segment != nil && *in.segment >= *in.total:
		return refusal.Validationf("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d", *in.segment, *in.total)
	}
	member := "ProjectionExpression"
	if in.projection == nil {
		member = "AttributesToGet"
	}
	selects := ""
	if in.selects != nil {
		selects = *in.selects
	}
	switch {
	case p.projection != nil && selects == "ALL_ATTRIBUTES":
		return refusal.Validationf("Cannot specify the %s when choosing to get ALL_ATTRIBUTES", member)
	case p.projection != nil && selects == "ALL_PROJECTED_ATTRIBUTES":
		return refusal.Validationf("Cannot specify the %s when choosing to get ALL_PROJECTED_ATTRIBUTES", member)
	case p.projection != nil && selects == "COUNT":
		return refusal.Validationf("Cannot specify the %s when choosing to get only the Count", member)
	case p.projection == nil && selects == "SPECIFIC_ATTRIBUTES":
		return refusal.Validation("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case selects == "ALL_PROJECTED_ATTRIBUTES" && in.index == nil:
		what := "Scanning"
		if in.query {
			what = "Querying"
		}
		return refusal.Validationf("ALL_PROJECTED_ATTRIBUTES can be used only when %s using an IndexName", what)
	}
	return nil
}

// TableName returns the table as the request names it.
func (in *pageInput) TableName() string { return *in.name }

// IndexName returns the index that the page reads, "" for the table itself.
func (in *pageInput) IndexName() string {
	if in.index == nil {
		return ""
	}
	return *in.index
}

// Limit returns how many items the page may read, zero if only their size
// counts.
func (in *pageInput) Limit() int {
	if in.limit == nil {
		return 0
	}
	return int(min(*in.limit, 1<<30))
}

// Consistent reports whether the page must show every change that was answered
// before.
func (in *pageInput) Consistent() bool { return in.consistent != nil && *in.consistent }

// Select returns what the page shows of its items.
func (in *pageInput) Select() string {
	switch {
	case in.selects != nil:
		return *in.selects
	case in.parsed.projection != nil:
		return "SPECIFIC_ATTRIBUTES"
	case in.index != nil:
		return "ALL_PROJECTED_ATTRIBUTES"
	}
	return "ALL_ATTRIBUTES"
}

// KeyTerms returns the values that the key condition of a Query compares with,
// by attribute.
func (in *pageInput) KeyTerms() schema.Item {
	terms := schema.Item{}
	for _, term := range in.parsed.keyCondition.Terms() {
		terms[term.Name] = term.Value
	}
	return terms
}

// plan binds the request to table and index at now. fetch says that the page
// needs whole items from the table, not what the index holds of them.
func (in *pageInput) plan(d *schema.Definition, now time.Time) (v schema.View, s schema.Span, fetch bool, err error) {
	v.Def = d
	p := in.parsed
	selects := in.Select()
	if in.index != nil {
		v.Index, v.Local = d.Index(*in.index)
		switch {
		case v.Index == nil:
			return v, s, false, refusal.Validationf("The table does not have the specified index: %s", *in.index)
		case v.Index.Status(now) == "CREATING":
			return v, s, false, refusal.Validationf("Cannot read from backfilling global secondary index: %s", *in.index)
		}
		if i := v.Index; !v.Local {
			if in.Consistent() {
				return v, s, false, refusal.Validation("Consistent reads are not supported on global secondary indexes")
			}
			if selects == "ALL_ATTRIBUTES" && i.Projection != schema.ProjectAll {
				return v, s, false, refusal.Parameter("Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", i.Name)
			}
		}
	}
	if err := p.checkPaths(d); err != nil {
		return v, s, false, err
	}
	key := v.Schema()
	if p.filter != nil && in.query {
		for _, name := range p.filter.TopLevelNames() {
			if key.Has(name) {
				what := "Filter Expression"
				if in.legacy.queryFilter != nil {
					what = "QueryFilter"
				}
				return v, s, false, refusal.Validationf("%s can only contain non-primary key attributes: Primary key attribute: %s", what, name)
			}
		}
	}
	if v.Index != nil {
		if fetch, err = in.fetches(v, selects); err != nil {
			return v, s, false, err
		}
	}
	if in.query {
		q, err := p.keyCondition.Bind(ddbexpr.KeySchema{
			Partition: key.Partition.Name, PartitionType: key.Partition.Type, Sort: key.Sort.Name, SortType: key.Sort.Type})
		if err != nil {
			return v, s, false, errExpression(err)
		}
		if err := checkQueryKey(q, key); err != nil {
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
	s.Start, _ = v.Key(in.start)
	s.Started = true
	if s.Start < s.Low || s.High != "" && s.Start >= s.High || s.Match != nil && !s.Match(in.start) {
		if in.query {
			if prefix := key.PartitionPrefix(in.start[key.Partition.Name]); strings.HasPrefix(s.Low, prefix) {
				return v, s, false, refusal.Validation("The provided starting key does not match the range key predicate")
			}
			return v, s, false, refusal.Validation("The provided starting key is outside query boundaries based on provided conditions")
		}
		return v, s, false, refusal.Validationf("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d", *in.total, *in.segment)
	}
	return v, s, fetch, nil
}

// checkQueryKey refuses empty key values.
func checkQueryKey(q ddbexpr.KeyQuery, key schema.Key) error {
	refuse := func(v types.AttributeValue, name string) error {
		if kind := schema.EmptyKey(v); kind != "" {
			return refusal.Parameter("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", kind, name)
		}
		return nil
	}
	if err := refuse(q.Partition, key.Partition.Name); err != nil || q.Sort == nil || q.Sort.Operator == ddbexpr.KeyBeginsWith {
		return err
	}
	return refuse(q.Sort.Value, key.Sort.Name)
}

// fetches reports whether a page of an index must read whole items from the
// table, which only local ones can.
func (in *pageInput) fetches(v schema.View, selects string) (bool, error) {
	i, p := v.Index, in.parsed
	if selects == "ALL_ATTRIBUTES" {
		return v.Local && i.Projection != schema.ProjectAll, nil
	}
	var missing []string
	if p.projection != nil {
		for _, name := range p.projection.TopLevelNames() {
			if !i.Projects(v.Def.Key, name) {
				missing = append(missing, name)
			}
		}
	}
	if missing != nil && !v.Local {
		return false, refusal.Parameter("Global secondary index %s does not project [%s]", i.Name, strings.Join(missing, ", "))
	}
	if p.filter != nil && !v.Local {
		for _, name := range p.filter.TopLevelNames() {
			if !i.Projects(v.Def.Key, name) {
				return false, refusal.Parameter("Global secondary index %s does not project [%s]", i.Name, name)
			}
		}
	}
	return missing != nil, nil
}

// Prepare parses the expressions, checks what needs no table and finds the name
// of the table.
func (in *pageInput) Prepare(c *request.Call) (err error) {
	valued := []string{"FilterExpression"}
	if in.query {
		valued = append(valued, "KeyConditionExpression")
	}
	if in.parsed, err = in.expressions.parse(valued...); err != nil {
		return err
	}
	if err := in.checkAlone(in.parsed); err != nil {
		return err
	}
	in.at, err = locate(c, *in.name)
	return err
}
