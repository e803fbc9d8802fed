// SPDX-License-Identifier: Apache-2.0

package search

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// Rewriter rewrites the searches of one table. It is safe for concurrent use.
type Rewriter struct {
	search *beacon.Search
	signed []string
}

// New returns the Rewriter of a table. signed has the names of all attributes
// that are signed: a read with a projection needs them to verify items.
func New(s *beacon.Search, signed []string) *Rewriter {
	all := append(slices.Clone(signed), s.SignedNames()...)
	slices.Sort(all)
	return &Rewriter{search: s, signed: slices.Compact(all)}
}

// Plan is a Query or Scan that was checked and is ready to be rewritten. It is
// safe for concurrent use.
type Plan struct {
	rewriter *Rewriter
	request  Request
	values   Item // without PartitionValue

	key        *condition
	keyRoot    ddbexpr.Node
	filter     *condition
	filterRoot ddbexpr.Node
	projection *ddbexpr.Projection

	hidden      bool
	derived     []string // names whose value Match computes
	read        []string // attributes in the clear that Match reads
	branchKeyID string
	queries     int
	partition   int      // the one that the request names, -1 if none
	named       []string // attributes and beacons that the expressions name

	mu           sync.Mutex
	translations map[int]translated // by partition
}

// Plan checks a request and plans its search. Errors: an [*Error] that matches
// [ErrUnsearchable] if no beacon serves an expression, and
// materials.ErrConfiguration if DynamoDB would refuse an expression, an
// expression names an attribute without an action, or a parameter is invalid.
func (r *Rewriter) Plan(request Request) (*Plan, error) {
	p := &Plan{rewriter: r, request: request, queries: 1}
	if request.Operation != Query && request.Operation != Scan {
		return nil, misused("Operation", "", "it is neither Query nor Scan")
	}
	if request.Operation == Scan && (request.KeyCondition != nil || request.KeyConditions != nil) {
		return nil, misused("KeyConditionExpression", "", "a Scan has none")
	}
	if request.KeyCondition != nil && request.KeyConditions != nil {
		return nil, misused(keyConditionsParameter, "", "the request has a KeyConditionExpression too")
	}
	if err := p.readPartition(); err != nil {
		return nil, err
	}
	c := newCompiler(r.search)
	if err := p.compile(c); err != nil {
		return nil, err
	}
	if err := c.finish(); err != nil {
		return nil, err
	}
	p.hidden = c.hidden
	p.derived = slices.Sorted(maps.Keys(c.derived))
	p.named = append(attributes(p.keyRoot), attributes(p.filterRoot)...)
	p.read = slices.Sorted(maps.Keys(c.clear))
	if err := p.chooseBranchKey(c); err != nil {
		return nil, err
	}
	return p, p.rehearse()
}

// readPartition takes PartitionValue from the values.
func (p *Plan) readPartition() error {
	p.partition = -1
	p.values = p.request.Values
	v, has := p.values[PartitionValue]
	if !has {
		return nil
	}
	const parameter = "ExpressionAttributeValues"
	n, isNumber := v.(*types.AttributeValueMemberN)
	most := p.rewriter.search.MaxPartitions()
	switch {
	case p.request.Operation == Scan:
		return misused(parameter, PartitionValue, "a Scan finds the items of all partitions; leave it out")
	case most == 1:
		return misused(parameter, PartitionValue, "the beacons of the table have no partitions; leave it out")
	case !isNumber:
		return misused(parameter, PartitionValue, "it is not a number")
	}
	partition, err := strconv.ParseUint(n.Value, 10, 8)
	if err != nil {
		return misused(parameter, PartitionValue, "it is not a number from 0 to %d", most-1)
	}
	p.partition = int(partition)
	p.values = maps.Clone(p.values)
	delete(p.values, PartitionValue)
	return nil
}

// compile parses and compiles the expressions.
func (p *Plan) compile(c *compiler) error {
	names, values := p.request.Names, p.values
	if len(names) == 0 {
		names = nil
	}
	if len(values) == 0 {
		values = nil
	}
	scope, err := ddbexpr.NewScope(names, values)
	if err != nil {
		return misused("expressions", "", "%w", err)
	}
	scope.AcceptReserved() // the official clients do, and the text that is sent has placeholders
	if expression := p.request.KeyCondition; expression != nil {
		parameter := ddbexpr.KindKeyCondition.String()
		k, err := scope.KeyCondition(*expression)
		if err != nil {
			return misused(parameter, "", "%w", err)
		}
		p.keyRoot = k.Root()
		if p.key, err = c.compile(parameter, p.keyRoot); err != nil {
			return err
		}
	} else if p.request.KeyConditions != nil {
		if p.keyRoot, err = legacyKeyCondition(p.request.KeyConditions); err != nil {
			return err
		}
		if p.key, err = c.compile(keyConditionsParameter, p.keyRoot); err != nil {
			return err
		}
	}
	if expression := p.request.Filter; expression != nil {
		parameter := ddbexpr.KindFilter.String()
		f, err := scope.Condition(ddbexpr.KindFilter, *expression)
		if err != nil {
			return misused(parameter, "", "%w", err)
		}
		p.filterRoot = f.Root()
		if p.filter, err = c.compile(parameter, p.filterRoot); err != nil {
			return err
		}
	}
	if expression := p.request.Projection; expression != nil {
		if p.projection, err = scope.Projection(*expression); err != nil {
			return misused(ddbexpr.KindProjection.String(), "", "%w", err)
		}
	}
	return nil
}

// chooseBranchKey finds the branch key that the expressions restrict items to.
// (Specification: [search-config], "Get beacon key for query".)
//
// [search-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/search-config.md#get-beacon-key-for-query
func (p *Plan) chooseBranchKey(c *compiler) error {
	s := p.rewriter.search
	if !s.MultiKey() {
		return nil
	}
	ids := map[string]bool{}
	for _, side := range []*condition{p.key, p.filter} {
		if side != nil {
			maps.Copy(ids, side.branchKeys())
		}
	}
	if id := p.request.BranchKeyID; id != "" {
		ids[id] = true
	}
	if len(ids) > 1 {
		return unsearchable("request", s.KeyField(),
			"the expressions restrict items to %d branch keys; search for one at a time", len(ids))
	}
	for id := range ids {
		p.branchKeyID = id
	}
	if c.tenant && p.branchKeyID == "" {
		return p.noBranchKey()
	}
	return nil
}

func (p *Plan) noBranchKey() error {
	return unsearchable("request", p.rewriter.search.KeyField(), "beacons of each branch key differ, and the "+
		"expressions do not restrict items to one; add a term that compares this attribute with =, joined by AND")
}

// rehearse finds out which beacons the key condition needs, and so the number of
// queries.
func (p *Plan) rehearse() error {
	var used []*beacon.StandardBeacon
	for i, side := range []*condition{p.key, p.filter} {
		if side == nil {
			continue
		}
		h := p.hasher(context.Background(), 0)
		h.rehearsal = true
		if _, err := side.bound(h, true); err != nil {
			return err
		}
		if i == 0 {
			p.queries = p.rewriter.search.Queries(h.used...)
		}
		used = append(used, h.used...)
	}
	if len(used) > 0 && p.rewriter.search.MultiKey() && p.branchKeyID == "" {
		return p.noBranchKey()
	}
	if p.partition >= p.queries {
		return misused("ExpressionAttributeValues", PartitionValue,
			"the key condition takes %d queries, numbered from 0",
			p.queries)
	}
	return nil
}

func (p *Plan) hasher(ctx context.Context, partition int) *hasher {
	return &hasher{ctx: ctx, search: p.rewriter.search, branchKeyID: p.branchKeyID, partition: partition}
}

// Hidden reports whether the search uses the values of encrypted attributes.
// Only then does Match leave anything out.
func (p *Plan) Hidden() bool { return p.hidden }

// Counts reports whether the request asks for a count that DynamoDB cannot give:
// the rewritten request reads items, and the count is the number of those that
// match. Return no items then.
func (p *Plan) Counts() bool { return p.hidden && p.request.Select == types.SelectCount }

// BranchKeyID returns the branch key that the beacons of the search are under,
// if beacon keys come from several and the search is restricted to one, and ""
// otherwise. Leave out items of other branch keys: their beacons are equal by
// chance only.
func (p *Plan) BranchKeyID() string {
	if !p.hidden {
		return ""
	}
	return p.branchKeyID
}

// Queries returns the number of requests that find all items: 1 unless the
// beacons of the key condition have partitions. Each finds the items of some
// partitions; see [Plan.First].
func (p *Plan) Queries() int { return p.queries }

// Partition returns the partition for a client that sends one request: the one
// that [PartitionValue] names. It fails with an [*Error] that matches
// materials.ErrConfiguration if one request does not find all items and the
// request names no partition.
func (p *Plan) Partition() (int, error) {
	if p.partition < 0 && p.queries > 1 {
		return 0, misused("KeyConditionExpression", "", "its beacons have partitions, so that it takes %d queries; "+
			"set the value %s to 0 to %d in each", p.queries, PartitionValue, p.queries-1)
	}
	return max(p.partition, 0), nil
}
