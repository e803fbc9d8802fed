// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
)

// write is the conditional write of an item's new form: an update of its beacons
// if nothing else changes, a put where the absence of all configured names fits
// into the condition, and an update of all attributes otherwise.
type write struct {
	m      *Migration
	stored envelope.Item
	conversion
	put     *dynamodb.PutItemInput
	update  *dynamodb.UpdateItemInput // of beacons in place
	rewrite *precondition.Rewrite
}

// prepare makes the write that Run sends. DryRun makes it too, for its errors.
func (m *Migration) prepare(stored envelope.Item, c conversion) (*write, error) {
	if err := m.fits(stored, c.next); err != nil {
		return nil, err
	}
	w := &write{m: m, stored: stored, conversion: c}
	if c.beacons != nil {
		w.update = m.inPlace(stored, *c.beacons)
		return w, nil
	}
	var unchanged expression.ConditionBuilder
	var err error
	if precondition.Seal(stored) != "" {
		unchanged, err = precondition.Sealed(stored, m.loose(stored), m.unsigned)
	} else {
		unchanged, err = precondition.Plain(stored, m.absent)
	}
	if errors.Is(err, precondition.ErrTooWide) {
		w.rewrite = &precondition.Rewrite{
			Table: m.config.Table, Key: m.key(stored), Stored: stored, Next: c.next, Loose: m.loose(stored),
		}
		if m.config.To != nil {
			w.rewrite.Unsigned = m.config.To.AllowedUnsigned
		}
		_, err := w.rewrite.Input()
		return w, err
	}
	if err != nil {
		return nil, err
	}
	e, err := expression.NewBuilder().WithCondition(unchanged).Build()
	if err != nil {
		return nil, err
	}
	w.put = &dynamodb.PutItemInput{
		TableName: &m.config.Table, Item: c.next, ConditionExpression: e.Condition(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values(),
	}
	return w, nil
}

// send writes the new form if the item is still what was read. An answer that
// does not say what happened makes it read the item again.
func (w *write) send(ctx context.Context) error {
	// A unit is 1 KB of the larger of both items.
	kb := (max(ddbjson.ItemSize(w.stored), ddbjson.ItemSize(w.next)) + 1023) / 1024
	if err := w.m.write.wait(ctx, float64(kb)); err != nil {
		return callError{err}
	}
	var err error
	switch {
	case w.update != nil:
		_, err = w.m.config.Client.UpdateItem(ctx, w.update)
	case w.rewrite != nil:
		_, err = w.rewrite.Do(ctx, w)
	default:
		_, err = w.m.config.Client.PutItem(ctx, w.put)
	}
	var lost *types.ConditionalCheckFailedException
	var busy *types.TransactionConflictException
	var full *types.ItemCollectionSizeLimitExceededException
	var refused *sealError
	switch {
	case errors.Is(err, precondition.ErrUnsealed):
		return unsigned(err)
	case err == nil || errors.As(err, &lost) || errors.As(err, &busy):
		return err
	case errors.As(err, &full) || errors.As(err, &refused): // items of other partitions fit
		return err
	case definite(err):
		return callError{err}
	}
	return w.settle(ctx, err)
}

// settleTime is how long it can take to read an item again after a write
// without a clear answer, whether or not the migration has been cancelled.
const settleTime = 5 * time.Second

// settle reads the item after a write that failed without a clear answer.
func (w *write) settle(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	now, bad := w.m.get(ctx, w.m.key(w.stored))
	switch {
	case bad != nil:
		return callError{fmt.Errorf("%w: %w; reading the item again: %w", store.ErrUncertain, err, bad)}
	case !w.did(now) && !w.overtaken(ctx, now):
		return callError{err}
	case w.rewrite != nil:
		_, err := w.rewrite.Finish(ctx, w, now)
		var refused *sealError
		switch {
		case errors.Is(err, precondition.ErrUnsealed):
			return unsigned(err)
		case errors.As(err, &refused):
			return err
		case err != nil:
			return callError{err}
		}
	}
	return nil
}

// overtaken reports whether an item has its beacons although not those of w: another
// process has written the ones of another partition.
func (w *write) overtaken(ctx context.Context, now envelope.Item) bool {
	if w.beacons == nil || w.beacons.whole == nil || !precondition.SameFooter(now, w.next) {
		return false
	}
	d, err := w.m.compare(ctx, w.plain, now)
	return err == nil && d.equal()
}

// unsigned wraps the error of a rewrite that was done and could not be signed
// again: the item is in its new form and does not verify.
func unsigned(err error) error { return callError{fmt.Errorf("%w: %w", store.ErrUncertain, err)} }

// did reports whether an item, as it is now, was written by w: no two sealed
// items share a footer, plaintext must be equal, and an item whose beacons alone
// change must bear them.
func (w *write) did(now envelope.Item) bool {
	switch {
	case w == nil || len(now) == 0:
		return false
	case w.beacons != nil:
		return precondition.SameFooter(now, w.next) && w.beacons.holds(now)
	case w.next[envelope.FooterAttribute] != nil:
		return precondition.SameFooter(now, w.next)
	case now[envelope.HeaderAttribute] != nil || now[envelope.FooterAttribute] != nil || envelope.IsLegacy(now):
		return false
	}
	same := envelope.Item{} // now may have attributes that another writer added
	for n := range w.next {
		if v, has := now[n]; has {
			same[n] = v
		}
	}
	return ddbexpr.EqualItems(same, w.next) // DynamoDB orders sets and shortens numbers
}

// definite reports whether the service answered that it refused the write for
// a reason other than its load.
func definite(err error) bool {
	var answer *smithyhttp.ResponseError
	var reason smithy.APIError
	if !errors.As(err, &answer) || !errors.As(err, &reason) {
		return false
	}
	r := answer.HTTPResponse()
	if r == nil || r.Response == nil {
		return false
	}
	_, throttled := retry.DefaultThrottleErrorCodes[reason.ErrorCode()]
	return r.StatusCode < http.StatusInternalServerError && !throttled
}

// Update sends an update, for precondition.Rewrite.
func (w *write) Update(ctx context.Context, in *dynamodb.UpdateItemInput) (envelope.Item, error) {
	out, err := w.m.config.Client.UpdateItem(ctx, in)
	var failed *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return out.Attributes, nil
	case !errors.As(err, &failed):
		return nil, err
	case len(failed.Item) > 0:
		return nil, &precondition.Refused{Item: failed.Item, Err: err}
	}
	now, bad := w.m.get(ctx, in.Key) // a server that does not return the item
	if bad != nil {
		return nil, bad
	}
	return nil, &precondition.Refused{Item: now, Err: err}
}

// sealError is an item that cannot be sealed with what another writer added.
type sealError struct{ error }

func (e *sealError) Unwrap() error { return e.error }

// Seal returns the new form with attributes that came in between, for
// precondition.Rewrite. Only unsigned ones may come into a sealed item.
func (w *write) Seal(ctx context.Context, added envelope.Item) (envelope.Item, error) {
	plain := maps.Clone(w.plain)
	for n, v := range added {
		if w.state != statePlaintext && !w.m.loose(w.stored)(n) {
			return nil, &sealError{fmt.Errorf("%w: another writer added attribute %q to the encrypted item",
				envelope.ErrTampered, n)}
		}
		plain[n] = v
	}
	next, err := w.m.config.To.EncryptItem(ctx, plain)
	if err == nil {
		err = w.m.fits(w.stored, next)
	}
	if err != nil {
		return nil, &sealError{err}
	}
	return next, nil
}

var _ precondition.Writer = (*write)(nil)
