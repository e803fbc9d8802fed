// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store"
)

// newRewriter returns the rewriter of a table, nil if its items have no beacons.
func newRewriter(e *envelope.ItemEncryptor) *search.Rewriter {
	if e.Search() == nil {
		return nil
	}
	signed, _ := verified(e)
	return search.New(e.Search(), signed)
}

// verified returns the attributes that verification needs besides header and
// footer. whole reports that any attribute can be one of them.
func verified(e *envelope.ItemEncryptor) (names []string, whole bool) {
	for name, action := range e.Actions() {
		if action.Signed() {
			names = append(names, name)
		}
	}
	old := e.LegacyDecryptor()
	if old == nil {
		return names, false
	}
	names = append(names, envelope.LegacyDescriptionAttribute, envelope.LegacySignatureAttribute)
	for name, action := range old.Actions() {
		if action.Signed() {
			names = append(names, name)
		}
	}
	return names, old.DefaultAction() != 0
}

// query is what a Query and a Scan have in common. Its pointers lead to the
// request to send.
type query struct {
	operation     search.Operation
	keyCondition  **string                    // nil in a Scan
	keyConditions *map[string]types.Condition // nil in a Scan
	filter        **string
	projection    **string
	names         *map[string]string
	values        *envelope.Item
	selection     *types.Select
	start         envelope.Item
}

// searching is a request whose expressions use the values of encrypted
// attributes.
type searching struct {
	*table
	plan      *search.Plan
	partition int
	cut       func(envelope.Item) envelope.Item
	beacons   []string // that the projection names as they are stored
}

// search rewrites a request that searches by beacons. It returns nil for a
// request that DynamoDB can answer alone.
func (t *table) search(ctx context.Context, q query) (*searching, error) {
	if t.rewriter == nil {
		return nil, nil
	}
	request := search.Request{Operation: q.operation, Filter: *q.filter, Projection: *q.projection, Names: *q.names,
		Values: *q.values, Select: *q.selection}
	if q.keyCondition != nil {
		request.KeyCondition, request.KeyConditions = *q.keyCondition, *q.keyConditions
	}
	_, whole := verified(t.ItemEncryptor)
	if whole { // a projection could leave out what verification needs
		request.Projection = nil
		if request.Select == types.SelectSpecificAttributes {
			request.Select = ""
		}
	}
	plan, err := t.rewriter.Plan(request)
	if err != nil {
		return nil, t.unsearchable(err)
	}
	s := &searching{table: t, plan: plan, cut: plan.Cut}
	if s.partition, err = plan.Partition(); err != nil {
		return nil, t.fail(err)
	}
	if !plan.Hidden() {
		if _, has := (*q.values)[search.PartitionValue]; has {
			*q.values = maps.Clone(*q.values)
			delete(*q.values, search.PartitionValue)
		}
		return nil, nil
	}
	if err := t.legacyFilter(q); err != nil {
		return nil, err
	}
	if err := t.start(q.start); err != nil {
		return nil, err
	}
	if *q.projection != nil {
		scope, err := t.scope(*q.names, *q.values)
		if err != nil {
			return nil, err
		}
		scope.AcceptReserved() // as the plan does
		asked, err := scope.Projection(**q.projection)
		if err != nil {
			return nil, t.fail(wrapExpression(err))
		}
		if whole {
			s.cut = asked.Apply
		}
		for _, name := range asked.TopLevelNames() {
			if _, is := t.Search().ByAttribute(name); is {
				s.beacons = append(s.beacons, name)
			}
		}
	}
	sent, err := plan.Request(ctx, s.partition)
	if err != nil {
		return nil, t.unsearchable(err)
	}
	if q.keyCondition != nil {
		*q.keyCondition, *q.keyConditions = sent.KeyCondition, nil
	}
	*q.filter, *q.projection, *q.selection = sent.Filter, sent.Projection, sent.Select
	*q.names, *q.values = sent.Names, sent.Values
	return s, nil
}

// unsearchable turns an error of the plan into an [*Error].
func (t *table) unsearchable(err error) error {
	if errors.Is(err, search.ErrUnsearchable) {
		err = fmt.Errorf("%w: %w", store.ErrEncryptedAttribute, err)
	}
	return t.fail(err)
}

// legacyFilter refuses the value of an attribute that only the older client
// encrypted: DynamoDB would leave out its items by their ciphertext.
func (t *table) legacyFilter(q query) error {
	if t.LegacyDecryptor() == nil || *q.filter == nil {
		return nil
	}
	scope, err := t.scope(*q.names, *q.values)
	if err != nil {
		return err
	}
	scope.AcceptReserved() // as the plan does
	c, err := scope.Condition(ddbexpr.KindFilter, **q.filter)
	if err != nil {
		return t.fail(wrapExpression(err))
	}
	for _, name := range c.ValueNames() {
		now, _ := t.Action(name)
		if old, _ := t.LegacyAction(name); old == envelope.EncryptAndSign && now != envelope.EncryptAndSign {
			return t.readable(ddbexpr.KindFilter.String(), name)
		}
	}
	return nil
}

// start refuses an ExclusiveStartKey that DynamoDB cannot have returned. The
// keys of an index can be beacons.
func (t *table) start(key envelope.Item) error {
	const parameter = "ExclusiveStartKey"
	for name := range key {
		if search := t.Search(); search != nil {
			if _, is := search.ByAttribute(name); is {
				continue
			}
		}
		if err := t.readable(parameter, name); err != nil {
			return err
		}
	}
	return nil
}

// results decrypts a page and leaves what the request asks for.
func (s *searching) results(ctx context.Context, stored []envelope.Item, index bool) (found []envelope.Item,
	count int32, err error) {
	stored, foreign, err := s.mine(stored)
	if err != nil {
		return nil, 0, err
	}
	plain, err := s.openAll(ctx, stored, projection{}, index)
	if err != nil {
		return nil, 0, err
	}
	found = make([]envelope.Item, 0, len(plain))
	for i, item := range plain {
		if slices.Contains(foreign, i) {
			continue
		}
		is, err := s.plan.Match(item)
		if err != nil {
			return nil, 0, s.fail(err)
		}
		if is && s.plan.Queries() > 1 {
			is, err = s.plan.First(ctx, s.partition, stored[i])
		}
		switch {
		case err != nil:
			return nil, 0, s.unsearchable(err)
		case !is:
		default:
			count++
			if !s.plan.Counts() {
				found = append(found, s.asked(item, stored[i]))
			}
		}
	}
	if s.plan.Counts() {
		found = nil
	}
	return found, count, nil
}

// asked returns what the projection asks for. Beacons are among it only if they
// are named as they are stored: a client that makes an ExclusiveStartKey from the
// last item that it took needs those of the index.
func (s *searching) asked(item, stored envelope.Item) envelope.Item {
	out := s.cut(item)
	for _, name := range s.beacons {
		if v := stored[name]; v != nil {
			out[name] = v
		}
	}
	return out
}

// mine leaves out the items of other branch keys than the search is restricted
// to. They are not decrypted: the caller may lack the permission. foreign has
// the positions of items that are under no branch key and are only decrypted to
// verify them.
func (s *searching) mine(stored []envelope.Item) (out []envelope.Item, foreign []int, err error) {
	want := s.plan.BranchKeyID()
	if want == "" || !s.Search().MultiKey() {
		return stored, nil, nil
	}
	for i, item := range stored {
		id, err := s.BeaconBranchKey(item)
		switch {
		case errors.Is(err, envelope.ErrNotEncrypted), errors.Is(err, envelope.ErrLegacyItem):
			foreign = append(foreign, len(out))
			out = append(out, item)
		case err != nil:
			return nil, nil, s.fail(fmt.Errorf("item %d of the page: %w", i, err))
		case id == want:
			out = append(out, item)
		}
	}
	return out, foreign, nil
}

// signedAttributes counts the attributes of a stored item that its signature
// covers, if it is complete.
func (t *table) signedAttributes(item envelope.Item) int {
	n := 0
	for name := range item {
		if name != envelope.HeaderAttribute && name != envelope.FooterAttribute && !t.AllowedUnsigned(name) &&
			!beacon.Stored(name) {
			n++
		}
	}
	return n
}
