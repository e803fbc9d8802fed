// SPDX-License-Identifier: Apache-2.0

// Package failure describes items that a command could not read or convert: which
// item, which attribute, of what kind the failure is, and why. It never shows a
// value but the key.
package failure

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// Kinds of failures.
const (
	Denied       = "denied"        // the key is refused; the item may be intact
	Damaged      = "damaged"       // the item does not verify
	NotEncrypted = "not encrypted" // but the configuration wants it to be
	Unsupported  = "unsupported"   // written in a form that this version does not read
	NoKey        = "no key"        // the keyring has no key that opens the item
	NotFound     = "not found"     // there is no such item
	Refused      = "refused"       // the item cannot be written in the new state
	Changing     = "changing"      // other writers were faster each time
	WrongBeacons = "wrong beacons" // searches miss the item
	Other        = "failed"
)

// Item is an item that failed.
type Item struct {
	Table string `json:"table"`
	// Key is the primary key in DynamoDB JSON.
	Key       json.RawMessage `json:"key"`
	Attribute string          `json:"attribute,omitempty"` // the one at fault, if it is one
	Kind      string          `json:"kind"`
	Reason    string          `json:"reason"`

	err error
}

// Names are the names of the key attributes of a table.
type Names struct{ Partition, Sort string }

// Of describes the item that err is about. It returns false if err is not about one
// item.
func Of(err error, names Names) (Item, bool) {
	failed, ok := errors.AsType[*store.ItemError](err)
	if !ok {
		return Item{}, false
	}
	return about(failed, names), true
}

// OfRead describes the item that was read by its key, where err is about it, or
// about the right to read it. It returns false for another error, and for nil.
func OfRead(err error, table string, key store.Key, names Names) (Item, bool) {
	if item, ok := Of(err, names); ok {
		return item, true
	}
	item := about(&store.ItemError{Table: table, Key: key, Err: err}, names)
	return item, item.Kind == NotFound || item.Kind == Denied
}

func about(e *store.ItemError, names Names) Item {
	out := Item{Table: e.Table, Key: keyJSON(e.Key, names), Kind: KindOf(e.Err), err: e}
	reason := e.Err
	if reason == nil {
		return out
	}
	if inner, ok := errors.AsType[*envelope.Error](reason); ok {
		out.Attribute = inner.Attribute
		if error(inner) == reason { // not one whose context would be lost
			reason = inner.Err
		}
	}
	out.Reason = terminal.Plain(reason.Error())
	if out.Kind == Damaged && codeOf(e.Err) == invalidCiphertext {
		out.Reason = "the data key does not fit the item's key and table: the item was changed, or is read under " +
			"another configuration: " + out.Reason
	}
	return out
}

// invalidCiphertext is the code of AWS KMS for a data key that it did not wrap, or
// wrapped with another encryption context.
const invalidCiphertext = "InvalidCiphertextException"

func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// KindOf returns the kind of the error of an item.
func KindOf(err error) string {
	code := codeOf(err)
	switch {
	case errors.Is(err, envelope.ErrKeyDenied), strings.HasPrefix(code, "AccessDenied"):
		return Denied
	case code == invalidCiphertext:
		// AWS KMS checks the encryption context, which has the table and the item's
		// key: an item with another key attribute fails there first.
		return Damaged
	}
	for _, k := range []struct {
		is   error
		kind string
	}{
		{envelope.ErrTampered, Damaged}, {store.ErrNotFound, NotFound},
		{envelope.ErrNotEncrypted, NotEncrypted}, {envelope.ErrUnsupported, Unsupported},
		{store.ErrConflict, Changing}, {migrate.ErrWrongBeacons, WrongBeacons},
		{envelope.ErrMaterials, NoKey}, {store.ErrBeacons, Refused}, {envelope.ErrInvalidItem, Refused},
		{store.ErrItemTooLarge, Refused}, {store.ErrTooWide, Refused},
	} {
		if errors.Is(err, k.is) {
			return k.kind
		}
	}
	return Other
}

// keyJSON is a key in DynamoDB JSON, which DynamoDB has in the clear.
func keyJSON(key store.Key, names Names) json.RawMessage {
	item := envelope.Item{}
	for _, part := range []struct {
		name  string
		value any
	}{{names.Partition, key.Partition}, {names.Sort, key.Sort}} {
		switch v := part.value.(type) {
		case types.AttributeValue:
			item[part.name] = v
		case string:
			item[part.name] = &types.AttributeValueMemberS{Value: v}
		}
	}
	text, err := ddbjson.AppendItemSorted(nil, item)
	if err != nil {
		return json.RawMessage("{}")
	}
	return text
}

// Error is the line for people.
func (i Item) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "item %s of %s: ", i.Key, i.Table)
	if i.Attribute != "" {
		fmt.Fprintf(&b, "attribute %q: ", i.Attribute)
	}
	if !strings.HasPrefix(i.Reason, i.Kind) {
		b.WriteString(i.Kind + ": ")
	}
	b.WriteString(i.Reason)
	return b.String()
}

// Unwrap returns the error that the item failed with.
func (i Item) Unwrap() error { return i.err }
