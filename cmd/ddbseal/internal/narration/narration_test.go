// SPDX-License-Identifier: Apache-2.0

package narration

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/labsetup"
)

func TestNarration(t *testing.T) {
	var out bytes.Buffer
	n := New(&out, true, true, 3)
	for _, s := range []labsetup.Step{
		{Chapter: "One", Title: "first", Got: labsetup.Done, Outcome: labsetup.Passed, OK: true, CLI: "aws x"},
		{Chapter: "One", Title: "second", Got: labsetup.SeesPlaintext, Expected: labsetup.DeniedDecrypt, Outcome: labsetup.Unverified, Took: time.Minute},
		{Chapter: "Two", Title: "third", Got: "error", Expected: labsetup.Done, Outcome: labsetup.Failed, Error: "AWS\nsays no", Hint: "ask again", Reasons: []string{"statement 1"}},
	} {
		n.Step(s)
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

// TestReasonsAreIntroduced: the first reasons of a run are introduced, and only they.
func TestReasonsAreIntroduced(t *testing.T) {
	var out bytes.Buffer
	n := New(&out, true, false, 0)
	for range 2 {
		n.Step(labsetup.Step{Title: "read", Got: labsetup.DeniedDecrypt, Outcome: labsetup.Passed, OK: true,
			Reasons: []string{"statement 1"}})
	}
	lead, reasons := strings.Count(out.String(), reasonsLead), strings.Count(out.String(), "- statement 1")
	if lead != 1 || reasons != 2 {
		t.Errorf("%d introductions of %d reasons:\n%s", lead, reasons, &out)
	}
}

// TestReadingPace: the core path takes minutes to watch, not an hour.
func TestReadingPace(t *testing.T) {
	lab, err := labsetup.New(labsetup.Config{Core: true, Administrator: aws.Config{Region: "us-east-1",
		Credentials: aws.AnonymousCredentials{}}})
	if err != nil {
		t.Fatal(err)
	}
	n := New(io.Discard, false, false, 0)
	var total time.Duration
	n.Pause = func(d time.Duration) { total += d }
	for _, s := range lab.Plan() {
		n.Step(s)
	}
	if total < time.Minute || total > 4*time.Minute {
		t.Errorf("the core path takes %s", total)
	}
}

// TestLearn: a right answer is counted, a wrong one is corrected with the reason,
// what is not a number is asked again, and after the end of input nothing is.
func TestLearn(t *testing.T) {
	var out bytes.Buffer
	n := New(&out, false, false, 0)
	n.Learner = NewLearner(strings.NewReader("3\nwhat\n7\n1\n\n"))
	read := labsetup.Step{ID: "user-server", Title: "user reads", Principal: "user", Mode: labsetup.ModeServer,
		Expected: labsetup.DeniedDecrypt, Chapter: "c", Why: "no key"}
	n.Ask(read)                                        // right
	n.Ask(labsetup.Step{ID: "key-user", Chapter: "c"}) // wrong at the third try
	n.Ask(read)                                        // skipped
	n.Ask(read)                                        // end of input
	n.Ask(read)                                        // and after it
	n.Learner.end(n)
	for text, times := range map[string]int{"The user reads. What will they see?": 3, "3 an error": 3, "Right.": 1,
		"Not quite: it is": 1, "never to keys": 1, "Your answer": 6, "answered 1 of 2 questions right": 1} {
		if got := strings.Count(out.String(), text); got != times {
			t.Errorf("%q is there %d times, want %d:\n%s", text, got, times, &out)
		}
	}
}
