// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/narration"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
	"github.com/ddbseal/ddbseal/labsetup"
)

// TestScreensAt80: no screen of the lab is wider than a terminal of 80 columns but
// for commands, which are there to be copied, and the tables lose nothing.
func TestScreensAt80(t *testing.T) {
	const width = 80
	var out, told bytes.Buffer
	if code := run([]string{"lab", "--json"}, streams{nil, &out, &told}); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, &told)
	}
	var report labsetup.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	lab, err := labsetup.New(labsetup.Config{Administrator: aws.Config{Region: "us-east-1",
		Credentials: aws.AnonymousCredentials{}}})
	if err != nil {
		t.Fatal(err)
	}
	told.Reset()
	n := narration.New(&told, false, false, 0)
	n.Width, n.Why, n.Lessons = width, true, lab.Lessons()
	n.Begin()
	n.Learner = narration.NewLearner(strings.NewReader(strings.Repeat("1\n", 1000)))
	n.Begin()
	for _, s := range report.Steps {
		n.Ask(s)
		n.Step(s)
	}
	n.Goals(&report)
	n.End(&report)
	for _, kept := range []bool{false, true} {
		n.Next((&labCommand{}).next(&place{}, kept))
	}
	n.Lines(n.Layout(*report.Picture))
	n.Lines(n.Layout(*report.Others))
	checks := narration.CheckLines(&report, terminal.Style{}, width)
	n.Lines(checks)
	// Typing an answer ends the line of its question.
	typed := strings.ReplaceAll(told.String(), "skip): ", "skip):\n")
	for line := range strings.Lines(typed) {
		if line = strings.TrimSuffix(line, "\n"); utf8.RuneCountInString(line) > width ||
			line != strings.TrimRight(line, " ") {
			t.Errorf("%d columns: %q", utf8.RuneCountInString(line), line)
		}
	}
	table := strings.Join(strings.Fields(strings.Join(checks, " ")), " ")
	for _, s := range report.Steps {
		if s.Mode != "" && !strings.Contains(table, s.Why) {
			t.Errorf("the table lost %q", s.Why)
		}
	}
	for _, want := range []string{"WHO", "TABLE'S KEY", "EXPECTED", "GOT", "customer", "managed"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q", want)
		}
	}
}
