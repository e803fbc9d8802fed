package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/labsetup"
)

func TestNarration(t *testing.T) {
	var out bytes.Buffer
	n := newNarrator(&out, true, true, 3)
	for _, s := range []labsetup.Step{
		{Chapter: "One", Title: "first", Got: labsetup.Done, Outcome: labsetup.Passed, OK: true, CLI: "aws x"},
		{Chapter: "One", Title: "second", Got: labsetup.SeesPlaintext, Expected: labsetup.DeniedDecrypt, Outcome: labsetup.Unverified, Took: time.Minute},
		{Chapter: "Two", Title: "third", Got: "error", Expected: labsetup.Done, Outcome: labsetup.Failed, Error: "AWS\nsays no", Hint: "ask again", Reasons: []string{"statement 1"}},
	} {
		n.step(s)
	}
	for _, want := range []string{"\nOne\n  ok first\n", "$ aws x", "?? second → plaintext (1m0s)",
		"expected denied kms:Decrypt", "has not shown it in time", "\nTwo\n  FAIL third → error\n", "said: AWS says no",
		"fix: ask again", "- statement 1"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "\x1b") || strings.Contains(out.String(), "\r") {
		t.Error("colours or a progress bar without a terminal")
	}
}

// TestTable: no line is wider than the terminal, and nothing is lost.
func TestTable(t *testing.T) {
	report := &labsetup.Report{Steps: []labsetup.Step{
		{Mode: labsetup.ModeServer, Principal: "administrator", Got: labsetup.SeesPlaintext, OK: true, Outcome: labsetup.Passed, Why: strings.TrimSpace(strings.Repeat("because ", 20))},
		{Mode: labsetup.ModeClient, Principal: "user", Got: labsetup.DeniedDecrypt, Outcome: labsetup.Failed},
		{Principal: "administrator", Got: labsetup.Done, Why: "no check"},
	}}
	for width, lines := range map[int]int{50: 3 + 4, 120: 3 + 2, 1 << 30: 3} {
		var out bytes.Buffer
		if err := writeTable(&out, report, style{}, width); err != nil {
			t.Fatal(err)
		}
		got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(got) != lines || strings.Count(out.String(), "because") != 20 ||
			strings.Contains(out.String(), "no check") {
			t.Errorf("width %d:\n%s", width, &out)
		}
		for _, line := range got {
			if len(line) > width || line != strings.TrimRight(line, " ") {
				t.Errorf("width %d: %q", width, line)
			}
		}
	}
}
