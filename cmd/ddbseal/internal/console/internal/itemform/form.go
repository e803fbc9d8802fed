// SPDX-License-Identifier: Apache-2.0

package itemform

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
)

// Form is the form of an item as it came from the browser.
type Form struct {
	Rows []Row
	// Client says that this console encrypts the item before it sends it.
	Client bool
	// Key is the ARN of the KMS key that encrypts it.
	Key   string
	Wrong string // what is wrong with the form as a whole
}

// MaxRows bounds the attributes of a form.
const MaxRows = 100

// Blank is how many empty rows a form ends with.
const Blank = 3

// Parse reads a form. keys are the names of the table's key attributes, whose
// rows cannot be renamed or removed.
func Parse(form url.Values, keys []string) *Form {
	f := &Form{Client: form.Get("mode") == "client", Key: strings.TrimSpace(form.Get("key"))}
	if other := strings.TrimSpace(form.Get("other-key")); other != "" {
		f.Key = other
	}
	n, err := strconv.Atoi(form.Get("rows"))
	if err != nil || n < 0 || n > MaxRows {
		f.Wrong = "The form has more than 100 attributes."
		return f
	}
	for i := range n {
		field := func(name string) string { return form.Get(name + "-" + strconv.Itoa(i)) }
		r := Row{Name: field("name"), Type: field("type"), Value: field("value"), Action: field("action"),
			Remove: field("remove") == "yes"}
		if i < len(keys) {
			r.Name, r.Key, r.Remove = keys[i], true, false
		}
		if !r.Key && r.Name == "" && strings.TrimSpace(r.Value) == "" {
			continue // a row that was left empty
		}
		f.Rows = append(f.Rows, r)
	}
	return f
}

// Item returns the item of the form. Values that were not edited are those of
// old, which is nil for a new item. It returns false after it has noted in the
// rows what is wrong.
func (f *Form) Item(old envelope.Item) (envelope.Item, bool) {
	item, ok := envelope.Item{}, f.Wrong == ""
	for i := range f.Rows {
		r := &f.Rows[i]
		r.Wrong = ""
		if r.Remove {
			continue
		}
		if r.Wrong = r.checkName(); r.Wrong == "" {
			if _, double := item[r.Name]; double {
				r.Wrong = "Another row has this name: an item has each attribute once."
			}
		}
		if was, exists := old[r.Name]; exists && r.Wrong == "" && r.unchanged(was) {
			item[r.Name] = was
			continue
		}
		v, err := r.Read()
		switch {
		case r.Wrong != "":
		case err != nil:
			r.Wrong = err.Error()
		case r.Key && strings.TrimSpace(r.Value) == "":
			r.Wrong = "A key attribute is not empty."
		default:
			item[r.Name] = v
		}
	}
	for i := range f.Rows {
		ok = ok && f.Rows[i].Wrong == ""
	}
	return item, ok
}

func (r *Row) checkName() string {
	switch {
	case r.Name == "":
		return "This value has no name: give it one, or empty the row."
	case len(r.Name) > maxRowName:
		return "A name has at most 255 bytes."
	case strings.HasPrefix(r.Name, envelope.ReservedPrefix):
		return "Names that begin with " + envelope.ReservedPrefix + " are for what the encryption adds to an item."
	}
	return ""
}

// Actions returns what to do with each attribute of an item that the client
// encrypts. known are the actions of the table's other items, by name: one
// attribute has one action in a table. It returns false after it has noted in the
// rows what is wrong, with the right action.
func (f *Form) Actions(known map[string]envelope.Action) (actions map[string]envelope.Action, ok bool) {
	actions, ok = map[string]envelope.Action{}, true
	for i := range f.Rows {
		r := &f.Rows[i]
		if r.Remove {
			continue
		}
		action := ActionOf(r.Action)
		if r.Key && action == 0 {
			action = envelope.SignOnly
		}
		open := strings.HasPrefix(r.Name, OpenPrefix)
		switch other := known[r.Name]; {
		case action == 0 || r.Key && !action.Signed():
			r.Wrong = "Choose what happens to the attribute."
		case other != 0 && other != action && !r.Key:
			r.Action = ActionID(other)
			r.Wrong = "The other items of this table have this attribute " + Words(other) +
				", and one attribute is treated alike in the whole table. It is set so now: send the form again."
		case action == envelope.DoNothing && !open:
			r.Wrong = `An item does not say which of its attributes no signature covers. Readers know them by ` +
				`their names: begin this one with "` + OpenPrefix + `".`
		case action != envelope.DoNothing && open:
			r.Wrong = `A name that begins with "` + OpenPrefix + `" says that the attribute is open: choose that, or ` +
				`another name.`
		default:
			actions[r.Name] = action
		}
		ok = ok && r.Wrong == ""
	}
	return actions, ok
}

// Words says what an action does to an attribute.
func Words(a envelope.Action) string {
	for _, c := range Actions() {
		if ActionOf(c.ID) == a {
			return c.Name
		}
	}
	return "readable, signed, and shown to the key service"
}

// Pad adds empty rows to fill in, up to MaxRows.
func (f *Form) Pad() {
	for range Blank {
		if len(f.Rows) < MaxRows {
			f.Rows = append(f.Rows, Row{Type: TypeText, Action: ActionEncrypt})
		}
	}
}
