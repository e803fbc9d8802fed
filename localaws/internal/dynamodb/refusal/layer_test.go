// SPDX-License-Identifier: Apache-2.0

package refusal

import (
	"errors"
	"testing"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// TestWord: what each layer makes of the same refusals.
func TestWord(t *testing.T) {
	value := &ddbjson.ValidationError{Message: "new", Older: "old"}
	for _, c := range []struct {
		err  error
		want map[string]string // by operation
	}{
		{&BadValue{Err: value}, map[string]string{"PutItem": "1 validation error detected: new", "Query": "new", "Scan": "old"}},
		{&BadValue{Err: value, Placeholder: ":v"},
			map[string]string{"PutItem": "1 validation error detected: new", "Query": "new",
				"Scan": "ExpressionAttributeValues contains invalid value: old for key :v"}},
		{&BadValue{Err: &ddbjson.ValidationError{Message: "both"}}, map[string]string{"Scan": "both", "GetItem": "both"}},
		{&BadValue{Err: &ddbjson.ValidationError{Message: "empty", Untyped: true}}, map[string]string{"PutItem": "empty", "Scan": "empty"}},
		{Validation("text"), map[string]string{"DeleteItem": "1 validation error detected: text", "GetItem": "text", "Scan": "text", "CreateTable": "text"}},
		{NoTable(), map[string]string{"PutItem": "Requested resource not found"}},
	} {
		for operation, want := range c.want {
			var e *request.Error
			if err := LayerOf(operation).Word(c.err); !errors.As(err, &e) || e.Message != want {
				t.Errorf("%s words %v as %v, want %s", operation, c.err, err, want)
			}
		}
	}
	shared := Validation("text")
	_ = Counted.Word(shared)
	if shared.Message != "text" {
		t.Error("the refusal itself was changed")
	}
	other := errors.New("other")
	if err := Counted.Word(other); err != other {
		t.Errorf("another error became %v", err)
	}
}

func TestShortestTable(t *testing.T) {
	for operation, want := range map[string]int{"CreateTable": 3, "DescribeTable": 3, "PutItem": 1, "Scan": 1,
		"Query": 1} {
		if got := LayerOf(operation).ShortestTable(); got != want {
			t.Errorf("%s takes names of %d characters, want %d", operation, got, want)
		}
	}
}
