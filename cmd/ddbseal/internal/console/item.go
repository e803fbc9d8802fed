// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/failure"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/display"
)

// itemView is one item as the user sees it.
type itemView struct {
	Ref, Key   string
	Sealed     bool
	Opened     bool
	Problem    *problem // why it did not open
	SameAs     string   // where the page shows the same problem already
	Failure    string   // its kind, such as denied or damaged
	Attributes []attributeView
	message    *envelope.Message
}

// attributeView is one attribute of an item.
type attributeView struct {
	Name, Type string
	Stored     string // as DynamoDB returns it
	Opened     string // as the user's key opens it
	State      string // one of the states
	What       string // what the state means, for the item's page
	Length     int
}

// States of an attribute.
const (
	stateKey        = "key"
	statePlain      = "plaintext"
	stateCiphertext = "ciphertext"
	stateSigned     = "signed"
	stateOpen       = "unsigned"
	stateFormat     = "format"
)

const (
	maxShown  = 400 // characters of a value
	maxFormat = 24  // of header and footer, which the item's page draws
)

// keyText is a key as DynamoDB JSON.
func keyText(key envelope.Item) string {
	text, err := ddbjson.AppendItemSorted(nil, key)
	if err != nil {
		return ""
	}
	return string(text)
}

// shortKey is a key for reading: its values.
func shortKey(t *tableInfo, item envelope.Item) string {
	var parts []string
	for _, name := range t.keyNames() {
		_, text := valueText(item[name])
		parts = append(parts, shown(text))
	}
	return strings.Join(parts, " / ")
}

// valueText gives a value's type and its text; bytes in hexadecimal.
func valueText(v types.AttributeValue) (kind, text string) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return "S", v.Value
	case *types.AttributeValueMemberN:
		return "N", v.Value
	case *types.AttributeValueMemberB:
		return "B", hex.EncodeToString(v.Value)
	case *types.AttributeValueMemberBOOL:
		return "BOOL", fmt.Sprint(v.Value)
	case *types.AttributeValueMemberNULL:
		return "NULL", "null"
	case nil:
		return "", ""
	}
	text2, err := ddbjson.AppendValue(nil, v)
	if err != nil {
		return "?", ""
	}
	text = string(text2) // {"L": […]}
	kind, _, _ = strings.Cut(strings.TrimPrefix(text, `{"`), `"`)
	return kind, text
}

// shown is a value for reading: cut, and with escapes for characters that show
// nothing or turn the direction of the text. Line breaks and tabs stay.
func shown(text string) string { return string(display.JSON([]byte(cut(text)))) }

func cut(text string) string {
	if runes := []rune(text); len(runes) > maxShown {
		return string(runes[:maxShown]) + " …"
	}
	return text
}

// view makes the view of an item that the user read from t, and opens it with
// the user's own right to the key.
func (c *Console) view(ctx context.Context, s *session, t *tableInfo, item envelope.Item) itemView {
	key := t.keyOf(item)
	v := itemView{Ref: s.name(t.Name, key), Key: shortKey(t, item)}
	_, hasHead := item[envelope.HeaderAttribute]
	_, hasFoot := item[envelope.FooterAttribute]
	v.Sealed = hasHead || hasFoot
	var opened envelope.Item
	actions := map[string]envelope.InspectedAttribute{}
	if v.Sealed {
		var err error
		if v.message, err = t.forItems().Inspect(item); err == nil {
			for _, a := range v.message.Attributes {
				actions[a.Name] = a
			}
			opened, err = t.forItems().Open(ctx, s.kms, item, v.message)
		}
		v.Opened, v.Problem = err == nil, c.explain(s, err)
		if err != nil {
			v.Failure = failure.KindOf(err)
			v.Problem.Head = headOf(v.Failure)
		}
	}
	for _, name := range t.ordered(item) {
		kind, text := valueText(item[name])
		a := attributeView{Name: display.Text(name), Type: kind, Stored: shown(text), Length: actions[name].Length,
			State: statePlain}
		if v.Sealed {
			a.State = stateOf(actions[name].Action)
			if name == envelope.HeaderAttribute || name == envelope.FooterAttribute {
				a.State = stateFormat
				a.Stored = fmt.Sprintf("%.*s … %d bytes", maxFormat, text, len(text)/2)
			}
			if value, ok := opened[name]; ok && a.State != stateFormat {
				_, text := valueText(value)
				a.Opened = shown(text)
			}
		}
		if slices.Contains(t.keyNames(), name) {
			a.State = stateKey
		}
		a.What = whatOf(a.State, v.Sealed, actions[name].Action)
		v.Attributes = append(v.Attributes, a)
	}
	return v
}

// whatOf says what an attribute of a state is, for people.
func whatOf(state string, sealed bool, action envelope.Action) string {
	switch {
	case state == stateKey && sealed:
		return "part of the primary key: in the clear, and signed"
	case state == stateKey:
		return "part of the primary key: in the clear"
	case state == statePlain:
		return "plaintext: everyone who may read the table reads it"
	case state == stateCiphertext:
		return "encrypted and signed by the program: DynamoDB and readers without the key have ciphertext"
	case action == envelope.SignAndIncludeInEncryptionContext:
		return "in the clear, signed, and in the encryption context that AWS KMS and the audit see"
	case state == stateSigned:
		return "in the clear, and signed: a change is noticed"
	case state == stateFormat:
		return "of the encryption itself: the wrapped data key, and the signatures"
	case action == envelope.DoNothing:
		return "in the clear, and not signed: a change is not noticed"
	}
	return "the item does not say which of its attributes are not signed"
}

// headOf says what the kind of a failure means for an item.
func headOf(kind string) string {
	switch kind {
	case failure.Denied:
		return "Denied: this user may not use the key. The item may be intact."
	case failure.Damaged:
		return "Damaged: the item does not verify, also for a reader with the key. It was changed, cut, or copied " +
			"from another item or table by someone without the key."
	}
	return ""
}

func stateOf(a envelope.Action) string {
	switch a {
	case envelope.EncryptAndSign:
		return stateCiphertext
	case envelope.SignOnly, envelope.SignAndIncludeInEncryptionContext:
		return stateSigned
	}
	return stateOpen
}

// ordered are the attribute names: keys first, header and footer last.
func (t *tableInfo) ordered(item envelope.Item) []string {
	rank := func(name string) int {
		switch name {
		case t.Partition:
			return 0
		case t.Sort:
			return 1
		case envelope.HeaderAttribute:
			return 3
		case envelope.FooterAttribute:
			return 4
		}
		return 2
	}
	return slices.SortedFunc(maps.Keys(item), func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
}
