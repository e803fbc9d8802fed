// SPDX-License-Identifier: Apache-2.0

package fault

import "testing"

func TestOf(t *testing.T) {
	var l List
	l.Add("name", "")
	if len(l) != 0 {
		t.Fatal(l)
	}
	l.Add("name", "too short")
	l.Add("sort", "too long")
	l.Add("name", "not a word")
	for field, want := range map[string]string{"name": "too short; not a word", "sort": "too long", "other": ""} {
		if got := l.Of(field); got != want {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
}
