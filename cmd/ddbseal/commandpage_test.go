// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var updatePage = flag.Bool("update-commands", false, "write docs/commands.md")

const commandPage = "../../docs/commands.md"

// TestCommandPage: docs/commands.md says what --help says.
func TestCommandPage(t *testing.T) {
	parser, err := kong.New(&command{}, kong.Name("ddbseal"), kong.Vars{"version": ""})
	if err != nil {
		t.Fatal(err)
	}
	want := commandText(parser.Model)
	if *updatePage {
		if err := os.WriteFile(commandPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(commandPage)
	if err != nil || string(got) != want {
		t.Errorf("docs/commands.md is stale (%v): run go test ./cmd/ddbseal -run TestCommandPage -update-commands", err)
	}
}

// commandText is the page: each command with its detail and its own flags, and the
// flags that several commands share once.
func commandText(app *kong.Application) string {
	var page strings.Builder
	page.WriteString("# Commands\n\nWritten by `TestCommandPage` from what `ddbseal COMMAND --help` prints. " +
		"A command exits with 0, with 1 if it failed or if something that it checked does not hold, and with 2 " +
		"if the command line or a configuration file is wrong.\n")
	shared := map[string]*kong.Flag{}
	for _, leaf := range app.Leaves(true) {
		fmt.Fprintf(&page, "\n## %s\n\n%s\n", leaf.FullPath(), leaf.Help)
		if leaf.Detail != "" {
			page.WriteString("\n" + fenced(leaf.Detail))
		}
		var flags []string
		for _, p := range leaf.Positional {
			flags = append(flags, fmt.Sprintf("- `%s`: %s\n", p.Summary(), p.Help))
		}
		for _, f := range leaf.Flags {
			switch {
			case f.Hidden || f.Name == "help" || f.Name == "version":
			case f.Group != nil && f.Group.Title == "Where":
				shared[f.Name] = f
			default:
				flags = append(flags, flagLine(f))
			}
		}
		if len(flags) > 0 {
			fmt.Fprintf(&page, "\n%s", strings.Join(flags, ""))
		}
	}
	page.WriteString("\n## Where a command works\n\nThese flags are the same for the commands that call AWS. " +
		"`--help` shows which of them a command has.\n\n")
	names := make([]string, 0, len(shared))
	for name := range shared {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		page.WriteString(flagLine(shared[name]))
	}
	return page.String()
}

// fenced puts indented lines, which are examples, between fences.
func fenced(text string) string {
	var out strings.Builder
	code := false
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		example, indented := strings.CutPrefix(line, "  ")
		if indented != code && line != "" {
			out.WriteString("```\n")
			code = indented
		}
		out.WriteString(strings.TrimPrefix(example, "  ") + "\n")
	}
	if code {
		out.WriteString("```\n")
	}
	return out.String()
}

func flagLine(f *kong.Flag) string {
	name := "--" + f.Name
	if !f.IsBool() {
		name += "=" + f.FormatPlaceHolder()
	}
	if f.Short != 0 {
		name = "-" + string(f.Short) + ", " + name
	}
	return fmt.Sprintf("- `%s`: %s\n", name, f.Help)
}
