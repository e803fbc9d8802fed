// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// maxBareName is the longest name that a [Writer] writes without a placeholder.
const maxBareName = 16

// Writer prints parse trees and collects the placeholders that the text needs.
// The text has as few bytes as possible, and parentheses only where the tree
// needs them, since DynamoDB refuses redundant ones. It serves one goroutine.
//
// A name is written by the placeholder that the request has for it, bare if that
// is allowed, or by a new placeholder. A value keeps its placeholder; a new one
// is given to a [Literal]. Names and values that the text does not use are not
// in the result.
type Writer struct {
	given  map[string]string // by placeholder
	values map[string]types.AttributeValue

	placeholders map[string]string // by name
	strings      map[string]string // placeholders of new strings, by content
	usedNames    map[string]string
	usedValues   map[string]types.AttributeValue
	nextName     int
	nextValue    int
}

// NewWriter returns a Writer for a request with these placeholders, which it
// does not change.
func NewWriter(names map[string]string, values map[string]types.AttributeValue) *Writer {
	w := &Writer{given: names, values: values, placeholders: map[string]string{}, strings: map[string]string{},
		usedNames: map[string]string{}, usedValues: map[string]types.AttributeValue{}}
	for _, placeholder := range slices.Sorted(maps.Keys(names)) {
		if _, has := w.placeholders[names[placeholder]]; !has {
			w.placeholders[names[placeholder]] = placeholder
		}
	}
	return w
}

// Names returns the names of everything that was written, by placeholder; nil
// if there are none.
func (w *Writer) Names() map[string]string {
	if len(w.usedNames) == 0 {
		return nil
	}
	return maps.Clone(w.usedNames)
}

// Values returns the values of everything that was written, by placeholder; nil
// if there are none.
func (w *Writer) Values() map[string]types.AttributeValue {
	if len(w.usedValues) == 0 {
		return nil
	}
	return maps.Clone(w.usedValues)
}

// Clone returns a Writer that goes on from here on its own.
func (w *Writer) Clone() *Writer {
	c := *w
	c.placeholders, c.strings = maps.Clone(w.placeholders), maps.Clone(w.strings)
	c.usedNames, c.usedValues = maps.Clone(w.usedNames), maps.Clone(w.usedValues)
	return &c
}

// Condition returns the text of a tree. Parsing it with the placeholders gives
// an equal tree.
func (w *Writer) Condition(n Node) string {
	var b strings.Builder
	w.node(&b, n.n)
	return b.String()
}

// Projection returns the text of a projection on whole attributes.
func (w *Writer) Projection(names []string) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(w.name(name))
	}
	return b.String()
}

func (w *Writer) node(b *strings.Builder, n *node) {
	switch n.op {
	case OpOr, OpAnd:
		w.side(b, n.left, n.op, false)
		b.WriteString(" " + n.op.String() + " ")
		w.side(b, n.right, n.op, true)
	case OpNot:
		b.WriteString("NOT ")
		w.side(b, n.left, OpNot, false)
	case OpBetween:
		w.operand(b, &n.args[0])
		b.WriteString(" BETWEEN ")
		w.operand(b, &n.args[1])
		b.WriteString(" AND ")
		w.operand(b, &n.args[2])
	case OpIn:
		w.operand(b, &n.args[0])
		b.WriteString(" IN ")
		w.list(b, n.args[1:])
	case OpExists, OpNotExists, OpType, OpBeginsWith, OpContains:
		b.WriteString(n.op.String())
		w.list(b, n.args)
	default:
		w.operand(b, &n.args[0])
		b.WriteString(n.op.String())
		w.operand(b, &n.args[1])
	}
}

// side writes a condition below op, in parentheses if it binds less than op or,
// on the right, as much: AND and OR join from the left.
func (w *Writer) side(b *strings.Builder, n *node, op Operator, right bool) {
	parens := false
	switch n.op {
	case OpOr:
		parens = op != OpOr || right
	case OpAnd:
		parens = op == OpNot || op == OpAnd && right
	}
	if !parens {
		w.node(b, n)
		return
	}
	b.WriteByte('(')
	w.node(b, n)
	b.WriteByte(')')
}

func (w *Writer) list(b *strings.Builder, args []operand) {
	b.WriteByte('(')
	for i := range args {
		if i > 0 {
			b.WriteByte(',')
		}
		w.operand(b, &args[i])
	}
	b.WriteByte(')')
}

func (w *Writer) operand(b *strings.Builder, o *operand) {
	switch o.kind {
	case operandPath:
		w.path(b, o.path)
	case operandValue:
		b.WriteString(w.value(o))
	case operandFunction:
		b.WriteString(o.text)
		w.list(b, o.args)
	}
}

func (w *Writer) path(b *strings.Builder, path Path) {
	for i, e := range path {
		if e.IsIndex() {
			b.WriteString("[" + strconv.Itoa(e.Index) + "]")
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(w.name(e.Name))
	}
}

func (w *Writer) name(name string) string {
	placeholder, has := w.placeholders[name]
	if !has {
		if len(name) <= maxBareName && isLetter(name[0]) && wordEnd(name, 0) == len(name) && !isReserved(name) {
			return name
		}
		for placeholder == "" || w.given[placeholder] != "" {
			placeholder = "#b" + strconv.FormatInt(int64(w.nextName), 36)
			w.nextName++
		}
		w.placeholders[name] = placeholder
	}
	w.usedNames[placeholder] = name
	return placeholder
}

func (w *Writer) value(o *operand) string {
	if o.text != "" {
		w.usedValues[o.text] = o.value
		return o.text
	}
	text, isString := o.value.(*types.AttributeValueMemberS)
	if isString {
		if placeholder, has := w.strings[text.Value]; has {
			return placeholder
		}
	}
	placeholder := ""
	for placeholder == "" || w.values[placeholder] != nil {
		placeholder = ":b" + strconv.FormatInt(int64(w.nextValue), 36)
		w.nextValue++
	}
	if isString {
		w.strings[text.Value] = placeholder
	}
	w.usedValues[placeholder] = o.value
	return placeholder
}
