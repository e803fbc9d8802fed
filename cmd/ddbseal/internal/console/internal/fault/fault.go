// SPDX-License-Identifier: Apache-2.0

// Package fault names the fields of a form that were filled in wrongly.
package fault

import "strings"

// Fault is what is wrong with one field.
type Fault struct {
	Field string // its name in the form, and the id of its control
	Text  string // a sentence without its end: what is wrong, and what to write instead
}

// List is what is wrong with a form, in the order of its fields. The empty list
// means that nothing is.
type List []Fault

// Add appends the fault of a field. An empty text adds nothing.
func (l *List) Add(field, text string) {
	if text != "" {
		*l = append(*l, Fault{field, text})
	}
}

// Of returns the texts of a field's faults in one, or an empty string.
func (l List) Of(field string) string {
	var texts []string
	for _, f := range l {
		if f.Field == field {
			texts = append(texts, f.Text)
		}
	}
	return strings.Join(texts, "; ")
}
