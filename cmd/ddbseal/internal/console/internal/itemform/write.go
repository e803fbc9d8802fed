// SPDX-License-Identifier: Apache-2.0

package itemform

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

// Write is a conditional write of one item: the parameters of UpdateItem or
// DeleteItem.
type Write struct {
	Update    string // the update expression; empty if nothing changes
	Condition string
	Names     map[string]string
	Values    map[string]types.AttributeValue
}

// Change returns the write that turns before into after, if every attribute still
// is as it was before. It touches only what differs, so that an attribute that
// another program adds meanwhile is not lost. keys cannot change.
func Change(before, after envelope.Item, keys []string) Write {
	w := Unchanged(before)
	var set, remove []string
	for i, name := range slices.Sorted(maps.Keys(after)) {
		if slices.Contains(keys, name) || before[name] != nil && same(before[name], after[name]) {
			continue
		}
		n, v := "#a"+strconv.Itoa(i), ":a"+strconv.Itoa(i)
		w.Names[n], w.Values[v] = name, after[name]
		set = append(set, n+" = "+v)
		if before[name] == nil {
			w.Condition += " AND attribute_not_exists(" + n + ")"
		}
	}
	for i, name := range slices.Sorted(maps.Keys(before)) {
		if _, stays := after[name]; !stays {
			remove = append(remove, "#b"+strconv.Itoa(i)) // a name of the condition
		}
	}
	if len(set) > 0 {
		w.Update = "SET " + strings.Join(set, ", ")
	}
	if len(remove) > 0 {
		w.Update = strings.TrimSpace(w.Update + " REMOVE " + strings.Join(remove, ", "))
	}
	return w
}

// Unchanged returns a condition that holds while every attribute is as before.
func Unchanged(before envelope.Item) Write {
	w := Write{Names: map[string]string{}, Values: map[string]types.AttributeValue{}}
	var terms []string
	for i, name := range slices.Sorted(maps.Keys(before)) {
		n, v := "#b"+strconv.Itoa(i), ":b"+strconv.Itoa(i)
		w.Names[n], w.Values[v] = name, before[name]
		terms = append(terms, n+" = "+v)
	}
	w.Condition = strings.Join(terms, " AND ")
	return w
}

func same(a, b types.AttributeValue) bool {
	return Equal(envelope.Item{"": a}, envelope.Item{"": b})
}
