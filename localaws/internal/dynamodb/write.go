package dynamodb

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// maxItem is the largest item in bytes.
const maxItem = 400 * 1024

type writeKind uint8

const (
	writePut writeKind = iota + 1
	writeUpdate
	writeDelete
	writeCheck
)

// action is the IAM action of a write.
func (k writeKind) action() string {
	switch k {
	case writePut:
		return "PutItem"
	case writeUpdate:
		return "UpdateItem"
	case writeDelete:
		return "DeleteItem"
	}
	return "ConditionCheckItem"
}

// write is one change of one item, whichever operation it came in with. It is
// prepared without the table's lock, evaluated and applied with it.
type write struct {
	kind writeKind
	at   target
	t    *table
	item Item // the whole item of a put
	key  Item // the key of everything else
	*parsed
	returnValues string // "" is NONE
	returnOld    bool   // ReturnValuesOnConditionCheckFailure is ALL_OLD

	primary string
	old     *entry // what was there, or nil
	next    *entry // what is there now, or nil
}

// keyItem is the item or key that names the write's item.
func (w *write) keyItem() Item {
	if w.kind == writePut {
		return w.item
	}
	return w.key
}

// prepare checks the write against the table's schema.
func (w *write) prepare(t *table) error {
	if err := w.checkRequest(t); err != nil {
		return err
	}
	return w.checkSchema(t)
}

// checkRequest refuses values that the request alone shows to be impossible. In
// a transaction it answers the request; what checkSchema refuses is the reason
// of one item.
func (w *write) checkRequest(t *table) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if err := t.def.Key.checkEmpty(w.keyItem()); err != nil {
		return err
	}
	if w.kind == writePut {
		if kind, index, key := t.emptyIndexKey(w.item); kind != "" {
			return errValidationf("One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s", kind, index, key)
		}
		if ddbjson.ItemSize(w.item) > maxItem {
			return errValidation("Item size has exceeded the maximum allowed size")
		}
	}
	if w.update == nil {
		return nil
	}
	for _, action := range w.update.Actions() {
		if len(action.Path) != 1 || action.Value == nil {
			continue
		}
		if kind, _, _ := t.emptyIndexKey(Item{action.Path[0].Name: action.Value}); kind != "" {
			return errEmptyIndexKey(kind)
		}
	}
	return nil
}

// checkSchema compares the write with the table's schema.
func (w *write) checkSchema(t *table) error {
	w.t = t
	t.mu.RLock()
	defer t.mu.RUnlock()
	schema := t.def.Key
	if w.kind == writePut {
		if err := schema.checkItem(w.item); err != nil {
			return err
		}
		if err := t.checkIndexKeys(w.item); err != nil {
			return err
		}
	} else {
		if err := schema.checkKey(w.key); err != nil {
			return err
		}
		if w.update != nil {
			for _, name := range w.update.TargetNames() {
				if schema.has(name) {
					return errParam("Cannot update attribute %s. This attribute is part of the key", name)
				}
			}
		}
	}
	w.primary, _ = schema.primary(w.keyItem())
	if err := w.checkUpdateTypes(t); err != nil {
		return err
	}
	return w.checkPaths(t)
}

// checkIndexKeys checks the attributes that are keys of indexes: when they are
// there, they have the right type and are not too long. The caller holds the
// lock.
func (t *table) checkIndexKeys(it Item) error {
	for _, set := range [][]*index{t.global, t.local} {
		for _, i := range set {
			for n, a := range []keyAttribute{i.def.Key.Partition, i.def.Key.Sort} {
				v, ok := it[a.Name]
				if a.Name == "" || !ok {
					continue
				}
				if got := ddbjson.TypeName(v); got != a.Type {
					return errIndexKeyType(a, got, i)
				}
				if err := checkKeySize(v, n == 0); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// emptyIndexKey finds an index and its key for which an item has an empty value;
// kind is "" without one. The caller holds the lock.
func (t *table) emptyIndexKey(it Item) (kind, indexName, key string) {
	for _, set := range [][]*index{t.global, t.local} {
		for _, i := range set {
			for _, a := range []keyAttribute{i.def.Key.Partition, i.def.Key.Sort} {
				if kind := emptyKey(it[a.Name]); kind != "" {
					return kind, i.def.Name, a.Name
				}
			}
		}
	}
	return "", "", ""
}

func errEmptyIndexKey(kind string) error {
	return errValidationf("One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty %s value.", kind)
}

// errConditionFailed carries the old item when the request asked for it.
func errConditionFailed(old *entry, withOld bool) error {
	e := request.Errorf("ConditionalCheckFailedException", "The conditional request failed")
	if withOld && old != nil {
		e.Members = map[string]json.RawMessage{"Item": appendItem(nil, old.item)}
	}
	return e
}

// evaluate finds out what the write would leave behind, and changes nothing.
// The caller holds the table's lock.
func (w *write) evaluate() error {
	if w.t.deleted {
		return errNoTable()
	}
	w.old, w.next = w.t.get(w.primary), nil
	var present Item
	if w.old != nil {
		present = w.old.item
	}
	if w.condition != nil {
		ok, err := w.condition.Evaluate(present)
		if err != nil {
			return errExpression(err)
		}
		if !ok {
			return errConditionFailed(w.old, w.returnOld)
		}
	}
	switch w.kind {
	case writePut:
		w.next = &entry{key: w.primary, item: w.item, size: ddbjson.ItemSize(w.item)}
	case writeCheck:
		w.next = w.old
	case writeUpdate:
		return w.evaluateUpdate(present)
	}
	return nil
}

func (w *write) evaluateUpdate(present Item) error {
	if w.old == nil {
		if w.update != nil && w.update.RemovesOnly() {
			return nil
		}
		present = w.key
	}
	it := present
	if w.update != nil {
		var err error
		if it, err = w.update.Apply(present); err != nil {
			if w.added != nil && errors.Is(err, ddbexpr.ErrOperandType) {
				return errValidation("Type mismatch for attribute to update")
			}
			return errExpression(err)
		}
		if err := normalizeItem(it); err != nil {
			return invalidValue(err)
		}
		if err := w.t.checkIndexKeys(it); err != nil {
			if e, ok := err.(*request.Error); ok && len(w.added) == 0 && strings.HasPrefix(e.Message, paramPrefix+"Type mismatch") {
				return errValidation("The update expression attempted to update the secondary index key to unsupported type")
			}
			return err
		}
		if kind, _, _ := w.t.emptyIndexKey(it); kind != "" {
			return errEmptyIndexKey(kind)
		}
	}
	size := ddbjson.ItemSize(it)
	if size > maxItem {
		return errValidation("Item size to update has exceeded the maximum allowed size")
	}
	w.next = &entry{key: w.primary, item: it, size: size}
	return nil
}

// apply makes the evaluated write happen, in memory and in tx.
func (w *write) apply(tx *storage.Tx) {
	if w.kind == writeCheck || w.old == nil && w.next == nil {
		return
	}
	w.t.change(tx, w.old, w.next)
}

// returned is what ReturnValues asks for, nil for nothing.
func (w *write) returned() Item {
	var old, next, updated Item
	if w.old != nil {
		old = w.old.item
	}
	if w.next != nil {
		next = w.next.item
	}
	switch w.returnValues {
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

// run evaluates and applies one write on its own.
func (w *write) run() error {
	return w.t.writing(func(tx *storage.Tx) error {
		if err := w.evaluate(); err != nil {
			return err
		}
		w.apply(tx)
		return nil
	})
}

// equalItems compares stored items, which mostly share their values.
func equalItems(a, b Item) bool {
	if len(a) != len(b) {
		return false
	}
	for name, v := range a {
		other, ok := b[name]
		if !ok || v != other && !reflect.DeepEqual(v, other) {
			return false
		}
	}
	return true
}

// collectionSize is the size of all items of a partition over the table and
// its local indexes; the caller holds the lock.
func (t *table) collectionSize(partition types.AttributeValue) int {
	prefix := t.def.Key.partitionPrefix(partition)
	end, size := after(prefix), 0
	t.items.Ascend(prefix, func(key string, e *entry) bool {
		if key >= end {
			return false
		}
		size += e.size
		for _, i := range t.local {
			if _, ok := i.def.Key.indexed(e.item, e.key); ok {
				size += i.size(e)
			}
		}
		return true
	})
	return size
}

// appendCollection writes the ItemCollectionMetrics of one partition.
func (t *table) appendCollection(dst []byte, partition types.AttributeValue) []byte {
	t.mu.RLock()
	defer t.mu.RUnlock()
	gigabytes := t.collectionSize(partition) >> 30
	dst = append(dst, `{"ItemCollectionKey":`...)
	dst = appendItem(dst, Item{t.def.Key.Partition.Name: partition})
	dst = append(dst, `,"SizeEstimateRangeGB":[`...)
	dst = appendFloat(dst, float64(gigabytes))
	dst = appendFloat(append(dst, ','), float64(gigabytes+1))
	return append(dst, `]}`...)
}
