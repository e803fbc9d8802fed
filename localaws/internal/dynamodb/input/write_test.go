// SPDX-License-Identifier: Apache-2.0

package input

import (
	"errors"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// TestKeyOfIndexHasItsType: AWS refuses a value of the wrong type for the key of
// an index in other words if an update expression made it, and a key that is too
// long in the same words.
func TestKeyOfIndexHasItsType(t *testing.T) {
	def := &schema.Definition{Key: schema.Key{Partition: schema.Attribute{Name: "pk", Type: "S"}},
		Global: []*schema.Index{{Name: "byG", Key: schema.Key{Partition: schema.Attribute{Name: "g", Type: "S"}}}}}
	text := func(s string) *string { return &s }
	item := func(s string) schema.Item {
		it, err := ddbjson.Unmarshal([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return it
	}
	number := `{"pk": {"S": "a"}, "n": {"N": "1"}}`
	long := `{"pk": {"S": "a"}, "n": {"S": "` + strings.Repeat("x", 2049) + `"}}`
	copied := &WriteItem{Kind: Update, key: item(`{"pk": {"S": "a"}}`)}
	copied.update = text("SET g = n")
	const invalid = "One or more parameter values were invalid: "
	for name, c := range map[string]struct {
		in      *WriteItem
		present string
		message string
	}{
		"put": {&WriteItem{Kind: Put, item: item(`{"pk": {"S": "a"}, "g": {"N": "1"}}`)}, number,
			invalid + "Type mismatch for Index Key g Expected: S Actual: N IndexName: byG"},
		"update": {copied, number,
			"The update expression attempted to update the secondary index key to unsupported type"},
		"long": {copied, long,
			invalid + "Size of hashkey has exceeded the maximum size limit of2048 bytes"},
	} {
		c.in.name = text("one")
		if err := c.in.Prepare(&request.Call{AccountID: "111122223333", Region: "us-east-1"}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		err := c.in.Prepared.Bind(def)
		if err == nil {
			_, _, err = c.in.Prepared.Evaluate(item(c.present))
		}
		var e *request.Error
		if !errors.As(err, &e) || e.Code != "ValidationException" || e.Message != c.message {
			t.Errorf("%s: got %v, want %s", name, err, c.message)
		}
	}
}
