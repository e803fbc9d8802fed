package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

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

// TestScreensAt80: no screen of the lab is wider than a terminal of 80 columns but
// for commands, which are there to be copied, and the tables lose nothing.
func TestScreensAt80(t *testing.T) {
	const width = 80
	var out, narration bytes.Buffer
	if code := run([]string{"lab", "--json"}, streams{nil, &out, &narration}); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, &narration)
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
	narration.Reset()
	n := newNarrator(&narration, false, false, 0)
	n.width, n.why, n.lessons = width, true, lab.Lessons()
	n.begin()
	n.learner = newLearner(strings.NewReader(strings.Repeat("1\n", 1000)))
	n.begin()
	for _, s := range report.Steps {
		n.ask(s)
		n.step(s)
	}
	n.goals(&report)
	n.end(&report)
	for _, kept := range []bool{false, true} {
		n.next((&labCommand{}).next(&place{}, kept))
	}
	n.lines(n.picture(*report.Picture))
	n.lines(n.picture(*report.Others))
	checks := checkLines(&report, style{}, width)
	n.lines(checks)
	// Typing an answer ends the line of its question.
	typed := strings.ReplaceAll(narration.String(), "skip): ", "skip):\n")
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

// TestReadingPace: the core path takes minutes to watch, not an hour.
func TestReadingPace(t *testing.T) {
	lab, err := labsetup.New(labsetup.Config{Core: true, Administrator: aws.Config{Region: "us-east-1",
		Credentials: aws.AnonymousCredentials{}}})
	if err != nil {
		t.Fatal(err)
	}
	n := newNarrator(io.Discard, false, false, 0)
	var total time.Duration
	n.pause = func(d time.Duration) { total += d }
	for _, s := range lab.Plan() {
		n.step(s)
	}
	if total < time.Minute || total > 4*time.Minute {
		t.Errorf("the core path takes %s", total)
	}
}

// TestLearn: a right answer is counted, a wrong one is corrected with the reason,
// what is not a number is asked again, and after the end of input nothing is.
func TestLearn(t *testing.T) {
	var out bytes.Buffer
	n := newNarrator(&out, false, false, 0)
	n.learner = newLearner(strings.NewReader("3\nwhat\n7\n1\n\n"))
	read := labsetup.Step{ID: "user-server", Title: "user reads", Principal: "user", Mode: labsetup.ModeServer,
		Expected: labsetup.DeniedDecrypt, Chapter: "c", Why: "no key"}
	n.ask(read)                                        // right
	n.ask(labsetup.Step{ID: "key-user", Chapter: "c"}) // wrong at the third try
	n.ask(read)                                        // skipped
	n.ask(read)                                        // end of input
	n.ask(read)                                        // and after it
	n.learner.end(n)
	for text, times := range map[string]int{"user reads. What will they see?": 3, "3 an error": 3, "Right.": 1,
		"Not quite: it is": 1, "never to keys": 1, "Your answer": 6, "answered 1 of 2 questions right": 1} {
		if got := strings.Count(out.String(), text); got != times {
			t.Errorf("%q is there %d times, want %d:\n%s", text, got, times, &out)
		}
	}
}
