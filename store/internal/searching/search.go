// SPDX-License-Identifier: Apache-2.0

package searching

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
)

// Search is a Query or Scan that uses the values of encrypted attributes.
type Search struct {
	table *Table
	plan  *search.Plan
}

// Plan checks the expressions of a request. It returns nil if DynamoDB can
// evaluate them alone. read lists attributes to read in addition: the keys of an
// index. Errors are as in package search.
func (t *Table) Plan(e expression.Expression, branchKeyID string, read ...string) (*Search, error) {
	if t == nil {
		return nil, nil
	}
	o := search.Scan
	if e.KeyCondition() != nil {
		o = search.Query
	}
	plan, err := t.rewriter.Plan(search.Request{Operation: o, KeyCondition: e.KeyCondition(), Filter: e.Filter(),
		Projection: e.Projection(), Names: e.Names(), Values: e.Values(), Read: read, BranchKeyID: branchKeyID})
	if err != nil || !plan.Hidden() {
		return nil, err
	}
	return &Search{t, plan}, nil
}

// Scan puts the expressions to send into a Scan. Errors are those of fetching a
// beacon key, or of package search.
func (s *Search) Scan(ctx context.Context, in *dynamodb.ScanInput) error {
	sent, err := s.plan.Request(ctx, 0)
	if err != nil {
		return err
	}
	in.FilterExpression, in.ProjectionExpression = sent.Filter, sent.Projection
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = sent.Names, sent.Values
	return nil
}

// query is Scan for request number partition of a Query.
func (s *Search) query(ctx context.Context, partition int, in *dynamodb.QueryInput) error {
	sent, err := s.plan.Request(ctx, partition)
	if err != nil {
		return err
	}
	in.KeyConditionExpression = sent.KeyCondition
	in.FilterExpression, in.ProjectionExpression = sent.Filter, sent.Projection
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = sent.Names, sent.Values
	return nil
}

// Found is an item that matches, or one that does not open.
type Found struct {
	// At is the item that the request returned, for its keys: Stored itself, or the
	// entry of an index for which Stored was fetched.
	At, Stored, Plain Item
	Err               error
}

// ErrUnwanted is the error of an Opener for an item that it knows not to be wanted.
var ErrUnwanted = errors.New("item is not wanted")

// Opener decrypts the items of a page; errs has an entry for each.
type Opener func(ctx context.Context, stored []Item) (plain []Item, errs []error)

// Results opens the items that request number partition returned, and leaves out
// those that do not match. An item that does not open stays: what it holds is
// not known.
func (s *Search) Results(ctx context.Context, partition int, stored []Item, open Opener) ([]Found, error) {
	return s.results(ctx, partition, stored, stored, open)
}

// results is Results for items that were fetched for the items of the answer, at.
func (s *Search) results(ctx context.Context, partition int, at, stored []Item, open Opener) ([]Found, error) {
	at, stored, own := s.own(at, stored)
	plain, errs := open(ctx, stored)
	found := make([]Found, 0, len(stored))
	for i := range stored {
		err := errs[i]
		matches := true
		if err == ErrUnwanted {
			continue
		}
		if err == nil {
			matches, err = s.plan.Match(plain[i])
		}
		if own != nil && err == nil {
			matches, err = matches && own[i] == nil, own[i]
			if errors.Is(err, errForeign) {
				err = nil
			}
		}
		if err == nil && !matches {
			continue
		}
		if s.plan.Queries() > 1 {
			first, err := s.plan.First(ctx, partition, stored[i])
			if err != nil {
				return nil, err
			}
			if !first {
				continue
			}
		}
		found = append(found, Found{at[i], stored[i], plain[i], err})
	}
	return found, nil
}

// errForeign: an item is under no branch key.
var errForeign = errors.New("item is under no branch key")

// own leaves out the items of other branch keys than the search is restricted
// to: the caller may lack the permission to open them. errs is nil if items are
// not under different branch keys. An entry is errForeign for an item that is
// opened only to see whether the table may have it, and any other error for an
// item whose branch key cannot be told.
func (s *Search) own(at, stored []Item) (outAt, out []Item, errs []error) {
	want := s.plan.BranchKeyID()
	if want == "" || !s.table.beacons.MultiKey() {
		return at, stored, nil
	}
	outAt, out = make([]Item, 0, len(stored)), make([]Item, 0, len(stored))
	errs = make([]error, 0, len(stored))
	for i, item := range stored {
		id, err := s.table.encryptor.BeaconBranchKey(item)
		switch {
		case errors.Is(err, envelope.ErrNotEncrypted), errors.Is(err, envelope.ErrLegacyItem):
			err = errForeign
		case err == nil && id != want:
			continue
		}
		outAt, out, errs = append(outAt, at[i]), append(out, item), append(errs, err)
	}
	return outAt, out, errs
}
