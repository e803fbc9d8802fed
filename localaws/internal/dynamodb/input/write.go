// SPDX-License-Identifier: Apache-2.0

package input

import (
	"encoding/json"
	"errors"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// maxItem is the largest item in bytes.
const maxItem = 400 * 1024

// WriteKind is the kind of a write. The zero WriteKind is invalid.
type WriteKind uint8

// The kinds of writes. A ConditionCheck changes nothing.
const (
	Put WriteKind = iota + 1
	Update
	Delete
	ConditionCheck
)

// Action returns the IAM action of a write.
func (k WriteKind) Action() string {
	switch k {
	case Put:
		return "PutItem"
	case Update:
		return "UpdateItem"
	case Delete:
		return "DeleteItem"
	}
	return "ConditionCheckItem"
}

// Write is one change of one item, whichever operation it came in with.
type Write struct {
	Kind WriteKind
	At   schema.Target // the table
	Item schema.Item   // the whole item of a put
	Key  schema.Item   // the key of everything else
	*Parsed
	ReturnValues string // "" is NONE
	returnOld    bool   // ReturnValuesOnConditionCheckFailure is ALL_OLD

	// CheckRequest and CheckSchema set what they find out.
	Def     *schema.Definition
	Primary string // ordered primary key
	size    int    // of item
}

// KeyItem returns the item or the key, whichever says what is written.
func (w *Write) KeyItem() schema.Item {
	if w.Kind == Put {
		return w.Item
	}
	return w.Key
}

// Bind checks the write against the definition of its table.
func (w *Write) Bind(d *schema.Definition) error {
	if err := w.CheckRequest(d); err != nil {
		return err
	}
	return w.CheckSchema(d)
}

// CheckRequest refuses values that the request alone shows to be impossible. In
// a transaction the refusal answers the request, and a refusal of
// [Write.CheckSchema] is the reason of one item.
func (w *Write) CheckRequest(d *schema.Definition) error {
	if err := d.Key.CheckEmpty(w.KeyItem()); err != nil {
		return err
	}
	if w.Kind == Put {
		if kind, index, key := d.EmptyIndexKey(w.Item); kind != "" {
			return refusal.Validationf("One or more parameter values are not valid. A value specified for a "+
				"secondary index key is not supported. The AttributeValue for a key attribute cannot contain an "+
				"empty %s value. IndexName: %s, IndexKey: %s", kind, index, key)
		}
		if w.size = ddbjson.ItemSize(w.Item); w.size > maxItem {
			return refusal.Validation("Item size has exceeded the maximum allowed size")
		}
	}
	if w.update == nil {
		return nil
	}
	for _, action := range w.update.Actions() {
		if len(action.Path) != 1 || action.Value == nil {
			continue
		}
		if kind, _, _ := d.EmptyIndexKey(schema.Item{action.Path[0].Name: action.Value}); kind != "" {
			return errEmptyIndexKey(kind)
		}
	}
	return nil
}

// CheckSchema compares the write with the keys of the table and its indexes.
func (w *Write) CheckSchema(d *schema.Definition) error {
	w.Def = d
	table := d.Key
	if w.Kind == Put {
		if err := table.CheckItem(w.Item); err != nil {
			return err
		}
		if err := d.CheckIndexKeys(w.Item, schema.IndexKeyMismatch); err != nil {
			return err
		}
	} else {
		if err := table.CheckKey(w.Key); err != nil {
			return err
		}
		if w.update != nil {
			for _, name := range w.update.TargetNames() {
				if table.Has(name) {
					return refusal.Parameter("Cannot update attribute %s. This attribute is part of the key", name)
				}
			}
		}
	}
	w.Primary, _ = table.Primary(w.KeyItem())
	if err := w.checkUpdateTypes(d); err != nil {
		return err
	}
	return w.checkPaths(d)
}

func errEmptyIndexKey(kind string) error {
	return refusal.Validationf("One or more parameter values are not valid. The update expression attempted to "+
		"update a secondary index key to a value that is not supported. The AttributeValue for a key attribute "+
		"cannot contain an empty %s value.", kind)
}

// errUpdatedKeyType is errIndexKeyType for the result of an update expression.
func errUpdatedKeyType(schema.Attribute, string, string) error {
	return refusal.Validation("The update expression attempted to update the secondary index key to unsupported type")
}

// errConditionFailed carries the old item when the request asked for it.
func errConditionFailed(old schema.Item, withOld bool) error {
	e := request.Errorf("ConditionalCheckFailedException", "The conditional request failed")
	if withOld && old != nil {
		e.Members = map[string]json.RawMessage{"Item": schema.AppendItem(nil, old)}
	}
	return e
}

// Evaluate returns the item that the bound write leaves in the place of
// present, and its size in bytes. Either item is nil if there is none. Evaluate
// changes nothing. A condition that does not hold is a
// ConditionalCheckFailedException.
func (w *Write) Evaluate(present schema.Item) (next schema.Item, size int, err error) {
	if w.condition != nil {
		ok, err := w.condition.Evaluate(present)
		if err != nil {
			return nil, 0, errExpression(err)
		}
		if !ok {
			return nil, 0, errConditionFailed(present, w.returnOld)
		}
	}
	switch w.Kind {
	case Put:
		return w.Item, w.size, nil
	case Update:
		return w.evaluateUpdate(present)
	}
	return nil, 0, nil
}

func (w *Write) evaluateUpdate(present schema.Item) (next schema.Item, size int, err error) {
	if present == nil {
		if w.update != nil && w.update.RemovesOnly() {
			return nil, 0, nil
		}
		present = w.Key
	}
	it := present
	if w.update != nil {
		if it, err = w.update.Apply(present); err != nil {
			if w.added != nil && errors.Is(err, ddbexpr.ErrOperandType) {
				return nil, 0, refusal.Validation("Type mismatch for attribute to update")
			}
			return nil, 0, errExpression(err)
		}
		if err := schema.NormalizeItem(it); err != nil {
			return nil, 0, invalidValue(err)
		}
		mismatch := schema.IndexKeyMismatch
		if len(w.added) == 0 {
			mismatch = errUpdatedKeyType
		}
		if err := w.Def.CheckIndexKeys(it, mismatch); err != nil {
			return nil, 0, err
		}
		if kind, _, _ := w.Def.EmptyIndexKey(it); kind != "" {
			return nil, 0, errEmptyIndexKey(kind)
		}
	}
	if size = ddbjson.ItemSize(it); size > maxItem {
		return nil, 0, refusal.Validation("Item size to update has exceeded the maximum allowed size")
	}
	return it, size, nil
}

// Returned returns what ReturnValues asks for of the item before and after the
// write, and nil if that is nothing.
func (w *Write) Returned(old, next schema.Item) schema.Item {
	var updated schema.Item
	switch w.ReturnValues {
	case "ALL_OLD":
		return old
	case "ALL_NEW":
		return next
	case "UPDATED_OLD":
		if old != nil && w.update != nil {
			updated = w.update.ProjectTargets(old)
		}
	case "UPDATED_NEW":
		if next != nil && w.update != nil {
			updated = w.update.ProjectTargets(next)
		}
	}
	if len(updated) == 0 { // Attributes is left out then
		return nil
	}
	return updated
}
