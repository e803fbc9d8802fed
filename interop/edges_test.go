// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/peer"
)

// An edge is a value at a limit, as DynamoDB JSON: what this side cannot even
// write as JSON, such as a list 33 levels deep, still goes to the peer.
type edge struct {
	name, value string
	refused     bool              // by all
	unlike      map[string]string // peers that take what is refused here, each with the reason
}

func nestedText(levels int, open, end string) string {
	return strings.Repeat(open, levels-1) + `{"S":"x"}` + strings.Repeat(end, levels-1)
}

var edgeCases = []edge{
	// DynamoDB stores no empty set. As structures all three libraries seal and
	// open them: a reader that refuses one cannot open the other library's items.
	{name: "empty string set", value: `{"SS":[]}`},
	{name: "empty number set", value: `{"NS":[]}`},
	{name: "empty binary set", value: `{"BS":[]}`},
	{name: "empty sets inside", value: `{"L":[{"SS":[]},{"M":{"n":{"NS":[]},"b":{"BS":[]}}}]}`},
	{name: "empty list", value: `{"L":[]}`},
	{name: "empty map", value: `{"M":{}}`},
	{name: "empty string", value: `{"S":""}`},
	{name: "empty binary", value: `{"B":""}`},
	{name: "set of the empty string", value: `{"SS":[""]}`},
	{name: "set of the empty binary", value: `{"BS":[""]}`},

	{name: "list of 32 levels", value: nestedText(32, `{"L":[`, `]}`)},
	{name: "list of 33 levels", value: nestedText(33, `{"L":[`, `]}`), refused: true},
	{name: "map of 32 levels", value: nestedText(32, `{"M":{"k":`, `}}`)},
	{name: "map of 33 levels", value: nestedText(33, `{"M":{"k":`, `}}`), refused: true},

	{name: "38 digits", value: `{"N":"` + strings.Repeat("9", 38) + `"}`},
	{name: "38 digits and zeros", value: `{"N":"` + strings.Repeat("9", 38) + `00"}`},
	{name: "39 digits", value: `{"N":"` + strings.Repeat("9", 39) + `"}`, refused: true},
	{name: "greatest number", value: `{"N":"9.9999999999999999999999999999999999999E+125"}`},
	{name: "over the greatest number", value: `{"N":"1E126"}`, refused: true},
	{name: "least number", value: `{"N":"-1E-130"}`},
	{name: "under the least number", value: `{"N":"1E-131"}`, refused: true},
	{name: "no digits", value: `{"N":""}`, refused: true},
	{name: "a space before a number", value: `{"N":" 1"}`, refused: true},
	{name: "hexadecimal", value: `{"N":"0x1"}`, refused: true},
	{name: "infinity", value: `{"N":"Infinity"}`, refused: true},

	{name: "a string twice", value: `{"SS":["a","a"]}`, refused: true},
	{name: "a number twice", value: `{"NS":["1","1.0"]}`, refused: true},
	{name: "bytes twice", value: `{"BS":["AQ==","AQ=="]}`, refused: true},

	{name: "NULL false", value: `{"NULL":false}`},
	{name: "null character", value: `{"S":"a\u0000b"}`},
	{name: "every plane", value: `{"S":"a é 日 \uffe0 \ufffd 😀 \uDBFF\uDFFF"}`},
	{name: "order of UTF-16", value: `{"SS":["\uffe0","😀","z"]}`},

	// The Rust library refuses a member without a name, and so does this side on
	// writing. The Java library writes it, and this side reads it.
	{name: "member without a name", value: `{"M":{"":{"S":"x"}}}`, refused: true,
		unlike: map[string]string{"java": "does not look at the names inside of a map"}},
}

// TestEdges: what one side seals the other opens, and what one refuses the
// other refuses, encrypted and signed.
func TestEdges(t *testing.T) {
	eachPeer(t, edges, func(t *testing.T, c *cloud) {
		for _, e := range edgeCases {
			for _, action := range []envelope.Action{envelope.EncryptAndSign, envelope.SignOnly} {
				t.Run(fmt.Sprintf("%s/%v", e.name, action), func(t *testing.T) {
					config := &itemconfig.Config{Table: "edges", PartitionKey: "pk",
						Keyring:          rawAES("k", make([]byte, 32)),
						AttributeActions: map[string]envelope.Action{"pk": envelope.SignOnly, "v": action}}
					c.meet(t, config, e)
				})
			}
		}
	})
}

// meet brings an edge to both sides.
func (c *cloud) meet(t *testing.T, config *itemconfig.Config, e edge) {
	text := []byte(`{"pk":{"S":"é"},"v":` + e.value + `}`)
	answer, err := c.peer.Do(map[string]any{"op": "encrypt", "config": config, "item": json.RawMessage(text)})
	reason, unlike := e.unlike[c.peer.Name]
	var refusal *peer.Refusal
	switch {
	case err != nil && !errors.As(err, &refusal):
		t.Fatal(err)
	case (err != nil) != (e.refused && !unlike):
		t.Fatalf("%s: %v; it was expected to refuse: %t %s", c.peer.Name, err, e.refused && !unlike, reason)
	}
	if item := parse(t, text); item != nil {
		sealed, err := c.encryptor(t, config).EncryptItem(t.Context(), item)
		if (err != nil) != e.refused {
			t.Fatalf("here: %v; it was expected to be refused: %t", err, e.refused)
		}
		if err == nil {
			c.theyMustOpen(t, config, sealed, item)
		}
		if refusal == nil {
			theirs, err := ddbjson.Unmarshal(answer["item"])
			if err != nil {
				t.Fatal(err)
			}
			c.mustOpen(t, config, theirs, item)
		}
	}
	results.count(c.direction, c.peer.Name)
}

// parse returns nil for what is nested too deeply for DynamoDB JSON; then the
// item is built by hand and refused here.
func parse(t *testing.T, text []byte) envelope.Item {
	t.Helper()
	item, err := ddbjson.Unmarshal(text)
	if err == nil {
		return item
	}
	if !strings.Contains(err.Error(), "Nesting Levels") {
		t.Fatal(err)
	}
	isMap := make([]bool, maxDepth)
	for i := range isMap {
		isMap[i] = strings.Contains(string(text), `{"M"`)
	}
	return envelope.Item{"pk": &types.AttributeValueMemberS{Value: "é"},
		"v": nested(&types.AttributeValueMemberS{Value: "x"}, isMap)}
}

// TestContextEdge: a value in the encryption context has its length in two
// bytes.
func TestContextEdge(t *testing.T) {
	eachPeer(t, edges, func(t *testing.T, c *cloud) {
		for _, length := range []int{60_000, 70_000} {
			config := &itemconfig.Config{Table: "edges", PartitionKey: "pk", Keyring: rawAES("k", make([]byte, 32)),
				AttributeActions: map[string]envelope.Action{"pk": envelope.SignAndIncludeInEncryptionContext,
					"v": envelope.SignAndIncludeInEncryptionContext}}
			c.meet(t, config, edge{value: `{"S":"` + strings.Repeat("x", length) + `"}`, refused: length > 65_535})
		}
	})
}
