// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"errors"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

// Apply returns the item after the update, leaving item as it is. All new
// values are computed from the old item, and list indexes mean the old lists.
// Only what lies on the changed paths is copied; the rest is shared. A nil item
// is one without attributes.
//
// The error is an *Error for a path that leads through a missing or unfit
// value, a missing operand, an operand of the wrong type, or a sum that is no
// valid number. The result is not checked against DynamoDB's limits for items.
func (u *Update) Apply(item map[string]types.AttributeValue) (map[string]types.AttributeValue, error) {
	e := editor{update: u, item: item}
	out := make(map[string]types.AttributeValue, len(item)+len(u.actions))
	maps.Copy(out, item)
	if err := e.members(out, 0, len(u.sorted), 0); err != nil {
		return nil, err
	}
	return out, nil
}

// editor applies the actions of sorted paths to copies of what they lead
// through.
type editor struct {
	update *Update
	item   map[string]types.AttributeValue
}

// run returns where the run of paths that begins at lo, with the same element
// at depth, ends.
func (e *editor) run(lo, hi, depth int) int {
	paths := e.update.sorted
	end := lo + 1
	for end < hi && paths[end][depth] == paths[lo][depth] {
		end++
	}
	return end
}

// members applies the paths lo to hi, which agree before depth, to the map m in
// place.
func (e *editor) members(m map[string]types.AttributeValue, lo, hi, depth int) error {
	for lo < hi {
		end := e.run(lo, hi, depth)
		name := e.update.sorted[lo][depth].Name
		v, err := e.edit(m[name], lo, end, depth+1)
		if err != nil {
			return err
		}
		if v == nil {
			delete(m, name)
		} else {
			m[name] = v
		}
		lo = end
	}
	return nil
}

// elements applies the paths to a copy of the list l. New elements behind its
// end go there in the order of their indexes; removed ones leave no gap.
func (e *editor) elements(l []types.AttributeValue, lo, hi, depth int) ([]types.AttributeValue, error) {
	out := slices.Clone(l)
	removed := false
	for lo < hi {
		end := e.run(lo, hi, depth)
		index := e.update.sorted[lo][depth].Index
		var old types.AttributeValue
		if index < len(l) {
			old = l[index]
		}
		v, err := e.edit(old, lo, end, depth+1)
		if err != nil {
			return nil, err
		}
		switch {
		case index < len(l):
			out[index] = v
			removed = removed || v == nil
		case v != nil:
			out = append(out, v)
		}
		lo = end
	}
	if removed {
		out = slices.DeleteFunc(out, func(v types.AttributeValue) bool { return v == nil })
	}
	return out, nil
}

// edit returns what takes the place of v, nil for nothing.
func (e *editor) edit(v types.AttributeValue, lo, hi, depth int) (types.AttributeValue, error) {
	path := e.update.sorted[lo]
	if len(path) == depth {
		return e.act(v, &e.update.actions[e.update.order[lo]])
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberM:
		if path[depth].IsIndex() {
			break
		}
		m := maps.Clone(v.Value)
		if m == nil {
			m = make(map[string]types.AttributeValue)
		}
		if err := e.members(m, lo, hi, depth); err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberM{Value: m}, nil
	case *types.AttributeValueMemberL:
		if !path[depth].IsIndex() {
			break
		}
		l, err := e.elements(v.Value, lo, hi, depth)
		if err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberL{Value: l}, nil
	}
	return nil, errUpdatePath
}

// act applies one action to the value at its path.
func (e *editor) act(old types.AttributeValue, a *action) (types.AttributeValue, error) {
	switch a.section {
	case SectionSet:
		return e.compute(&a.value)
	case SectionAdd:
		return add(old, a.value.value)
	case SectionDelete:
		return subtract(old, a.value.value)
	}
	return nil, nil
}

// compute returns the value of the right side of SET. It is never nil without
// an error.
func (e *editor) compute(o *operand) (types.AttributeValue, error) {
	switch o.kind {
	case operandValue:
		return o.value, nil
	case operandPath:
		if v := o.path.Find(e.item); v != nil {
			return v, nil
		}
		return nil, errNoAttribute
	}
	if o.text == "if_not_exists" {
		if v := o.args[0].path.Find(e.item); v != nil {
			return v, nil
		}
		return e.compute(&o.args[1])
	}
	left, err := e.compute(&o.args[0])
	if err != nil {
		return nil, err
	}
	right, err := e.compute(&o.args[1])
	if err != nil {
		return nil, err
	}
	if o.text == "list_append" {
		l, okLeft := left.(*types.AttributeValueMemberL)
		r, okRight := right.(*types.AttributeValueMemberL)
		if !okLeft || !okRight {
			return nil, ErrOperandType
		}
		return &types.AttributeValueMemberL{Value: slices.Concat(l.Value, r.Value)}, nil
	}
	l, okLeft := left.(*types.AttributeValueMemberN)
	r, okRight := right.(*types.AttributeValueMemberN)
	if !okLeft || !okRight {
		return nil, ErrOperandType
	}
	return arithmetic(l.Value, r.Value, o.text == "-")
}

func arithmetic(a, b string, minus bool) (types.AttributeValue, error) {
	var (
		sum string
		err error
	)
	if minus {
		sum, err = ddbnumber.Sub(a, b)
	} else {
		sum, err = ddbnumber.Add(a, b)
	}
	if errors.Is(err, ddbnumber.ErrPrecision) {
		err = ddbnumber.ErrOverflow // what DynamoDB calls a sum of more than 38 digits
	}
	if err != nil {
		return nil, &Error{Message: ddbnumber.Message(err, sum)}
	}
	return &types.AttributeValueMemberN{Value: sum}, nil
}

// add is the action ADD: a sum of numbers or a union of sets; a missing number
// counts as zero, a missing set as empty.
func add(old, v types.AttributeValue) (types.AttributeValue, error) {
	if old == nil {
		return v, nil
	}
	if o, ok := old.(*types.AttributeValueMemberN); ok {
		if v, ok := v.(*types.AttributeValueMemberN); ok {
			return arithmetic(o.Value, v.Value, false)
		}
		return nil, ErrOperandType
	}
	have := newSet(old)
	if have.kind == "" || have.kind != ddbjson.TypeName(v) {
		return nil, ErrOperandType
	}
	switch o := old.(type) {
	case *types.AttributeValueMemberSS:
		return &types.AttributeValueMemberSS{Value: union(o.Value, v.(*types.AttributeValueMemberSS).Value, have,
			textKey)}, nil
	case *types.AttributeValueMemberNS:
		return &types.AttributeValueMemberNS{Value: union(o.Value, v.(*types.AttributeValueMemberNS).Value, have,
			numberKey)}, nil
	default:
		return &types.AttributeValueMemberBS{Value: union(old.(*types.AttributeValueMemberBS).Value,
			v.(*types.AttributeValueMemberBS).Value, have, bytesKey)}, nil
	}
}

// subtract is the action DELETE: what is left of the set, nil when nothing is.
func subtract(old, v types.AttributeValue) (types.AttributeValue, error) {
	if old == nil {
		return nil, nil
	}
	gone := newSet(v)
	if gone.kind != ddbjson.TypeName(old) {
		return nil, ErrOperandType
	}
	switch o := old.(type) {
	case *types.AttributeValueMemberSS:
		if rest := without(o.Value, gone, textKey); len(rest) > 0 {
			return &types.AttributeValueMemberSS{Value: rest}, nil
		}
	case *types.AttributeValueMemberNS:
		if rest := without(o.Value, gone, numberKey); len(rest) > 0 {
			return &types.AttributeValueMemberNS{Value: rest}, nil
		}
	case *types.AttributeValueMemberBS:
		if rest := without(o.Value, gone, bytesKey); len(rest) > 0 {
			return &types.AttributeValueMemberBS{Value: rest}, nil
		}
	}
	return nil, nil
}

func textKey(s string) string  { return s }
func bytesKey(b []byte) string { return string(b) }

func union[T any](a, b []T, have set, key func(T) string) []T {
	out := slices.Clone(a)
	for _, e := range b {
		if !have.has(key(e)) {
			out = append(out, e)
		}
	}
	return out
}

func without[T any](a []T, gone set, key func(T) string) []T {
	var out []T
	for _, e := range a {
		if !gone.has(key(e)) {
			out = append(out, e)
		}
	}
	return out
}
