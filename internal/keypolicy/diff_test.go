// SPDX-License-Identifier: Apache-2.0

package keypolicy_test

import (
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

func TestDiff(t *testing.T) {
	var got strings.Builder
	for _, line := range keypolicy.Diff("a\nb\n--- c\n-- d", "a\nB\n--- c\n") {
		got.WriteString(line.Kind + " " + line.Text + "\n")
	}
	if want := "place @@ -1,4 +1,3 @@\nsame  a\nremove -b\nadd +B\nsame  --- c\nremove --- d\n"; got.String() != want {
		t.Errorf("%s", got.String())
	}
	if len(keypolicy.Diff(`{"a":1}`, "{ \"a\" : 1 }\n")) != 0 {
		t.Error("a difference of equal policies")
	}
	lines := keypolicy.Lines("--- before\n+++ after\n@@ -1 +1 @@\n-x\n+y\n")
	if len(lines) != 5 || lines[0].Kind != keypolicy.Place || lines[2].Kind != keypolicy.Place ||
		lines[3].Kind != keypolicy.Removed {
		t.Error(lines)
	}
}

func TestLayout(t *testing.T) {
	got := keypolicy.Layout(
		`{"X":{"Sid":1,"A":[]},"Statement":[{"Extra":"\u003c<","Statement":{"Sid":1,"Effect":2},"Effect":"Allow","Sid":"x","Principal":{}}],"Id":"i"}`)
	want := `{
  "Id": "i",
  "Statement": [
    {
      "Sid": "x",
      "Effect": "Allow",
      "Principal": {},
      "Extra": "\u003c<",
      "Statement": {
        "Sid": 1,
        "Effect": 2
      }
    }
  ],
  "X": {
    "Sid": 1,
    "A": []
  }
}
`
	if got != want {
		t.Errorf("%s\nis not\n%s", got, want)
	}
	if keypolicy.Layout("nonsense") != "nonsense" {
		t.Error("a text that is not JSON was changed")
	}
	console := keypolicy.Console{Account: account, Administrators: []string{ann}, Users: []string{ann, bob}}.Text()
	if keypolicy.Layout(console) != console+"\n" {
		t.Error("the console's policy is not in this layout")
	}
}
