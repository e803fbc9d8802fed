// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/transparent"
)

// fate is what happens to one attempt on its way.
type fate int

const (
	pass       fate = iota
	lose            // done, and the answer lost
	garble          // done, and the answer not to be read
	fault           // done, and answered by HTTP 500
	refuse          // the connection is refused
	throttle        // refused by the service
	inProgress      // the service still works on an earlier attempt
	cancel          // done, and the context ends before the answer
)

// line is an HTTP client on which attempts meet their fates, in order.
type line struct {
	aws.HTTPClient
	fates     []fate
	interfere func() // after the first attempt
	cancel    context.CancelFunc
	attempts  int
}

func answered(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func (l *line) Do(r *http.Request) (*http.Response, error) {
	if len(l.fates) == 0 {
		return l.HTTPClient.Do(r)
	}
	now := l.fates[0]
	l.fates = l.fates[1:]
	l.attempts++
	defer func() {
		if l.interfere != nil {
			l.interfere()
			l.interfere = nil
		}
	}()
	exception := func(status int, name string) (*http.Response, error) {
		return answered(status, `{"__type":"com.amazonaws.dynamodb.v20120810#`+name+`","message":"slower"}`), nil
	}
	switch now {
	case refuse:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case throttle:
		return exception(http.StatusBadRequest, "ProvisionedThroughputExceededException")
	case inProgress:
		return exception(http.StatusBadRequest, "TransactionInProgressException")
	}
	resp, err := l.HTTPClient.Do(r)
	if err != nil || now == pass {
		return resp, err
	}
	_ = resp.Body.Close()
	switch now {
	case garble:
		return answered(http.StatusOK, "{"), nil
	case fault:
		return exception(http.StatusInternalServerError, "InternalServerError")
	case cancel:
		l.cancel()
		return nil, r.Context().Err()
	}
	return nil, errors.New("connection reset by peer")
}

// on returns a client that encrypts, on a line.
func (w *world) on() (*dynamodb.Client, *line) {
	l := &line{HTTPClient: w.config.HTTPClient}
	config := w.config.Copy()
	config.HTTPClient = l
	return dynamodb.NewFromConfig(config, w.sealing.Install), l
}

var (
	aKey  = envelope.Item{"id": s("a")}
	added = envelope.Item{":one": n(1)}
)

// writers are all calls that write, each with what it should leave of item a.
func writers() map[string]struct {
	call func(context.Context, *dynamodb.Client, string) error
	done func(envelope.Item) bool
} {
	type writer = struct {
		call func(context.Context, *dynamodb.Client, string) error
		done func(envelope.Item) bool
	}
	next := item("a")
	next["ward"] = s("next")
	put := func(i envelope.Item) bool {
		v, _ := i["ward"].(*types.AttributeValueMemberS)
		return v != nil && v.Value == "next"
	}
	hits := func(i envelope.Item) bool { return i["hits"] != nil }
	gone := func(i envelope.Item) bool { return i == nil }
	return map[string]writer{
		"PutItem": {func(ctx context.Context, c *dynamodb.Client, table string) error {
			return second(c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: next}))
		}, put},
		"UpdateItem": {func(ctx context.Context, c *dynamodb.Client, table string) error {
			return second(c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &table, Key: aKey,
				UpdateExpression: aws.String("SET hits = :one"), ExpressionAttributeValues: added}))
		}, hits},
		"DeleteItem": {func(ctx context.Context, c *dynamodb.Client, table string) error {
			return second(c.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: aKey}))
		}, gone},
		"BatchWriteItem": {func(ctx context.Context, c *dynamodb.Client, table string) error {
			return second(c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
				RequestItems: map[string][]types.WriteRequest{table: {{PutRequest: &types.PutRequest{Item: next}}}}}))
		}, put},
		"TransactWriteItems": {func(ctx context.Context, c *dynamodb.Client, table string) error {
			return transact(ctx, c, nil, types.TransactWriteItem{Put: &types.Put{TableName: &table, Item: next}})
		}, put},
	}
}

// TestFailedWrites: an error says whether the write may have been done.
// guarantees: E1
func TestFailedWrites(t *testing.T) {
	w := newWorld(t)
	client, l := w.on()
	throttled := new(*types.ProvisionedThroughputExceededException)
	for operation, c := range writers() {
		for what, e := range map[string]struct {
			fates              []fate
			uncertain, written bool
			is                 any // for errors.As; nil: the call succeeds
		}{
			"lost, then done":         {[]fate{lose, pass}, false, true, nil},
			"lost, then throttled":    {[]fate{lose, throttle, throttle}, true, true, throttled},
			"not to be read":          {[]fate{garble}, true, true, new(*smithy.DeserializationError)},
			"always lost":             {[]fate{lose, lose, lose}, true, true, nil},
			"always HTTP 500":         {[]fate{fault, fault, fault}, true, true, new(*types.InternalServerError)},
			"lost, then unreachable":  {[]fate{lose, refuse, refuse}, true, true, new(*net.OpError)},
			"cancelled after sending": {[]fate{cancel}, true, true, new(*smithy.CanceledError)},
			"throttled":               {[]fate{throttle, throttle, throttle}, false, false, throttled},
			"unreachable":             {[]fate{refuse, refuse, refuse}, false, false, new(*net.OpError)},
		} {
			for table, encrypted := range map[string]bool{items: true, plain: false} {
				_, err := w.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item("a")})
				ok(t, err)
				ctx, end := context.WithCancel(t.Context())
				l.fates, l.cancel, l.attempts = e.fates, end, 0
				err = c.call(ctx, client, table)
				end()
				if errors.Is(err, store.ErrUncertain) != (e.uncertain && encrypted) ||
					(err == nil) != (e.is == nil && what == "lost, then done") || e.is != nil && !errors.As(err, e.is) {
					t.Errorf("%s on %s, %s: %v", operation, table, what, err)
				}
				l.fates = nil
				got, err := w.client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: aKey})
				ok(t, err)
				if c.done(got.Item) != e.written {
					t.Errorf("%s on %s, %s: stored %v", operation, table, what, got.Item)
				}
			}
		}
		ctx, end := context.WithCancel(t.Context())
		end()
		l.attempts = 0
		err := c.call(ctx, client, items)
		if !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUncertain) || l.attempts != 0 {
			t.Errorf("%s after its context ended: %v, %d attempts", operation, err, l.attempts)
		}
	}
}

// TestRepeatedConditions: a repetition meets what an earlier attempt wrote.
// guarantees: E2
func TestRepeatedConditions(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	client, l := w.on()
	next := item("a")
	next["ward"] = s("next")
	unconditional := dynamodb.PutItemInput{TableName: aws.String(items), Item: next}
	replace := unconditional
	replace.ConditionExpression, replace.ExpressionAttributeValues = aws.String("ward = :w"),
		envelope.Item{":w": s("w")}
	withOld := func(in dynamodb.PutItemInput) dynamodb.PutItemInput {
		in.ReturnValues = types.ReturnValueAllOld
		return in
	}
	put := func(c *dynamodb.Client, in dynamodb.PutItemInput) error { return second(c.PutItem(ctx, &in)) }
	update := func(in dynamodb.UpdateItemInput) error {
		in.TableName, in.Key = aws.String(items), aKey
		in.UpdateExpression, in.ExpressionAttributeValues = aws.String("SET hits = :one"), added
		return second(client.UpdateItem(ctx, &in))
	}
	remove := func(in dynamodb.DeleteItemInput) error {
		in.TableName, in.Key = aws.String(items), aKey
		return second(client.DeleteItem(ctx, &in))
	}
	other := func() { ok(t, put(w.client, dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a")})) }
	vanish := func() {
		ok(t, second(w.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(items), Key: aKey})))
	}
	updateReturning := func(r types.ReturnValue) func() error {
		return func() error { return update(dynamodb.UpdateItemInput{ReturnValues: r}) }
	}
	updateIf := func(condition string) func() error {
		return func() error { return update(dynamodb.UpdateItemInput{ConditionExpression: &condition}) }
	}
	removeReturning := func(r types.ReturnValue) func() error {
		return func() error { return remove(dynamodb.DeleteItemInput{ReturnValues: r}) }
	}
	putOf := func(in dynamodb.PutItemInput) func() error { return func() error { return put(client, in) } }
	hidden := replace // another writer's item meets the condition no more than ours
	hidden.ConditionExpression = aws.String("NOT ward = :w OR attribute_exists(hits)")
	hidden.ExpressionAttributeValues = envelope.Item{":w": s("next")}
	missed := replace
	missed.ConditionExpression = aws.String("hits > :w")

	failed := new(*types.ConditionalCheckFailedException)
	uncertain := []error{store.ErrUncertain}
	for what, c := range map[string]struct {
		call      func() error
		interfere func()
		is        []error
		as        any
	}{
		"put under a condition that it made false":   {putOf(replace), nil, nil, nil},
		"the same for the old item":                  {putOf(withOld(replace)), nil, uncertain, nil},
		"put that another writer hides":              {putOf(hidden), func() { ok(t, put(w.client, unconditional)) }, uncertain, failed},
		"put under a condition that does not hold":   {putOf(missed), nil, nil, failed},
		"old item of a put":                          {putOf(withOld(unconditional)), nil, uncertain, nil},
		"old item of a put after another's":          {putOf(withOld(unconditional)), other, nil, nil},
		"update of what another writer then deletes": {updateReturning(""), vanish, []error{store.ErrUncertain, transparent.ErrUpdateTarget}, failed},
		"update that makes its condition false":      {updateIf("attribute_not_exists(hits)"), nil, uncertain, failed},
		"old values of an update":                    {updateReturning(types.ReturnValueUpdatedOld), nil, uncertain, nil},
		"old item of an update":                      {updateReturning(types.ReturnValueAllOld), nil, uncertain, nil},
		"new item of an update":                      {updateReturning(types.ReturnValueAllNew), nil, nil, nil},
		"delete under a condition": {func() error {
			return remove(dynamodb.DeleteItemInput{ConditionExpression: aws.String("attribute_exists(id)")})
		}, nil, uncertain, failed},
		"old item of a delete":        {removeReturning(types.ReturnValueAllOld), nil, uncertain, nil},
		"delete of another's item":    {removeReturning(types.ReturnValueAllOld), other, nil, nil},
		"delete, without the old one": {removeReturning(""), nil, nil, nil},
	} {
		other()
		l.fates, l.interfere, l.attempts = []fate{lose, pass}, c.interfere, 0
		if what == "put under a condition that does not hold" {
			l.fates = []fate{throttle, pass} // and no answer is lost
		}
		err := c.call()
		if (err == nil) != (len(c.is) == 0 && c.as == nil) {
			t.Errorf("%s: %v", what, err)
		}
		if len(c.is) == 0 && errors.Is(err, store.ErrUncertain) {
			t.Errorf("%s: %v", what, err)
		}
		for _, is := range c.is {
			if !errors.Is(err, is) {
				t.Errorf("%s: %v, want %v", what, err, is)
			}
		}
		if c.as != nil && !errors.As(err, c.as) {
			t.Errorf("%s: no exception in %v", what, err)
		}
		if c.as != nil && (*failed).Item != nil {
			t.Errorf("%s: an item that was not asked for", what)
		}
	}
}

// TestRepeatedTransactions: all attempts have one token, so some answers are
// definite that would not be for another write.
// guarantees: E6
func TestRepeatedTransactions(t *testing.T) {
	w := newWorld(t)
	client, l := w.on()
	write := func(condition string) error {
		return transact(t.Context(), client, nil, types.TransactWriteItem{
			Put: &types.Put{TableName: aws.String(items), Item: item("a"), ConditionExpression: &condition}})
	}
	l.fates = []fate{lose, pass}
	ok(t, write("attribute_not_exists(id)")) // the repetition finds the token, not the condition
	var cancelled *types.TransactionCanceledException
	l.fates = []fate{lose, pass} // the lost answer is a cancellation too
	if err := write("attribute_not_exists(id)"); !errors.As(err, &cancelled) || errors.Is(err, store.ErrUncertain) {
		t.Errorf("cancelled: %v", err)
	}
	var running *types.TransactionInProgressException
	l.fates = []fate{inProgress, inProgress, inProgress}
	if err := write("attribute_exists(id)"); !errors.As(err, &running) || !errors.Is(err, store.ErrUncertain) {
		t.Errorf("in progress: %v", err)
	}
}

// httpFunc is a function as an HTTP client.
type httpFunc func(*http.Request) (*http.Response, error)

func (f httpFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// TestForeignUnprocessedItem: the request was sent, although the answer names an item that
// was not in it.
func TestForeignUnprocessedItem(t *testing.T) {
	w := newWorld(t)
	config := w.config.Copy()
	config.HTTPClient = httpFunc(func(*http.Request) (*http.Response, error) {
		const body = `{"UnprocessedItems":{"items":[{"PutRequest":{"Item":{"id":{"S":"other"}}}}]}}`
		return answered(http.StatusOK, body), nil
	})
	_, err := dynamodb.NewFromConfig(config, w.sealing.Install).BatchWriteItem(t.Context(),
		&dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{items: {{PutRequest: &types.PutRequest{Item: item("a")}}}}})
	var own *transparent.Error
	if !errors.Is(err, store.ErrUncertain) || !errors.As(err, &own) {
		t.Error(err)
	}
}

// TestRepeatedWrites: what the SDK repeats is done twice, as without this
// package, unless a condition or a transaction prevents it.
// guarantees: E3
func TestRepeatedWrites(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	client, l := w.on()
	put := func(c *dynamodb.Client, ward string) {
		i := item("a")
		i["ward"] = s(ward)
		ok(t, second(c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(items), Item: i})))
	}
	stored := func(want envelope.Item) {
		t.Helper()
		out, err := w.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(items), Key: aKey,
			ProjectionExpression: aws.String("ward, hits")})
		ok(t, err)
		same(t, "stored", want, out.Item)
	}
	put(w.client, "w")
	add := &dynamodb.UpdateItemInput{TableName: aws.String(items), Key: aKey,
		UpdateExpression: aws.String("ADD hits :one"), ExpressionAttributeValues: added}
	l.fates = []fate{lose, pass}
	ok(t, second(client.UpdateItem(ctx, add)))
	stored(envelope.Item{"ward": s("w"), "hits": n(2)})

	conditional := *add
	conditional.ConditionExpression = aws.String("hits = :two")
	conditional.ExpressionAttributeValues = envelope.Item{":one": n(1), ":two": n(2)}
	l.fates = []fate{lose, pass}
	if _, err := client.UpdateItem(ctx, &conditional); !errors.Is(err, store.ErrUncertain) {
		t.Error(err)
	}
	stored(envelope.Item{"ward": s("w"), "hits": n(3)})

	l.fates = []fate{lose, pass}
	ok(t, transact(ctx, client, nil,
		types.TransactWriteItem{Update: &types.Update{TableName: add.TableName, Key: add.Key,
			UpdateExpression: add.UpdateExpression, ExpressionAttributeValues: add.ExpressionAttributeValues}}))
	stored(envelope.Item{"ward": s("w"), "hits": n(4)})

	l.fates, l.interfere = []fate{lose, pass}, func() { put(w.client, "later") }
	put(client, "mine")
	stored(envelope.Item{"ward": s("mine")})
}
