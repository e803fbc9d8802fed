// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/narration"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
	"github.com/ddbseal/ddbseal/labsetup"
)

// nasty is text that must reach no terminal as it is.
const nasty = "a\x1b[31mb\u202ec\u009bd\u2028e\nf\xff"

// shown is what a terminal may get of it.
const shown = `a\x1b[31mb\u202ec\u009bd\u2028e\nf\xff`

// rawIn reports what must not be in output for people.
func rawIn(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsAny(text, "\x1b\u202e\u009b\u2028") ||
		strings.Contains(text, "e\nf")
}

func TestTell(t *testing.T) {
	var out bytes.Buffer
	if err := tell(&out, "%s, %v, %d, %s.\n", nasty, errors.New(nasty), 1,
		terminal.Style{On: true}.Bold("x"+nasty)); err != nil {
		t.Fatal(err)
	}
	if want := shown + ", " + shown + ", 1, \x1b[1mx" + shown + "\x1b[0m.\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// TestNastyTexts: what steps, errors, findings and branch keys say is escaped
// wherever it is printed.
func TestNastyTexts(t *testing.T) {
	step := labsetup.Step{Chapter: nasty, Title: nasty, Mode: nasty, Principal: nasty, Got: nasty, Expected: nasty,
		Why: nasty, CLI: nasty, Error: nasty, Hint: nasty, Reasons: []string{nasty}}
	cell := labsetup.PictureCell{Kind: labsetup.Readable, Text: nasty}
	report := &labsetup.Report{Steps: []labsetup.Step{step}, LeftAlone: []string{nasty},
		Picture: &labsetup.Picture{Rows: []labsetup.PictureRow{{Title: nasty, Disk: cell, Answer: cell,
			Program: cell}}}}
	for name, print := range map[string]func(s streams) error{
		"narration": func(s streams) error {
			n := narration.New(s.err, true, false, 1)
			n.Lessons = []labsetup.Lesson{{Title: nasty, Goal: nasty}}
			n.Learner = narration.NewLearner(strings.NewReader("2\n"))
			n.Learner.Ask(n, labsetup.Question{Text: nasty, Choices: []string{nasty, nasty}, Because: nasty})
			n.Step(step)
			n.Goals(report)
			n.End(report)
			return nil
		},
		"table":  func(s streams) error { return narration.PrintPicture(s.out, report, true) },
		"report": func(s streams) error { return printJSON(s.out, report) },
		"findings": func(s streams) error {
			return printFindings(s, false, []finding{{Check: nasty, Detail: nasty, Fix: nasty}})
		},
		"as JSON": func(s streams) error {
			return printFindings(s, true, []finding{{Check: nasty, Detail: nasty, Fix: nasty}})
		},
		"branch keys": func(s streams) error {
			return new(keystoreFlags).print(s, branchKey{ID: nasty, Version: nasty, Created: nasty, Active: true})
		},
		"error":       func(s streams) error { report1(s, errors.New(nasty)); return nil },
		"usage":       func(s streams) error { report1(s, usagef("%s", nasty)); return nil },
		"parse error": func(s streams) error { run([]string{"get", "1", "--" + nasty}, s); return nil },
		"place": func(s streams) error {
			(&place{name: nasty, source: nasty}).say(s, nasty)
			return nil
		},
		"question": func(s streams) error { _ = confirm(s, false, nasty, "yes"); return nil },
		"items": func(s streams) error {
			s.in = strings.NewReader(`{"` + nasty[:4] + "\u202e" + `":{"X":1}}` + "\n")
			run([]string{"item", "inspect"}, s)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out, narration bytes.Buffer
			if err := print(streams{in: strings.NewReader(""), out: &out, err: &narration}); err != nil {
				t.Fatal(err)
			}
			if text := out.String() + narration.String(); rawIn(text) || text == "" && name != "question" {
				t.Errorf("%q", text)
			}
		})
	}
}

// report1 is report without the code.
func report1(s streams, err error) { _ = report(s, err) }

// TestOutputGoesThroughTell: no command prints text in another way.
func TestOutputGoesThroughTell(t *testing.T) {
	var files []string
	for _, pattern := range []string{"*.go", "internal/beaconlength/*.go", "internal/inspection/*.go",
		"internal/narration/*.go", "internal/terminal/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, found, err)
		}
		files = append(files, found...)
	}
	calls := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "tell" {
				calls++
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, _ := f.X.(*ast.Ident)
			if pkg != nil && pkg.Name == "terminal" && f.Sel.Name == "Tell" {
				calls++
			}
			if pkg != nil && pkg.Name == "fmt" &&
				(strings.HasPrefix(f.Sel.Name, "Fprint") || strings.HasPrefix(f.Sel.Name, "Print")) &&
				name != "internal/terminal/tell.go" {
				t.Errorf("%s prints by fmt.%s: use tell", set.Position(call.Pos()), f.Sel.Name)
			}
			return true
		})
	}
	if calls < 40 {
		t.Errorf("only %d calls of tell were found", calls)
	}
}
