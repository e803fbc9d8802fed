// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// shop is a service with a state that changes within a bracket only.
type shop struct {
	steps []string
}

func (s *shop) change(run func(*till) error) error {
	s.steps = append(s.steps, "begin")
	if err := run(&till{s}); err != nil {
		s.steps = append(s.steps, "undo")
		return err
	}
	s.steps = append(s.steps, "end")
	return nil
}

type till struct{ shop *shop }

type buying struct {
	Name   *string
	Amount *int64

	text string
}

func (in *buying) Check(c *Checks) {
	c.Required(in.Name == nil, "name")
	c.Between(in.Amount, "amount", 1, 9)
}

func (in *buying) Prepare(c *request.Call) error {
	if *in.Name == "forbidden word" {
		return request.Errorf("Prepared", "%s", c.Operation)
	}
	in.text = "prepared " + *in.Name
	return nil
}

func (s *shop) look(_ context.Context, _ *request.Call, in *buying) (string, error) {
	s.steps = append(s.steps, "look")
	return in.text, nil
}

func (s *shop) may(_ context.Context, _ *request.Call, in *buying) error {
	s.steps = append(s.steps, "may")
	if *in.Name == "secret" {
		return request.Errorf("AccessDenied", "")
	}
	return nil
}

func (t *till) may(ctx context.Context, c *request.Call, in *buying) error {
	return t.shop.may(ctx, c, in)
}

func (t *till) buy(_ context.Context, _ *request.Call, in *buying) (string, error) {
	t.shop.steps = append(t.shop.steps, "buy")
	if in.Amount == nil {
		return "half", errors.New("no amount")
	}
	return "bought", nil
}

func shopTable() *Table[*shop, string] {
	return NewTable(&JSON{},
		Op[*shop, buying, string]{Name: "Look", Kind: Read, Authorize: (*shop).may, Serve: (*shop).look},
		Op[*shop, buying, string]{Name: "LookByDefault", Kind: ReadItems, Serve: (*shop).look,
			Init: func(in *buying) { in.Name = new(string); *in.Name = "default" }},
		Within((*shop).change, Op[*till, buying, string]{Name: "Buy", Kind: Write,
			Authorize: (*till).may, Serve: (*till).buy}),
	)
}

// A call goes through decoding, constraints, preparation, authorization and
// serving in this order, and stops at the first refusal.
func TestTable(t *testing.T) {
	for _, c := range []struct {
		operation, body, out, code string
		steps                      []string
	}{
		{"Look", `{"Name":"x"}`, "prepared x", "", []string{"may", "look"}},
		{"Look", `{`, "", "SerializationException", nil},
		{"Look", `{"Amount":10}`, "", "ValidationException", nil},
		{"Look", `{"Name":"forbidden word"}`, "", "Prepared", nil},
		{"Look", `{"Name":"secret"}`, "", "AccessDenied", []string{"may"}},
		{"LookByDefault", `{}`, "prepared default", "", []string{"look"}},
		{"Buy", `{"Name":"x","Amount":1}`, "bought", "", []string{"begin", "may", "buy", "end"}},
		{"Buy", `{"Name":"secret"}`, "", "AccessDenied", []string{"begin", "may", "undo"}},
		{"Buy", `{"Name":"x"}`, "", "no amount", []string{"begin", "may", "buy", "undo"}},
		{"Buy", `{}`, "", "ValidationException", nil},
	} {
		s := new(shop)
		out, err := shopTable().Serve(t.Context(), s, &request.Call{Operation: c.operation, Body: []byte(c.body)})
		code := ""
		var e *request.Error
		if errors.As(err, &e) {
			code = e.Code
		} else if err != nil {
			code = err.Error()
		}
		if out != c.out || code != c.code || !slices.Equal(s.steps, c.steps) {
			t.Errorf("%s %s: %q, %v, steps %q", c.operation, c.body, out, err, s.steps)
		}
	}
}

func TestDescribe(t *testing.T) {
	table := shopTable()
	for name, want := range map[string]request.Operation{
		"Look": {ReadOnly: true}, "LookByDefault": {ReadOnly: true, Data: true}, "Buy": {},
	} {
		if got, ok := table.Describe(name); !ok || got != want {
			t.Errorf("%s: %+v %t", name, got, ok)
		}
	}
	if _, ok := table.Describe("Sell"); ok {
		t.Error("Sell is described")
	}
	if _, err := table.Serve(t.Context(), new(shop), &request.Call{Operation: "Sell"}); err == nil {
		t.Error("Sell is served")
	}
	if names := table.Names(); !slices.Equal(names, []string{"Buy", "Look", "LookByDefault"}) {
		t.Errorf("names %q", names)
	}
}

// A table with a mistake does not come to be.
func TestBadTables(t *testing.T) {
	look := Op[*shop, buying, string]{Name: "Look", Kind: Read, Serve: (*shop).look}
	none, unnamed, kindless := look, look, look
	none.Serve, unnamed.Name, kindless.Kind = nil, "", 0
	type channel struct{ C chan int }
	for name, entries := range map[string][]Entry[*shop, string]{
		"twice": {look, look}, "no Serve": {none}, "no name": {unnamed}, "no kind": {kindless},
		"a member that JSON has not": {Op[*shop, channel, string]{Name: "X", Kind: Read,
			Serve: func(*shop, context.Context, *request.Call, *channel) (string, error) { return "", nil }}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			NewTable(&JSON{}, entries...)
		}()
	}
}
