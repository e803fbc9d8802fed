// SPDX-License-Identifier: Apache-2.0

package request

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ddbseal/ddbseal/store/internal/visibility"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
	"github.com/ddbseal/ddbseal/store/internal/provision"
	"github.com/ddbseal/ddbseal/store/internal/redaction"
	"github.com/ddbseal/ddbseal/store/internal/schema"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// View is the part of an item that a read asked for.
type View struct {
	Attributes []string // nil: all
	Partial    bool     // items may come incomplete
	Index      string   // the secondary index that was read; "": the table
	IndexKeys  []string // the index's key attributes as stored, if they are known
	IndexSort  []string // the ones in its sort key
	// Search is set if the request uses values of encrypted attributes.
	Search *searching.Search
	// Whole is set if the items are read from the table.
	Whole *Whole
}

// Whole decides which items of an index a query wants, over their plaintext: the
// index may lag behind the table, and may lack attributes of the filter.
type Whole struct {
	Eventually bool               // the items may be read eventually consistently
	key        *ddbexpr.Condition // nil if a search evaluates it
	filter     *ddbexpr.Condition // nil: none
}

// Matches reports whether the query wants an item.
func (w *Whole) Matches(plain envelope.Item) bool {
	for _, condition := range []*ddbexpr.Condition{w.key, w.filter} {
		if condition == nil {
			continue
		}
		if holds, err := condition.Evaluate(plain); err != nil || !holds {
			return false
		}
	}
	return true
}

// Read is what a query or a scan of an application asks for.
type Read struct {
	// Partition and the range of the sort key are a query's. Operator is "" for all.
	Partition any
	Operator  string
	Low, High any
	// Partitions replaces Partition for an index of several attributes in the
	// partition key, and After has the values of the attributes of its sort key that
	// come before the one with the range.
	Partitions, After []any

	Index       *Index        // nil: the table
	key         provision.Key // of the index of a query
	Whole       bool
	Filter      expression.ConditionBuilder
	Attributes  []string
	Descending  bool
	Eventually  bool
	Limit       int
	PageSize    int32
	BranchKeyID string
}

// Query returns the request of a query.
func (t Table) Query(q Read) (*dynamodb.QueryInput, View, error) {
	fail := func(err error) (*dynamodb.QueryInput, View, error) { return nil, View{}, err }
	pk, sk := t.Plan.Partition, t.Plan.Sort
	if q.Whole && q.Index == nil {
		return fail(fmt.Errorf("%w: Whole is for the query of an index", envelope.ErrConfiguration))
	}
	if q.Index != nil {
		var err error
		if q.key, err = t.resolveIndex(*q.Index); err != nil {
			return fail(err)
		}
		if pk, err = t.indexKey(q.key.Partition); err != nil {
			return fail(err)
		}
		if sk = nil; q.key.Sort != "" {
			if sk, err = t.indexKey(q.key.Sort); err != nil {
				return fail(err)
			}
		}
	}
	key, err := t.keyCondition(q, pk, sk)
	if err != nil {
		return fail(err)
	}
	view, e, err := t.view(expression.NewBuilder().WithKeyCondition(key), q)
	if err != nil {
		return fail(err)
	}
	in := &dynamodb.QueryInput{
		TableName: &t.Name, KeyConditionExpression: e.KeyCondition(), FilterExpression: e.Filter(),
		ProjectionExpression:     e.Projection(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values(),
		ScanIndexForward: new(!q.Descending),
	}
	if q.Index != nil {
		in.IndexName = &q.Index.Name
	} else {
		in.ConsistentRead = new(!q.Eventually)
	}
	in.Limit = pageSize(q, e)
	return in, view, nil
}

// keyCondition returns the condition on the keys.
func (t Table) keyCondition(q Read, pk, sk *schema.Field) (key expression.KeyConditionBuilder, err error) {
	if q.key.Several() {
		return t.severalCondition(q)
	}
	if q.Partitions != nil || q.After != nil {
		return key, fmt.Errorf("%w: Values and After are for an index of several key attributes, which fields of %s "+
			"declare", envelope.ErrConfiguration, t.Plan.TypeName)
	}
	av, err := pk.FullKey(q.Partition)
	if err != nil {
		return key, err
	}
	key = expression.Key(pk.Name).Equal(precondition.Value(av))
	if q.Operator == "" {
		return key, nil
	}
	if sk == nil {
		return key, fmt.Errorf("%w: a sort range for %s, which has no sort key", envelope.ErrConfiguration,
			t.Plan.TypeName)
	}
	sort, err := sk.SortRange(q.Operator, q.Low, q.High)
	if err != nil {
		return key, err
	}
	return key.And(sort), nil
}

// Scan returns a function that returns the request of each segment of a scan.
func (t Table) Scan(s Read) (func(segment, segments int) *dynamodb.ScanInput, View, error) {
	view, e, err := t.view(expression.NewBuilder(), s)
	return func(segment, segments int) *dynamodb.ScanInput {
		in := &dynamodb.ScanInput{
			TableName: &t.Name, FilterExpression: e.Filter(), ProjectionExpression: e.Projection(),
			ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values(),
		}
		if s.Index != nil {
			in.IndexName = &s.Index.Name
		} else {
			in.ConsistentRead = new(!s.Eventually)
		}
		in.Limit = pageSize(s, e)
		if segments > 1 {
			in.Segment, in.TotalSegments = new(int32(segment)), new(int32(segments))
		}
		return in
	}, view, err
}

// pageSize is how many items one call looks at; nil: as many as DynamoDB wants.
// Where nothing is left out after reading, a page larger than the limit would be
// paid for and decrypted in vain.
func pageSize(r Read, e expression.Expression) *int32 {
	if r.PageSize > 0 {
		return new(r.PageSize)
	}
	size := math.MaxInt32
	if r.Whole {
		size = searching.MaxFetched
	}
	if r.Limit > 0 && e.Filter() == nil && !r.Filter.IsSet() {
		size = min(size, r.Limit)
	} else if !r.Whole {
		return nil
	}
	return new(int32(size))
}

// view adds filter and projection to an expression. The projection gets all
// that verification needs.
func (t Table) view(b expression.Builder, r Read) (View, expression.Expression, error) {
	fail := func(err error) (View, expression.Expression, error) { return View{}, expression.Expression{}, err }
	v := View{Attributes: r.Attributes}
	if r.Index != nil {
		k := r.key
		if k.Partition == "" { // of a scan
			k = provision.Key{Partition: r.Index.Partition, Sort: r.Index.Sort}
		}
		v.Partial, v.Index = true, r.Index.Name
		v.IndexKeys, v.IndexSort = t.storedKeys(k)
	}
	if r.Whole {
		return t.whole(b, r, v)
	}
	filter, entity := r.Filter, t.Plan.Entity
	if entity.Name != "" {
		own := precondition.Name(entity.Attribute).Equal(expression.Value(entity.Name))
		filter, _ = Join([]expression.ConditionBuilder{filter, own})
	}
	set := false
	if filter.IsSet() {
		b, set = b.WithFilter(filter), true
	}
	if r.Attributes != nil {
		names, err := t.Plan.Projection(r.Attributes, t.Encryptor)
		if err != nil {
			return fail(err)
		}
		if len(names) > 0 {
			for _, n := range v.IndexKeys { // positions need them
				if !slices.Contains(names, n) {
					names = append(names, n)
				}
			}
			b, set = b.WithProjection(Projection(names)), true
		}
		v.Partial = true
	}
	e, err := visibility.Build(b)
	if err != nil {
		var unset expression.UnsetParameterError
		if errors.As(err, &unset) && !set {
			return v, expression.Expression{}, nil // a scan of everything
		}
		return fail(fmt.Errorf("%w: expression: %w", envelope.ErrConfiguration, err))
	}
	if v.Search, err = t.plan(e, r, v); err != nil {
		return fail(err)
	}
	given := []expression.ConditionBuilder{r.Filter}
	if err := t.CheckConditions(ddbexpr.KindFilter, given, e.Filter(), e); err != nil {
		return fail(err)
	}
	return v, e, nil
}

// whole is view for a query that reads its items from the table.
func (t Table) whole(b expression.Builder, r Read, v View) (View, expression.Expression, error) {
	fail := func(err error) (View, expression.Expression, error) { return View{}, expression.Expression{}, err }
	v.Partial, v.Whole = false, &Whole{Eventually: r.Eventually}
	if r.Attributes != nil {
		if _, err := t.Plan.Projection(r.Attributes, t.Encryptor); err != nil {
			return fail(err)
		}
	}
	var err error
	if v.Whole.filter, err = t.localFilter(r.Filter); err != nil {
		return fail(err)
	}
	e, err := visibility.Build(b)
	if err != nil {
		return fail(fmt.Errorf("%w: expression: %w", envelope.ErrConfiguration, err))
	}
	if v.Search, err = t.plan(e, r, v); err != nil {
		return fail(err)
	}
	if v.Search == nil {
		v.Whole.key, err = ddbexpr.ParseCondition(ddbexpr.KindCondition, *e.KeyCondition(), e.Names(), e.Values())
	}
	if err != nil {
		return fail(fmt.Errorf("%w: %w", envelope.ErrConfiguration, err))
	}
	return v, e, nil
}

// plan plans a search by beacons. It returns nil if DynamoDB can evaluate the
// expressions alone.
func (t Table) plan(e expression.Expression, r Read, v View) (*searching.Search, error) {
	s, err := t.Searching.Plan(e, r.BranchKeyID, v.IndexKeys...)
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, search.ErrUnsearchable):
		return nil, fmt.Errorf("search of %s: %w: %w", t.Name, visibility.ErrEncrypted, err)
	}
	return nil, fmt.Errorf("search of %s: %w", t.Name, redaction.Answer(err))
}

// Projection returns a projection of names, of which there is at least one.
func Projection(names []string) expression.ProjectionBuilder {
	p := expression.NamesList(precondition.Name(names[0]))
	for _, n := range names[1:] {
		p = p.AddNames(precondition.Name(n))
	}
	return p
}
