// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Decode reads the body of a call into in, a pointer to the request that it
// was made for, and returns AWS's refusal of a body that it cannot read or
// whose members violate a constraint.
type Decode func(c *request.Call, in any) error

// Protocol makes the decoder of a request, a struct type. It panics when the
// type has a member that the protocol cannot carry.
type Protocol interface {
	Decoder(request reflect.Type) Decode
}

// Checker is a request with constraints on its members. The decoder calls
// Check after it has read the body, and answers what is found.
type Checker interface{ Check(c *Checks) }

// Preparer is a request that has more to check than the constraints of its
// members, or to find out, and needs no state for it. Prepare is the last step
// of decoding.
type Preparer interface {
	Prepare(c *request.Call) error
}

// Table is the operations of a service. It does not change after NewTable and
// is safe for use by any number of goroutines.
type Table[S, Out any] struct {
	entries map[string]tableEntry[S, Out]
	absent  map[string]string // see Absent
	refuse  func(operation, what string) error
}

type tableEntry[S, Out any] struct {
	Entry[S, Out]
	operation request.Operation
	decode    Decode
}

// NewTable returns the table of entries, whose requests are decoded under p. A
// table is written in the program, so NewTable panics when an entry has no
// name, kind or Serve, and when two have the same name.
func NewTable[S, Out any](p Protocol, entries ...Entry[S, Out]) *Table[S, Out] {
	t := &Table[S, Out]{entries: map[string]tableEntry[S, Out]{}}
	for _, e := range entries {
		name, kind, in := e.about()
		if _, twice := t.entries[name]; twice || name == "" || kind < Read || kind > WriteItems {
			panic(fmt.Sprintf("wire: operation %q is there already, or has no name or kind", name))
		}
		t.entries[name] = tableEntry[S, Out]{e, kind.operation(), p.Decoder(in)}
	}
	return t
}

// Describe returns what the front door needs to know of an operation; ok is
// false when the table neither has it nor knows that it is absent.
func (t *Table[S, Out]) Describe(name string) (o request.Operation, ok bool) {
	if t.absent[name] != "" {
		return o, true
	}
	e, ok := t.entries[name]
	return e.operation, ok
}

// Names returns the names of the operations in order, without those that are absent.
func (t *Table[S, Out]) Names() []string { return slices.Sorted(maps.Keys(t.entries)) }

// Serve answers a call of an operation that the table has, and refuses one that
// is absent.
func (t *Table[S, Out]) Serve(ctx context.Context, s S, c *request.Call) (out Out, err error) {
	e, ok := t.entries[c.Operation]
	if what := t.absent[c.Operation]; what != "" {
		return out, t.refuse(c.Operation, what)
	}
	if !ok {
		return out, fmt.Errorf("wire: the table has no operation %s", c.Operation)
	}
	return e.answer(ctx, s, c, e.decode)
}

func prepare(c *request.Call, in any) error {
	if p, ok := in.(Preparer); ok {
		return p.Prepare(c)
	}
	return nil
}
