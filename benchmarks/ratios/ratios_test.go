// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden file")

func TestTables(t *testing.T) {
	in, err := os.ReadFile("testdata/bench.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out, progress bytes.Buffer
	if err := run(bytes.NewReader(in), &out, &progress); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(progress.Bytes(), in) {
		t.Error("the input was not passed on as it came")
	}
	const golden = "testdata/tables.md"
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}

func TestRefused(t *testing.T) {
	const good = "BenchmarkX-2 \t 1 \t 5 ns/op\n"
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"nothing":          {"PASS\nok  \tx\t0.1s\n", errNothing},
		"failed benchmark": {good + "--- FAIL: BenchmarkY\n", errFailed},
		"failed package":   {good + "FAIL\n", errFailed},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			// A reader that gives a byte at a time splits the lines.
			err := run(io.MultiReader(strings.NewReader(c.in[:3]), strings.NewReader(c.in[3:])), &out, io.Discard)
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if out.Len() > 0 {
				t.Errorf("printed %q", &out)
			}
		})
	}
	if err := run(strings.NewReader(good[:12]+"\tmuch\n"), io.Discard, io.Discard); err == nil {
		t.Error("a line without numbers was taken")
	}
}
