// SPDX-License-Identifier: Apache-2.0

// Package itemform turns the attributes of an item into the rows of a form and
// back, without a call and without losing a byte of what was not edited.
package itemform

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// Row is one attribute in the form.
type Row struct {
	Name, Type, Value string
	Action            string // of an item that the client encrypts: one of the actions
	Key               bool   // of the table: name and type are fixed
	Remove            bool
	Wrong             string // what is wrong with the row
}

// Types of a row: those of DynamoDB, and DynamoDB JSON for sets, maps, lists and
// text that a form would change.
const (
	TypeText    = "S"
	TypeNumber  = "N"
	TypeBool    = "BOOL"
	TypeNull    = "NULL"
	TypeBinary  = "B"
	TypeJSON    = "JSON"
	maxRowName  = 255
	OpenPrefix  = ":" // names of attributes that no signature covers
	maxJSONSize = 256 << 10
)

// Choice is an option of a select.
type Choice struct{ ID, Name string }

// Types returns the types that a row can have.
func Types() []Choice {
	return []Choice{{TypeText, "text (S)"}, {TypeNumber, "number (N)"}, {TypeBool, "true or false (BOOL)"},
		{TypeNull, "null (NULL)"}, {TypeBinary, "binary as base64 (B)"},
		{TypeJSON, "set, map or list as DynamoDB JSON"}}
}

// Actions of a row.
const (
	ActionEncrypt = "encrypt"
	ActionSign    = "sign"
	ActionContext = "context"
	ActionOpen    = "open"
)

// Actions returns what can happen to an attribute that is not a key.
func Actions() []Choice {
	return []Choice{{ActionEncrypt, "encrypted and signed"}, {ActionSign, "readable, signed"},
		{ActionOpen, "open: readable, not signed"}}
}

// ActionOf returns the action of a row, or zero if the row has none.
func ActionOf(id string) envelope.Action {
	switch id {
	case ActionEncrypt:
		return envelope.EncryptAndSign
	case ActionSign:
		return envelope.SignOnly
	case ActionContext:
		return envelope.SignAndIncludeInEncryptionContext
	case ActionOpen:
		return envelope.DoNothing
	}
	return 0
}

// ActionID is the inverse of ActionOf.
func ActionID(a envelope.Action) string {
	for _, id := range []string{ActionEncrypt, ActionSign, ActionContext, ActionOpen} {
		if ActionOf(id) == a {
			return id
		}
	}
	return ""
}

// Of returns the row of an attribute. Text with characters that a form does not
// keep is a row of DynamoDB JSON. It fails for a value that DynamoDB JSON cannot
// hold.
func Of(name string, value types.AttributeValue) (Row, error) {
	r := Row{Name: name}
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		if plain(v.Value) {
			r.Type, r.Value = TypeText, v.Value
			return r, nil
		}
	case *types.AttributeValueMemberN:
		r.Type, r.Value = TypeNumber, v.Value
		return r, nil
	case *types.AttributeValueMemberBOOL:
		r.Type, r.Value = TypeBool, fmt.Sprint(v.Value)
		return r, nil
	case *types.AttributeValueMemberNULL:
		r.Type = TypeNull
		return r, nil
	case *types.AttributeValueMemberB:
		r.Type, r.Value = TypeBinary, base64.StdEncoding.EncodeToString(v.Value)
		return r, nil
	}
	text, err := ddbjson.AppendValue(nil, value)
	if err != nil {
		return Row{}, fmt.Errorf("attribute %q: %w", name, err)
	}
	r.Type, r.Value = TypeJSON, string(text)
	return r, nil
}

// plain reports whether a browser sends the text back as it is, but for its line
// ends.
func plain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(c rune) bool {
		return c < ' ' && c != '\n' && c != '\t' || c == 0x7f
	})
}

// lines undoes what browsers do to line ends.
func lines(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}

// Read returns the value of the row. The error says what is wrong with it and
// does not repeat the value.
func (r *Row) Read() (types.AttributeValue, error) {
	text := strings.TrimSpace(r.Value)
	var v types.AttributeValue
	switch r.Type {
	case TypeText:
		v = &types.AttributeValueMemberS{Value: lines(r.Value)}
	case TypeNumber:
		v = &types.AttributeValueMemberN{Value: text}
	case TypeBool:
		switch strings.ToLower(text) {
		case "true", "false":
			return &types.AttributeValueMemberBOOL{Value: strings.EqualFold(text, "true")}, nil
		}
		return nil, wrong("Write true or false.")
	case TypeNull:
		if text != "" && !strings.EqualFold(text, "null") {
			return nil, wrong("A null has no value: leave it empty, or choose another type.")
		}
		return &types.AttributeValueMemberNULL{Value: true}, nil
	case TypeBinary:
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return nil, wrong("This is not base64.")
		}
		v = &types.AttributeValueMemberB{Value: b}
	case TypeJSON:
		if len(text) > maxJSONSize {
			return nil, wrong("The value is too large for this form.")
		}
		var err error
		if v, err = ddbjson.DecodeValue([]byte(text)); err != nil {
			return nil, wrong(`This is not DynamoDB JSON, such as {"SS": ["a", "b"]}, {"L": [{"N": "1"}]} or ` +
				`{"M": {"name": {"S": "text"}}}.`)
		}
	default:
		return nil, wrong("Choose a type.")
	}
	if err := ddbjson.Validate(v); err != nil {
		switch r.Type {
		case TypeNumber:
			return nil, wrong("This is not a number that DynamoDB stores: at most 38 digits.")
		case TypeJSON:
			return nil, wrong("DynamoDB does not store this: a set has at least one element and no element twice, " +
				"and a number at most 38 digits.")
		}
		return nil, wrong("DynamoDB does not store this value.")
	}
	return v, nil
}

// wrong is an error whose text is a sentence for the form.
type wrong string

func (w wrong) Error() string { return string(w) }

// unchanged reports whether the row still says what the old value's row said, so
// that the old value stays, byte for byte.
func (r *Row) unchanged(old types.AttributeValue) bool {
	was, err := Of(r.Name, old)
	return err == nil && was.Type == r.Type && lines(was.Value) == lines(r.Value)
}

// Equal reports whether two items have the same attributes with the same values.
func Equal(a, b envelope.Item) bool {
	x, err1 := ddbjson.AppendItemSorted(nil, a)
	y, err2 := ddbjson.AppendItemSorted(nil, b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}
