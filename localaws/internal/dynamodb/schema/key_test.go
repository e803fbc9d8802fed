// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"encoding/json"
	"fmt"
	"testing"
)

func attributes(names string) (list []Attribute) {
	for _, name := range names {
		list = append(list, Attribute{string(name), "S"})
	}
	return list
}

// TestKeyAttributes: the attributes of a key keep their order and their part of the
// key, and two keys are equal only if all of them are.
func TestKeyAttributes(t *testing.T) {
	var keys []Key
	for _, c := range []struct {
		partition, sort, want string
		several               bool
	}{
		{"a", "", "a#", false}, {"a", "b", "a#b", false}, {"ab", "", "a#b#", true}, {"a", "bc", "a#bc", true},
		{"ab", "c", "a#b#c", true}, {"abc", "", "a#b#c#", true}, {"a", "bd", "a#bd", true},
		{"abcd", "efgh", "a#b#c#d#efgh", true},
	} {
		k := NewKey(attributes(c.partition), attributes(c.sort))
		got := ""
		for a, partition := range k.All() {
			got += a.Name
			if partition {
				got += "#"
			}
			if !k.Has(a.Name) {
				t.Errorf("%s: %s is not in the key", c.want, a.Name)
			}
		}
		if got != c.want || k.Several() != c.several || k.HasSort() != (c.sort != "") || k.Has("x") || k.Has("") {
			t.Errorf("%s|%s: %s, several %t", c.partition, c.sort, got, k.Several())
		}
		for stop := range got {
			n := 0
			for range k.All() {
				if n++; n > stop {
					break
				}
			}
		}
		keys = append(keys, k)
	}
	for i := range keys {
		for j := range keys {
			if keys[i].Equal(&keys[j]) != (i == j) {
				t.Errorf("%v equals %v: %t", keys[i], keys[j], i != j)
			}
		}
	}
}

// TestStoredKeys: keys of one or two attributes are stored as they were before keys
// could have more, and longer keys return from a store.
func TestStoredKeys(t *testing.T) {
	for _, c := range []struct{ partition, sort, want string }{
		{"a", "b", `{"Partition":{"Name":"a","Type":"S"},"Sort":{"Name":"b","Type":"S"}}`},
		{"a", "", `{"Partition":{"Name":"a","Type":"S"},"Sort":{"Name":"","Type":""}}`},
		{"ab", "cd", `{"Partition":{"Name":"a","Type":"S"},"Sort":{"Name":"c","Type":"S"},` +
			`"MorePartition":[{"Name":"b","Type":"S"}],"MoreSort":[{"Name":"d","Type":"S"}]}`},
	} {
		k := NewKey(attributes(c.partition), attributes(c.sort))
		stored, err := json.Marshal(k)
		if err != nil || string(stored) != c.want {
			t.Errorf("%s, %v, want %s", stored, err, c.want)
		}
		var back Key
		if err := json.Unmarshal(stored, &back); err != nil || !back.Equal(&k) || fmt.Sprint(back) != fmt.Sprint(k) {
			t.Errorf("%s returns as %v: %v", stored, back, err)
		}
	}
}
