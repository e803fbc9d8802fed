package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/labsetup"
)

// TestHelpHasExamples: every subcommand says more than its flags.
func TestHelpHasExamples(t *testing.T) {
	parser, err := kong.New(&command{}, kong.Name("ddbseal"))
	if err != nil {
		t.Fatal(err)
	}
	leaves := parser.Model.Leaves(true)
	if len(leaves) < 15 {
		t.Fatalf("only %d commands", len(leaves))
	}
	for _, leaf := range leaves {
		if !strings.Contains(leaf.Detail, "\n  ddbseal "+strings.TrimPrefix(leaf.Path(), "ddbseal ")) && !strings.Contains(leaf.Detail, "| ddbseal "+leaf.Path()) {
			t.Errorf("%s has no example", leaf.Path())
		}
	}
}

func TestVersion(t *testing.T) {
	var out, narration bytes.Buffer
	if code := run([]string{"--version"}, streams{nil, &out, &narration}); code != exitOK || !strings.Contains(out.String(), runtime.Version()) || narration.Len() > 0 {
		t.Errorf("code %d, %q, %q", code, &out, &narration)
	}
}

func TestReport(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		text string
	}{
		{nil, exitOK, ""},
		{errChecks, exitFailure, ""},
		{usagef("no %s", "region"), exitUsage, "ddbseal: no region\n"},
		{errors.Join(errors.New("one"), errors.New("two")), exitFailure, "ddbseal: one two\n"},
		{&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, exitFailure, "ddbseal: write x: no space left on device — The disk is full: make room and repeat the command.\n"},
		{errors.New("get of t: operation error DynamoDB: GetItem, https response error StatusCode: 400, RequestID: 1-2, api error AccessDeniedException: no"), exitFailure, "ddbseal: get of t: AccessDeniedException: no\n"},
	} {
		var out, narration bytes.Buffer
		if code := report(streams{nil, &out, &narration}, c.err); code != c.code || narration.String() != c.text || out.Len() > 0 {
			t.Errorf("%v: code %d, %q", c.err, code, &narration)
		}
	}
}

// TestFullDisk: output that cannot be written is a failure.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /dev/full")
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, args := range [][]string{{"lab"}, {"lab", "--json"}} {
		var narration bytes.Buffer
		if code := run(args, streams{nil, full, &narration}); code != exitFailure || !strings.Contains(narration.String(), "The disk is full") {
			t.Errorf("%q: code %d\n%s", args, code, &narration)
		}
	}
}

// TestBilled: an endpoint of AWS's own asks first too.
func TestBilled(t *testing.T) {
	for endpoint, billed := range map[string]bool{
		"": false, "http://127.0.0.1:4566": false, "http://amazonaws.com.example.org": false, "http://notamazonaws.com": false,
		"https://dynamodb.us-east-1.amazonaws.com": true, "https://kms.cn-north-1.amazonaws.com.cn": true, "https://kms.us-east-1.api.aws:443": true,
	} {
		if c := (connection{EndpointURL: endpoint}); c.billed() != billed {
			t.Errorf("%q: %v", endpoint, !billed)
		}
	}
	if !(&connection{AWS: true}).billed() {
		t.Error("--aws is not billed")
	}
}

func TestPrincipals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "principals.json")
	p, err := readPrincipals(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.add("somebody", aws.Credentials{AccessKeyID: "AKIA1", SecretAccessKey: "hush"}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatal(info, err)
	}
	again, err := readPrincipals(path)
	if err != nil || again.Keys["somebody"].credentials().SecretAccessKey != "hush" || again.names() != "somebody" {
		t.Fatal(again, err)
	}
	if text := again.Keys["somebody"].String() + again.Keys["somebody"].GoString(); strings.Contains(text, "hush") {
		t.Error("a secret prints")
	}
	if err := os.WriteFile(path, []byte(`{"accessKeys":{"a":{"secretAccessKey":"hush"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readPrincipals(path); err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged file: %v", err)
	}
}

func TestDefaultDataDir(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_DATA_HOME", "")
	if runtime.GOOS == "linux" {
		if dir, err := defaultDataDir(); err != nil || dir != filepath.Join(home, ".local", "share", "ddbseal") {
			t.Error(dir, err)
		}
	}
	t.Setenv("XDG_DATA_HOME", home)
	if dir, err := defaultDataDir(); err != nil || dir != filepath.Join(home, "ddbseal") {
		t.Error(dir, err)
	}
}

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
	for _, want := range []string{"\nOne\n  ok first\n", "$ aws x", "?? second → plaintext (1m0s)", "expected denied kms:Decrypt", "has not shown it in time", "\nTwo\n  FAIL third → error\n", "said: AWS says no", "fix: ask again", "- statement 1"} {
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
		if len(got) != lines || strings.Count(out.String(), "because") != 20 || strings.Contains(out.String(), "no check") {
			t.Errorf("width %d:\n%s", width, &out)
		}
		for _, line := range got {
			if len(line) > width || line != strings.TrimRight(line, " ") {
				t.Errorf("width %d: %q", width, line)
			}
		}
	}
}

func TestColours(t *testing.T) {
	if styleFor(&bytes.Buffer{}).on {
		t.Error("colours without a terminal")
	}
	if got := (style{true}).good("x"); got != "\x1b[32mx\x1b[0m" {
		t.Errorf("%q", got)
	}
	if got := (style{}).good("x"); got != "x" {
		t.Errorf("%q", got)
	}
}

func TestWrap(t *testing.T) {
	if got := wrap("one two  three", 7); !slices.Equal(got, []string{"one two", "three"}) {
		t.Errorf("%q", got)
	}
	if got := wrap("", 7); !slices.Equal(got, []string{""}) {
		t.Errorf("%q", got)
	}
}

func TestClock(t *testing.T) {
	for skew, ok := range map[time.Duration]bool{0: true, -4 * time.Minute: true, 6 * time.Minute: false, -6 * time.Minute: false} {
		if f := clock(skew); f.OK != ok || (f.Fix == "") != ok {
			t.Errorf("%s: %+v", skew, f)
		}
	}
}

func TestConfirm(t *testing.T) {
	var narration bytes.Buffer
	s := streams{strings.NewReader("lab\n"), nil, &narration}
	if err := confirm(s, true, "Sure?", "lab"); err != nil {
		t.Error(err)
	}
	var usage usageError
	if err := confirm(s, false, "Sure?", "lab"); !errors.As(err, &usage) {
		t.Error("no terminal:", err)
	}
}
