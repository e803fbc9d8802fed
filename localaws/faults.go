// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Faults are failures that a Server injects into its answers, so that you can
// test how a program handles them. The zero value has none.
type Faults struct {
	// Rules are tried in order. The latencies of all rules that apply add up.
	// Of the other rules, the first that applies decides.
	Rules []Fault
	// Seed makes the random choices that Fault.Rate asks for repeatable.
	Seed uint64
}

// Fault says which kind of failure to inject into which calls. An empty
// Service, Operation or Table means any. Each call that matches is a chance;
// some kinds have one for each item, see FaultKind.
type Fault struct {
	Kind      FaultKind
	Service   string        // "kms", "dynamodb", "iam", "sts", "cloudtrail"
	Operation string        // "Decrypt"
	Table     string        // DynamoDB table name; not for FaultInternal, FaultUnavailable and FaultLatency
	Rate      float64       // probability that a chance becomes a failure, up to 1; zero means 1
	Skip      int           // number of chances that pass first
	Count     int           // maximum number of failures; zero means no limit
	Latency   time.Duration // how long FaultLatency waits; zero for other kinds
}

// FaultKind says what goes wrong. The zero FaultKind is invalid.
type FaultKind int

const (
	// FaultThrottle returns the service's throttling error. For a DynamoDB call
	// on items it is the error of the table's billing mode, and a batch gets
	// one of its requests back unprocessed.
	FaultThrottle FaultKind = iota + 1
	// FaultInternal returns a transient HTTP 500 error and does nothing else.
	FaultInternal
	// FaultUnavailable returns an HTTP 503 error and does nothing else.
	FaultUnavailable
	// FaultLatency waits before the request is served. The wait ends early if
	// the request's context ends.
	FaultLatency
	// FaultUnprocessed returns a request of BatchWriteItem or a key of
	// BatchGetItem as unprocessed. Each request or key is a chance.
	FaultUnprocessed
	// FaultTransactionConflict cancels a transaction with TransactionConflict.
	// Each item of a transaction is a chance.
	FaultTransactionConflict
	// FaultShardSplit closes the shard of a DynamoDB stream that a record would go
	// to, and opens two in its place, before the record is written. Each record is a
	// chance. Such a Fault can have a Table but no Operation.
	FaultShardSplit
)

// String returns a short name of the kind, such as "throttle".
func (k FaultKind) String() string {
	switch k {
	case FaultThrottle:
		return "throttle"
	case FaultInternal:
		return "internal"
	case FaultUnavailable:
		return "unavailable"
	case FaultLatency:
		return "latency"
	case FaultUnprocessed:
		return "unprocessed"
	case FaultTransactionConflict:
		return "transaction conflict"
	case FaultShardSplit:
		return "shard split"
	}
	return "invalid fault"
}

// insideDynamoDB reports kinds that the engine applies item by item.
func (k FaultKind) insideDynamoDB() bool {
	return k == FaultUnprocessed || k == FaultTransactionConflict || k == FaultShardSplit
}

func (f Faults) validate() error {
	for i, r := range f.Rules {
		switch {
		case r.Kind < FaultThrottle || r.Kind > FaultShardSplit:
			return fmt.Errorf("fault %d: kind is not set", i)
		case !(r.Rate >= 0 && r.Rate <= 1):
			return fmt.Errorf("fault %d: rate %v is not between 0 and 1", i, r.Rate)
		case r.Skip < 0 || r.Count < 0 || r.Latency < 0:
			return fmt.Errorf("fault %d: skip, count and latency must not be negative", i)
		case (r.Kind == FaultLatency) != (r.Latency > 0):
			return fmt.Errorf("fault %d: a latency belongs to kind latency, and to no other", i)
		case r.Table != "" && r.Kind != FaultThrottle && !r.Kind.insideDynamoDB():
			return fmt.Errorf("fault %d: a table belongs to throttling, unprocessed items, transaction conflicts and "+
				"shard splits", i)
		case r.Operation != "" && r.Kind == FaultShardSplit:
			return fmt.Errorf("fault %d: a shard splits whatever operation writes to it", i)
		case r.Service != "" && r.Service != "dynamodb" && (r.Table != "" || r.Kind.insideDynamoDB()):
			return fmt.Errorf("fault %d: only dynamodb has tables and %s faults", i, r.Kind)
		}
	}
	return nil
}

// faultState is Faults at work.
type faultState struct {
	mu     sync.Mutex
	rules  []Fault
	seen   []int
	taken  []int
	random *rand.Rand
}

func newFaultState(f Faults) *faultState {
	return &faultState{rules: slices.Clone(f.Rules), seen: make([]int, len(f.Rules)), taken: make([]int, len(f.Rules)),
		random: rand.New(rand.NewPCG(f.Seed, 1))}
}

// take decides about one chance of rule i; the caller holds the lock.
func (s *faultState) take(i int) bool {
	r := &s.rules[i]
	s.seen[i]++
	if s.seen[i] <= r.Skip || r.Count > 0 && s.taken[i] >= r.Count || r.Rate > 0 && s.random.Float64() >= r.Rate {
		return false
	}
	s.taken[i]++
	return true
}

// before returns how long to wait before c and what to answer instead of
// serving it, zero for nothing.
func (s *faultState) before(c *request.Call, o request.Operation) (wait time.Duration, kind FaultKind) {
	if len(s.rules) == 0 {
		return 0, 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.rules {
		switch {
		case kind != 0 && r.Kind != FaultLatency, r.Kind.insideDynamoDB():
		case r.Service != "" && r.Service != c.Service, r.Operation != "" && r.Operation != c.Operation:
		case r.Kind == FaultThrottle && (r.Table != "" || o.Data): // the engine's turn
		case !s.take(i):
		case r.Kind == FaultLatency:
			wait += r.Latency
		default:
			kind = r.Kind
		}
	}
	return wait, kind
}

// interrupt waits as long as the faults of c say and returns what they answer
// in place of the service, nil for nothing.
func (s *Server) interrupt(ctx context.Context, c *request.Call, o request.Operation) error {
	wait, kind := s.faults.Load().before(c, o)
	if err := sleep(ctx, wait); err != nil {
		return err
	}
	if kind != 0 {
		return faultError(kind, c)
	}
	return nil
}

// inside decides about one chance in the DynamoDB engine.
func (s *faultState) inside(kind FaultKind, table, operation string) bool {
	if len(s.rules) == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.rules {
		if r.Kind == kind && (r.Service == "" || r.Service == "dynamodb") && (r.Table == "" || r.Table == table) &&
			(r.Operation == "" || r.Operation == operation) && s.take(i) {
			return true
		}
	}
	return false
}

// SetFaults replaces the faults. The counts for Fault.Skip and Fault.Count
// start from zero. It returns an error, and changes nothing, if a rule is
// invalid.
func (s *Server) SetFaults(f Faults) error {
	if err := f.validate(); err != nil {
		return err
	}
	s.faults.Store(newFaultState(f))
	return nil
}

// engineFaults are the hooks through which the DynamoDB engine asks.
func (s *Server) engineFaults() dynamodb.Faults {
	return dynamodb.Faults{
		Activation: s.options.TableActivation,
		Throttle: func(table, operation string) bool {
			return s.faults.Load().inside(FaultThrottle, table, operation)
		},
		Split: func(table string) bool { return s.faults.Load().inside(FaultShardSplit, table, "") },
		Unprocessed: func(table, operation string, _ int) bool {
			return s.faults.Load().inside(FaultUnprocessed, table, operation)
		},
		Conflict: func(table, operation string, _ schema.Item) bool {
			return s.faults.Load().inside(FaultTransactionConflict, table, operation)
		},
	}
}

// errFault marks the errors that were asked for.
var errFault = errors.New("injected fault")

// injected is the error of a fault: a *request.Error that is errFault too.
type injected struct{ err *request.Error }

func (e injected) Error() string   { return e.err.Error() }
func (e injected) Unwrap() []error { return []error{e.err, errFault} }

// faultError is what kind answers to c.
func faultError(kind FaultKind, c *request.Call) error {
	e := &request.Error{}
	switch kind {
	case FaultThrottle:
		e.Code, e.Message = "ThrottlingException", "Rate exceeded"
		switch c.Service {
		case "iam", "sts":
			e.Code = "Throttling"
		case "kms":
			e.Message = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
		}
	case FaultInternal:
		e.Code, e.Status = "InternalFailure", http.StatusInternalServerError
		e.Message = "The request processing has failed because of an unknown error, exception or failure."
		switch c.Service {
		case "dynamodb":
			e.Code = "InternalServerError"
		case "kms":
			e.Code = "KMSInternalException"
		}
	default:
		e.Code, e.Status, e.Message = "ServiceUnavailable", http.StatusServiceUnavailable,
			"The service is temporarily unavailable."
	}
	return injected{e}
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
