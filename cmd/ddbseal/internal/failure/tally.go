// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Tally counts the items that failed by the kind of their failures. The zero Tally
// has none.
type Tally struct {
	Opened int64 // the items that did not fail

	first error
	kinds map[string]int64
}

// Add counts an item.
func (t *Tally) Add(item Item) {
	if t.kinds == nil {
		t.kinds, t.first = map[string]int64{}, item
	}
	t.kinds[item.Kind]++
}

// None reports whether no item failed.
func (t *Tally) None() bool { return t.kinds == nil }

// First is the error of the first item that failed, or nil.
func (t *Tally) First() error { return t.first }

// String says how many items failed, of which kinds.
func (t *Tally) String() string {
	var failed int64
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(t.kinds)) {
		failed += t.kinds[kind]
		parts = append(parts, fmt.Sprintf("%d %s", t.kinds[kind], kind))
	}
	return fmt.Sprintf("%d of %d items did not open: %s", failed, failed+t.Opened, strings.Join(parts, ", "))
}
