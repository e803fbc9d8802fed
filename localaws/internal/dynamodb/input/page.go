// SPDX-License-Identifier: Apache-2.0

package input

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const maxSegments = 1_000_000

// Page is a Query or Scan request.
type Page struct {
	Query          bool // not a Scan; set before the request is read
	name, index    *string
	selects        *string
	limit          *int64
	start          schema.Item
	consistent     *bool
	forward        *bool
	segment, total *int64
	Consumed       Consumed
	expressions

	// Prepare sets At and Parsed.
	At     schema.Target
	Parsed *Parsed
}

// ReadMember implements [wire.MembersReader].
func (in *Page) ReadMember(d *wire.Decoder, name []byte) error {
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
		return d.Text(&in.Consumed.mode)
	case "ConditionExpression", "UpdateExpression", "Expected", "AttributeUpdates":
		return d.Skip() // not members of a read
	case "ScanIndexForward", "KeyConditionExpression", "KeyConditions", "QueryFilter":
		if !in.Query {
			return d.Skip()
		}
		if string(name) == "ScanIndexForward" {
			return d.Boolean(&in.forward)
		}
	case "Segment", "TotalSegments", "ScanFilter":
		switch {
		case in.Query:
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

// Check implements [wire.Checker].
func (in *Page) Check(c *wire.Checks) {
	in.Consumed.check(c)
	checkTable(c, in.name, "tableName")
	checkResource(c, in.index, "indexName")
	c.Enum(in.selects, "select", "SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES")
	if l := refusal.LayerOf(c.Operation); l.Is2026() && in.limit != nil && *in.limit < 1 {
		c.ViolateUnseen("Limit", wire.AtLeast(1))
	} else {
		c.Between(in.limit, "limit", 1, -1)
	}
	c.Between(in.segment, "segment", 0, maxSegments-1)
	c.Between(in.total, "totalSegments", 1, maxSegments)
	in.legacy.check(refusal.LayerOf(c.Operation), c)
}

// checkAlone checks what needs no table.
func (in *Page) checkAlone(p *Parsed) error {
	switch {
	case in.Query && p.keyCondition == nil:
		return refusal.Validation("Either the KeyConditions or KeyConditionExpression parameter must be specified " +
			"in the request.")
	case in.total != nil && in.segment == nil:
		return refusal.Validation("The Segment parameter is required but was not present in the request when " +
			"parameter TotalSegments is present")
	case in.segment != nil && in.total == nil:
		return refusal.Validation("The TotalSegments parameter is required but was not present in the request when " +
			"Segment parameter is present")
	case in.segment != nil && *in.segment >= *in.total:
		return refusal.Validationf("The Segment parameter is zero-based and must be less than parameter "+
			"TotalSegments: Segment: %d is not less than TotalSegments: %d", *in.segment, *in.total)
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
		return refusal.Validation("Must specify the AttributesToGet or ProjectionExpression when choosing to get " +
			"SPECIFIC_ATTRIBUTES")
	case selects == "ALL_PROJECTED_ATTRIBUTES" && in.index == nil:
		return refusal.Validation("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	}
	return nil
}

// TableName returns the table as the request names it.
func (in *Page) TableName() string { return *in.name }

// IndexName returns the index that the page reads, "" for the table itself.
func (in *Page) IndexName() string {
	if in.index == nil {
		return ""
	}
	return *in.index
}

// Whole reports whether the page is of a Scan that begins at the first item and
// does not read a segment only.
func (in *Page) Whole() bool {
	return !in.Query && in.start == nil && (in.total == nil || *in.total == 1)
}

// Limit returns how many items the page may read, zero if only their size
// counts.
func (in *Page) Limit() int {
	if in.limit == nil {
		return 0
	}
	return int(min(*in.limit, 1<<30))
}

// Consistent reports whether the page must show every change that was answered
// before.
func (in *Page) Consistent() bool { return in.consistent != nil && *in.consistent }

// Select returns what the page shows of its items.
func (in *Page) Select() string {
	switch {
	case in.selects != nil:
		return *in.selects
	case in.Parsed.projection != nil:
		return "SPECIFIC_ATTRIBUTES"
	case in.index != nil:
		return "ALL_PROJECTED_ATTRIBUTES"
	}
	return "ALL_ATTRIBUTES"
}

// KeyTerms returns the values that the key condition of a Query compares with,
// by attribute.
func (in *Page) KeyTerms() schema.Item {
	terms := schema.Item{}
	for _, term := range in.Parsed.keyCondition.Terms() {
		terms[term.Name] = term.Value
	}
	return terms
}

// Prepare parses the expressions, checks what needs no table and finds the name
// of the table.
func (in *Page) Prepare(c *request.Call) (err error) {
	valued := []string{"FilterExpression"}
	if in.Query {
		valued = append(valued, "KeyConditionExpression")
	}
	in.legacy.ofIndex = in.index != nil
	if in.Parsed, err = in.expressions.parse(c, valued...); err != nil {
		return err
	}
	if err := in.checkAlone(in.Parsed); err != nil {
		return err
	}
	in.At, err = Locate(c, *in.name)
	return err
}
