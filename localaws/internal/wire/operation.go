// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"fmt"
	"reflect"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Kind says what an operation does to state. The zero Kind is invalid.
type Kind uint8

// The kinds of operations. Operations on items are data events in the audit.
const (
	Read Kind = iota + 1
	Write
	ReadItems
	WriteItems
)

// operation is the kind as the front door sees it.
func (k Kind) operation() request.Operation {
	return request.Operation{ReadOnly: k == Read || k == ReadItems, Data: k == ReadItems || k == WriteItems}
}

// Op is one operation of a service. S is what serves it, In its request and
// Out what it answers.
type Op[S, In, Out any] struct {
	Name string
	Kind Kind
	// Init sets members of a new In that the body does not say, before the
	// body is decoded. It may be nil.
	Init func(in *In)
	// Authorize asks whether the caller may do this. Nil means that Serve asks
	// itself: what to ask about is only found while serving, or there is more
	// than one thing to ask about.
	Authorize func(s S, ctx context.Context, c *request.Call, in *In) error
	// Serve does it. It must be set.
	Serve func(s S, ctx context.Context, c *request.Call, in *In) (Out, error)
}

// Run authorizes and serves a decoded request.
func (o Op[S, In, Out]) Run(ctx context.Context, s S, c *request.Call, in *In) (out Out, err error) {
	if o.Authorize != nil {
		if err := o.Authorize(s, ctx, c, in); err != nil {
			return out, err
		}
	}
	return o.Serve(s, ctx, c, in)
}

func (o Op[S, In, Out]) about() (string, Kind, reflect.Type) {
	if o.Serve == nil {
		panic(fmt.Sprintf("wire: operation %q has no Serve", o.Name))
	}
	return o.Name, o.Kind, reflect.TypeFor[In]()
}

func (o Op[S, In, Out]) answer(ctx context.Context, s S, c *request.Call, decode Decode) (out Out, err error) {
	in := new(In)
	if o.Init != nil {
		o.Init(in)
	}
	if err := decode(c, in); err != nil {
		return out, err
	}
	return o.Run(ctx, s, c, in)
}

// Entry is one entry of a table: an [Op], or what [Within] makes of one.
type Entry[S, Out any] interface {
	about() (name string, kind Kind, in reflect.Type)
	answer(ctx context.Context, s S, c *request.Call, decode Decode) (Out, error)
}

// within is an Op that is served by a T, which do provides.
type within[S, T, In, Out any] struct {
	Op[T, In, Out]
	do func(s S, run func(T) error) error
}

// Within returns op as an entry of a table whose operations are served by an
// S. do calls run with what op is served by, a change of state for instance,
// and completes it if run succeeds. The request is decoded before.
func Within[S, T, In, Out any](do func(s S, run func(T) error) error, op Op[T, In, Out]) Entry[S, Out] {
	return within[S, T, In, Out]{op, do}
}

func (w within[S, T, In, Out]) answer(ctx context.Context, s S, c *request.Call, decode Decode) (out Out, err error) {
	in := new(In)
	if w.Init != nil {
		w.Init(in)
	}
	if err := decode(c, in); err != nil {
		return out, err
	}
	err = w.do(s, func(t T) (err error) {
		out, err = w.Run(ctx, t, c, in)
		return err
	})
	if err != nil {
		var none Out
		return none, err
	}
	return out, nil
}
