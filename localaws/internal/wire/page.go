// SPDX-License-Identifier: Apache-2.0

package wire

// Page cuts the first limit items that follow the key after out of items,
// which are sorted by key. next is the key to go on after, empty when the page
// is the last. A key, and not a position, loses nothing and repeats nothing
// when the list changes between two pages.
func Page[T any](items []T, key func(T) string, after string, limit int) (page []T, next string) {
	if after != "" {
		for len(items) > 0 && key(items[0]) <= after {
			items = items[1:]
		}
	}
	if len(items) <= limit {
		return items, ""
	}
	return items[:limit], key(items[limit-1])
}
