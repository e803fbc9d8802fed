// SPDX-License-Identifier: Apache-2.0

// Package completion finds what could follow the words of a command line.
package completion

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/principal"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/labsetup/exercise"
)

// Argument, as the first argument, asks what could stand at the end of
// the arguments that follow.
const Argument = "__complete"

// filesSuggestion is the line that lets the shell offer files.
const filesSuggestion = ":files"

// suggestion is a word that could follow, and what it means.
type suggestion struct{ word, help string }

// completer finds what could follow the words of a command line.
type completer struct {
	node     *kong.Node        // the command so far
	given    map[string]string // flags so far, with their values
	open     *kong.Flag        // the flag whose value comes next
	words    int               // positional arguments so far
	noFlags  bool              // after "--"
	separate bool              // the shell splits words at "=", and replaces what follows it
}

// Print prints the suggestions for the last of the words, one a line: the
// word, a tab, its meaning.
func Print(out io.Writer, root *kong.Node, words []string) {
	c := &completer{node: root, given: map[string]string{}}
	words = c.join(words)
	if len(words) == 0 {
		words = []string{""}
	}
	last := len(words) - 1
	for _, w := range words[:last] {
		c.take(w)
	}
	for _, s := range c.suggest(words[last]) {
		// A shell that went away misses nothing.
		help := strings.Join(strings.Fields(s.help), " ")
		_, _ = fmt.Fprintf(out, "%s\t%s\n", display.Text(s.word), display.Text(help))
	}
}

// join undoes what Bash does to --flag=value, which arrives as three words.
func (c *completer) join(words []string) (joined []string) {
	glue := false
	for _, w := range words {
		c.separate = len(joined) > 0 && (w == "=" || glue)
		if c.separate {
			joined[len(joined)-1] += w
		} else {
			joined = append(joined, w)
		}
		glue = w == "="
	}
	return joined
}

// take follows one word.
func (c *completer) take(w string) {
	switch {
	case c.open != nil:
		c.given[c.open.Name] = w
		c.open = nil
	case c.noFlags || !strings.HasPrefix(w, "-") || w == "-":
		if child := c.child(w); child != nil {
			c.node = child
		} else {
			c.words++
		}
	case w == "--":
		c.noFlags = true
	default:
		name, value, has := strings.Cut(w, "=")
		f := c.flag(name)
		if f == nil {
			return
		}
		c.given[f.Name] = value
		if !has && !f.IsBool() && !f.IsCounter() {
			c.open = f
		}
	}
}

func (c *completer) child(name string) *kong.Node {
	for _, n := range c.node.Children {
		if c.words == 0 && (n.Name == name || slices.Contains(n.Aliases, name)) {
			return n
		}
	}
	return nil
}

// flags are those that the command knows.
func (c *completer) flags() []*kong.Flag { return slices.Concat(c.node.AllFlags(true)...) }

func (c *completer) flag(name string) *kong.Flag {
	for _, f := range c.flags() {
		if "--"+f.Name == name || f.Short != 0 && "-"+string(f.Short) == name {
			return f
		}
	}
	return nil
}

// suggest lists what begins with the text.
func (c *completer) suggest(text string) (found []suggestion) {
	switch {
	case c.open != nil:
		return c.values(c.open.Value, text, "")
	case strings.HasPrefix(text, "-") && !c.noFlags:
		name, value, has := strings.Cut(text, "=")
		if f := c.flag(name); has && f != nil && !f.IsBool() {
			before := name + "="
			if c.separate {
				before = ""
			}
			return c.values(f.Value, value, before)
		}
		for _, f := range c.flags() {
			if _, set := c.given[f.Name]; !set || f.IsCumulative() {
				found = append(found, suggestion{"--" + f.Name, f.Help})
			}
		}
	case len(c.node.Children) > 0 && c.words == 0:
		for _, n := range c.node.Children {
			if !n.Hidden {
				found = append(found, suggestion{n.Name, n.Help})
			}
		}
	default:
		words := c.node.Positional
		if n := len(words); c.words < n {
			return c.values(words[c.words], text, "")
		} else if n > 0 && words[n-1].IsCumulative() {
			return c.values(words[n-1], text, "")
		}
	}
	return beginning(found, text)
}

// values lists the values that begin with the text; before is put in front of
// each one.
func (c *completer) values(v *kong.Value, text, before string) (found []suggestion) {
	switch v.Tag.Type {
	case "path", "existingfile":
		return []suggestion{{word: filesSuggestion}}
	}
	words := v.EnumSlice()
	switch list := v.Tag.Get("complete"); {
	case list == "@exercises":
		for _, e := range exercise.All() {
			words = append(words, e.ID)
		}
	case list == "@tables":
		words = []string{labsetup.ServerTable, labsetup.ClientTable, labsetup.BothTable, labsetup.OtherTable}
	case list == "@keyrings":
		words = itemconfig.KeyringTypes()
	case list == "@principals", v.Tag.PlaceHolder == "PRINCIPAL":
		words = c.principals()
	case list != "":
		words = strings.Split(list, ",")
	}
	for _, w := range words {
		if w != "" {
			found = append(found, suggestion{word: w})
		}
	}
	found = beginning(found, text)
	for i := range found {
		found[i].word = before + found[i].word
	}
	return found
}

// principals are the names whose keys 'up' has kept, or, before it has run,
// those whose keys it will keep.
func (c *completer) principals() []string {
	dir := cmp.Or(c.given["data-dir"], os.Getenv("DDBSEAL_DATA_DIR"))
	if dir == "" {
		dir, _ = principal.DefaultFolder() // without one there is no file
	}
	file := principal.File
	if _, onAWS := c.given["aws"]; onAWS {
		file = principal.FileAWS
	}
	if p, err := principal.Read(filepath.Join(dir, file)); err == nil && len(p.Keys) > 0 {
		return slices.Sorted(maps.Keys(p.Keys))
	}
	return []string{principal.Administrator, labsetup.UserName}
}

func beginning(list []suggestion, text string) []suggestion {
	return slices.DeleteFunc(list, func(s suggestion) bool { return !strings.HasPrefix(s.word, text) })
}
