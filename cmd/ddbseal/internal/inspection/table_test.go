// SPDX-License-Identifier: Apache-2.0

package inspection

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
)

// sealed is an item with an attribute of every action, one of whose names has a
// character that turns the direction of text.
func sealed(t *testing.T, actions map[string]envelope.Action, unsigned ...string) envelope.Item {
	t.Helper()
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "clinic", Name: "2026\u202e", Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{LogicalTableName: "t", PartitionKey: "id", Actions: actions,
		AllowedUnsigned: unsigned, Keyring: k})
	if err != nil {
		t.Fatal(err)
	}
	item := envelope.Item{}
	for name := range actions {
		item[name] = &types.AttributeValueMemberS{Value: "plaintext of " + name}
	}
	out, err := e.EncryptItem(t.Context(), item)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTable(t *testing.T) {
	item, err := Of(sealed(t, map[string]envelope.Action{"id": envelope.SignOnly, "name\u202e": envelope.EncryptAndSign,
		"ward": envelope.SignOnly}))
	if err != nil {
		t.Fatal(err)
	}
	const width = 80
	text := strings.Join(item.Table(width, false), "\n")
	for _, want := range []string{`name\u202e  encrypted and signed`, "signed, in the clear", "OPENS WITH", "clinic",
		"STORED CONTEXT", "aws-crypto-public-key", "is verified"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "commitment") || strings.Contains(text, "plaintext of name") {
		t.Errorf("shows bytes or plaintext:\n%s", text)
	}
	long := item.Table(width, true)
	for _, line := range long {
		if utf8.RuneCountInString(line) > width || strings.ContainsRune(line, '\u202e') {
			t.Errorf("%q", line)
		}
	}
	if !strings.Contains(strings.Join(long, "\n"), "commitment") {
		t.Error("the bytes are missing")
	}
	var asJSON struct {
		Attributes []struct{ Name, Action string }
	}
	if text, err := json.Marshal(item); err != nil || json.Unmarshal(text, &asJSON) != nil ||
		len(asJSON.Attributes) != 3 {
		t.Errorf("%s, %v", text, err)
	}
}

// TestUnknownActions: an item with unsigned attributes does not say which they are.
func TestUnknownActions(t *testing.T) {
	item, err := Of(sealed(t, map[string]envelope.Action{"id": envelope.SignOnly, "note": envelope.DoNothing}, "note"))
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(item.Table(120, false), "\n"); strings.Count(text, "the item does not say") != 2 {
		t.Errorf("%s", text)
	}
	if _, err := Of(envelope.Item{"id": &types.AttributeValueMemberS{Value: "1"}}); err == nil {
		t.Error("a plaintext item is inspected")
	}
}
