// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store"
)

// step is what a wire does with one attempt of a call.
type step int

const (
	pass     step = iota
	lose          // DynamoDB does it, and the connection breaks before the answer
	garble        // DynamoDB does it, and its answer is truncated
	fail          // DynamoDB does it and answers 500
	leave         // DynamoDB does it, and the caller's context ends before the answer
	stay          // the caller's context ends before anything is sent
	refuse        // no server listens
	broken        // 500, and nothing is done
	throttle      // DynamoDB refuses the rate
	conflict      // DynamoDB refuses because of a transaction on the item
	running       // DynamoDB says that the transaction is under way
	mismatch      // DynamoDB knows the token from another request
)

var errReset = errors.New("connection reset")

// wire is a transport that follows a script: one step for each attempt of its
// operations, and the last step for all that come after. It counts what DynamoDB
// did.
type wire struct {
	aws.HTTPClient
	interfere func() // called after each step that loses an answer
	cancel    func() // ends the caller's context

	mu         sync.Mutex
	operations []string
	script     []step
	attempts   int
	done       map[string]bool // the successful requests; a transaction's token is one
}

// wire returns a client whose calls go through a wire.
func (w *world) wire() (*dynamodb.Client, *wire) {
	l := &wire{HTTPClient: w.config.HTTPClient}
	config := w.config.Copy()
	config.HTTPClient = l
	return dynamodb.NewFromConfig(config), l
}

// play begins a script for the operations, which are separated by spaces.
func (l *wire) play(operations string, script ...step) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.operations, l.script, l.attempts, l.done = strings.Fields(operations), script, 0, map[string]bool{}
}

// count returns how many requests DynamoDB did since the script began.
func (l *wire) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.done)
}

func (l *wire) next(r *http.Request) (s step, attempt int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !slices.Contains(l.operations, operation) {
		return pass, 0
	}
	l.attempts++
	s = l.script[min(l.attempts, len(l.script))-1]
	return s, l.attempts
}

func (l *wire) Do(r *http.Request) (*http.Response, error) {
	s, attempt := l.next(r)
	switch s {
	case stay:
		l.cancel()
		return nil, r.Context().Err()
	case refuse:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	switch s {
	case broken:
		return answer(500, "InternalServerError"), nil
	case throttle:
		return answer(400, "ThrottlingException"), nil
	case conflict:
		return answer(400, "TransactionConflictException"), nil
	case running:
		return answer(400, "TransactionInProgressException"), nil
	case mismatch:
		return answer(400, "IdempotentParameterMismatchException"), nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := l.HTTPClient.Do(r)
	if err != nil {
		return resp, err
	}
	if attempt > 0 && resp.StatusCode == http.StatusOK {
		var in struct{ ClientRequestToken string }
		_ = json.Unmarshal(body, &in)
		if in.ClientRequestToken == "" {
			in.ClientRequestToken = fmt.Sprint(attempt)
		}
		l.mu.Lock()
		l.done[in.ClientRequestToken] = true
		l.mu.Unlock()
	}
	if s == pass {
		return resp, nil
	}
	_ = resp.Body.Close()
	if l.interfere != nil {
		l.interfere()
	}
	switch s {
	case fail:
		return answer(500, "InternalServerError"), nil
	case garble:
		resp.Body = io.NopCloser(strings.NewReader(`{"Attr`))
		resp.Header.Del("X-Amz-Crc32")
		return resp, nil
	case leave:
		l.cancel()
		return nil, r.Context().Err()
	}
	return nil, errReset
}

func answer(status int, code string) *http.Response {
	body := `{"__type":"com.amazonaws.dynamodb.v20120810#` + code + `","message":"by the script"}`
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(body)),
	}
}

// deaf is a client that drops option functions, as a recorder may.
type deaf struct{ *dynamodb.Client }

type option = func(*dynamodb.Options)

func (d deaf) PutItem(
	ctx context.Context, in *dynamodb.PutItemInput, _ ...option,
) (*dynamodb.PutItemOutput, error) {
	return d.Client.PutItem(ctx, in)
}

func (d deaf) UpdateItem(
	ctx context.Context, in *dynamodb.UpdateItemInput, _ ...option,
) (*dynamodb.UpdateItemOutput, error) {
	return d.Client.UpdateItem(ctx, in)
}

func (d deaf) DeleteItem(
	ctx context.Context, in *dynamodb.DeleteItemInput, _ ...option,
) (*dynamodb.DeleteItemOutput, error) {
	return d.Client.DeleteItem(ctx, in)
}

func (d deaf) BatchWriteItem(
	ctx context.Context, in *dynamodb.BatchWriteItemInput, _ ...option,
) (*dynamodb.BatchWriteItemOutput, error) {
	return d.Client.BatchWriteItem(ctx, in)
}

func (d deaf) TransactWriteItems(
	ctx context.Context, in *dynamodb.TransactWriteItemsInput, _ ...option,
) (*dynamodb.TransactWriteItemsOutput, error) {
	return d.Client.TransactWriteItems(ctx, in)
}

var _ store.Client = deaf{}

// TestWire: the script is what the outcomes of writes are judged by.
func TestWire(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "transport to change")
	client, l := w.wire()
	table := w.table(t, "id:S")
	tallies := open[tally](t, client, table, store.ServerSide{})
	l.play("PutItem TransactWriteItems", lose, refuse, throttle, pass)
	ok(t, tallies.Put(t.Context(), tally{ID: "a"}))
	if l.count() != 2 || l.attempts != 4 {
		t.Errorf("put: %d done in %d attempts", l.count(), l.attempts)
	}
	l.play("PutItem TransactWriteItems", lose, pass)
	ok(t, store.TransactWrite(t.Context(), client, tallies.PutOp(tally{ID: "a"})))
	if l.count() != 1 || l.attempts != 2 {
		t.Errorf("transaction: %d done in %d attempts", l.count(), l.attempts)
	}
}
