// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// TestAbsent: an operation that is absent is described, so that a call of it is
// authenticated, and refused with what is missing.
func TestAbsent(t *testing.T) {
	type none struct{}
	served := Op[none, none, string]{Name: "Served", Kind: Read,
		Serve: func(none, context.Context, *request.Call, *none) (string, error) { return "done", nil }}
	table := func(absent map[string]string) *Table[none, string] {
		return NewTable[none, string](&JSON{Empty: true}, served).Absent(NoOperation, absent)
	}
	tt := table(map[string]string{"queues": "CreateQueue DeleteQueue"})
	if _, ok := tt.Describe("DeleteQueue"); !ok {
		t.Error("an absent operation is not described")
	}
	if _, ok := tt.Describe("Other"); ok {
		t.Error("an operation that does not exist is described")
	}
	_, err := tt.Serve(t.Context(), none{}, &request.Call{Operation: "DeleteQueue"})
	var refused *request.Error
	if !errors.As(err, &refused) || refused.Code != "UnsupportedOperationException" ||
		refused.Message != "DeleteQueue is not supported by this server: it does not have queues." {
		t.Error(err)
	}
	if out, err := tt.Serve(t.Context(), none{}, &request.Call{Operation: "Served"}); out != "done" || err != nil {
		t.Error(out, err)
	}
	if c := tt.Coverage(); !slices.Equal(c.Served, []string{"Served"}) || len(c.Refused) != 2 ||
		c.Refused["CreateQueue"] != "queues" {
		t.Errorf("%+v", c)
	}
	for _, absent := range []map[string]string{{"a": "Served"}, {"a": "Twice", "b": "Twice"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v is taken", absent)
				}
			}()
			table(absent)
		}()
	}
}
