// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/alecthomas/kong"
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
		if !strings.Contains(leaf.Detail, "\n  ddbseal "+strings.TrimPrefix(leaf.Path(), "ddbseal ")) &&
			!strings.Contains(leaf.Detail, "| ddbseal "+leaf.Path()) {
			t.Errorf("%s has no example", leaf.Path())
		}
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
		if code := report(streams{nil, &out, &narration}, c.err); code != c.code || narration.String() != c.text ||
			out.Len() > 0 {
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
		if code := run(args, streams{nil, full, &narration}); code != exitFailure ||
			!strings.Contains(narration.String(), "The disk is full") {
			t.Errorf("%q: code %d\n%s", args, code, &narration)
		}
	}
}
