// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Element is one step of a [Path]: into a map by name, or into a list by index
// when Name is empty.
type Element struct {
	Name  string
	Index int
}

// IsIndex tells whether the step goes into a list.
func (e Element) IsIndex() bool { return e.Name == "" }

func (e Element) compare(o Element) int {
	if c := strings.Compare(e.Name, o.Name); c != 0 {
		return c
	}
	return cmp.Compare(e.Index, o.Index)
}

// Path is a document path with all names resolved: never empty, its first
// element being the name of an attribute of the item.
type Path []Element

// Attribute returns the name of the attribute in which the path ends: "a" for
// a.b[0].
func (p Path) Attribute() string { return p[0].Name }

// String writes the path as DynamoDB's messages do: "[a, b, [0]]".
func (p Path) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for i, e := range p {
		if i > 0 {
			b.WriteString(", ")
		}
		if e.IsIndex() {
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(e.Index))
			b.WriteByte(']')
		} else {
			b.WriteString(e.Name)
		}
	}
	b.WriteByte(']')
	return b.String()
}

func (p Path) compare(o Path) int { return slices.CompareFunc(p, o, Element.compare) }

// Find returns the value at the path in item, or nil.
func (p Path) Find(item map[string]types.AttributeValue) types.AttributeValue {
	v := item[p[0].Name]
	for _, e := range p[1:] {
		if v = child(v, e); v == nil {
			return nil
		}
	}
	return v
}

// child makes one step; nil means that it leads nowhere.
func child(v types.AttributeValue, e Element) types.AttributeValue {
	switch v := v.(type) {
	case *types.AttributeValueMemberM:
		if !e.IsIndex() {
			return v.Value[e.Name]
		}
	case *types.AttributeValueMemberL:
		if e.IsIndex() && e.Index < len(v.Value) {
			return v.Value[e.Index]
		}
	}
	return nil
}

// clash compares two paths of which an expression needs each for itself: one
// may not lead through the other ("overlap"), and they may not treat the same
// place as a map and as a list ("conflict"). Without either it returns "".
func clash(a, b Path) string {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] == b[i] {
			continue
		}
		if a[i].IsIndex() != b[i].IsIndex() {
			return "conflict"
		}
		return ""
	}
	return "overlap"
}

// findClash returns the message for the first path that clashes with an earlier
// one, or "".
func findClash(paths []Path) string {
	byName := make(map[string][]int, len(paths))
	for i, p := range paths {
		group := byName[p.Attribute()]
		for _, j := range group {
			if what := clash(paths[j], p); what != "" {
				return "Two document paths " + what +
					" with each other; must remove or rewrite one of these paths; path one: " +
					paths[j].String() + ", path two: " + p.String()
			}
		}
		byName[p.Attribute()] = append(group, i)
	}
	return ""
}

// attributes returns the distinct top-level names of paths in ascending order.
func attributes(paths []Path) []string {
	names := make([]string, 0, len(paths))
	for _, p := range paths {
		names = append(names, p.Attribute())
	}
	slices.Sort(names)
	return slices.Compact(names)
}
