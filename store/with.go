// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store/internal/calls"
)

// CallOption changes how the calls of a derived table are made, see [Table.With].
type CallOption func(*callSettings)

type callSettings struct {
	client     []func(*dynamodb.Options)
	meters     []*ConsumedCapacity
	eventually *bool
}

// With returns a table that differs from t in how its calls are made. It shares
// everything else with t, which does not change. Use it for one call,
//
//	v, err := orders.With(store.ConsistentReads(false)).Get(ctx, key)
//
// or keep it as the table of a part of the program. The options of the last With
// count where they contradict earlier ones.
//
// The options hold for the calls of the table's own methods, but not for
// [Create], and not for transactions, which go through the client that is given to
// them; [ClientWith] derives one.
func (t *Table[T]) With(opts ...CallOption) *Table[T] {
	s := collectCalls(opts)
	out := *t
	if s.eventually != nil {
		out.eventually = *s.eventually
	}
	out.client = s.derive(t.client)
	return &out
}

// ClientWith returns a client for [TransactWrite] and [TransactGet] whose calls
// have the options. [ConsistentReads] has no effect on it: transactions read
// serializably.
func ClientWith(client Client, opts ...CallOption) Client { return collectCalls(opts).derive(client) }

func collectCalls(opts []CallOption) *callSettings {
	s := &callSettings{}
	for _, apply := range opts {
		apply(s)
	}
	return s
}

func (s *callSettings) derive(client Client) Client {
	if len(s.client) > 0 {
		client = calls.With(client, nil, s.client...)
	}
	for _, m := range s.meters {
		client = calls.With(client, &m.meter)
	}
	return client
}

// ClientOptions passes option functions of the SDK to each call: another retryer,
// a middleware for tracing, a region. They see ciphertext only. They are applied
// before the option of the table by which a write watches its attempts, so that
// one which replaces the HTTP client or the retryer does not blind it.
func ClientOptions(options ...func(*dynamodb.Options)) CallOption {
	options = slices.Clone(options)
	return func(s *callSettings) { s.client = append(s.client, options...) }
}

// ConsistentReads chooses how [Table.Get], [Table.GetAttributes], [Table.Raw],
// [Table.BatchGet] and the queries, scans and counts of the table itself read:
// strongly consistent, as without the option, or eventually consistent at half the
// price, when they may miss writes of the last moments. A query or scan with
// EventuallyConsistent set, or of an index, is eventually consistent in any case.
// What Update reads before it writes is always strongly consistent.
func ConsistentReads(on bool) CallOption {
	eventually := !on
	return func(s *callSettings) { s.eventually = &eventually }
}

// Capacity adds the capacity that the calls consume to c. It makes DynamoDB
// return the figure with each answer.
func Capacity(c *ConsumedCapacity) CallOption {
	return func(s *callSettings) {
		if c != nil {
			s.meters = append(s.meters, c)
		}
	}
}

// ConsumedCapacity is the sum of what the calls of derived tables consumed, in
// capacity units of the table and its indexes. A call that fails, and an attempt
// whose answer is lost, consume capacity that DynamoDB does not report and that is
// not counted. The zero value is ready for use. It is safe for concurrent use, and
// must not be copied after first use.
type ConsumedCapacity struct{ meter calls.Meter }

// ReadUnits returns the read capacity units. One is a strongly consistent read of
// up to 4 KB.
func (c *ConsumedCapacity) ReadUnits() float64 {
	reads, _ := c.meter.Units()
	return reads
}

// WriteUnits returns the write capacity units. One is a write of up to 1 KB.
func (c *ConsumedCapacity) WriteUnits() float64 {
	_, writes := c.meter.Units()
	return writes
}
