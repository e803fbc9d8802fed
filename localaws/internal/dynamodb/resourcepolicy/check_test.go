// SPDX-License-Identifier: Apache-2.0

package resourcepolicy

import "testing"

func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"a", "", false}, {"*", "", true}, {"?", "", false}, {"a", "a", true},
		{"a*", "a", true}, {"a*", "ba", false}, {"*a", "ba", true}, {"*a", "ab", false}, {"a?c", "abc", true},
		{"a?c", "ac", false}, {"a*c*", "abcbcd", true}, {"*bc", "abcbc", true}, {"*bc", "abcb", false},
		{"a**", "a", true}, {"a*b", "a", false}, {"ab", "a", false}, {"a", "ab", false}, {"**", "abc", true},
		{"*ab*ab", "abaab", true}, {"b*", "aab", false}, {"?*", "a", true}, {"*?", "", false},
	} {
		if got := wildcard(c.pattern, c.text); got != c.want {
			t.Errorf("%q like %q: %v", c.text, c.pattern, got)
		}
	}
}
