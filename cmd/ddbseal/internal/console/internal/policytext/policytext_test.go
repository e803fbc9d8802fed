// SPDX-License-Identifier: Apache-2.0

package policytext

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct{ text, wrong, line string }{
		{"{\n  \"a\": 1,\n  }\n}", "Line 3, column 3: ", "  }"},
		{"{\"ü\": x}", "Line 1, column 7: ", "{\"ü\": x}"},
		{"nonsense", "Line 1, column 2: ", "nonsense"},
		{"{\n\"a\": [1\n\n", "Line 2, column 8: unexpected end", "\"a\": [1"},
		{"", "Line 1, column 1: unexpected end", ""},
		{"{} {}", "Line 1, column 4: ", "{} {}"},
	} {
		wrong, line, ok := Check(c.text)
		if ok || !strings.HasPrefix(wrong, c.wrong) || line != c.line {
			t.Errorf("%q: %s in %q, want %s in %q", c.text, wrong, line, c.wrong, c.line)
		}
	}
	if wrong, _, ok := Check(`{"Version": "2012-10-17"}`); !ok {
		t.Error(wrong)
	}
	if got := Submitted("a\r\nb\n"); got != "a\nb\n" {
		t.Errorf("%q", got)
	}
}
