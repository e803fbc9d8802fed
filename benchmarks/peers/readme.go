// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"
)

// What stands between these lines of the README is written by a run, so that
// it claims nothing that a run does not show.
const (
	paragraphBegin = "<!-- written by benchmarks/peers/run -->\n"
	paragraphEnd   = "<!-- until here -->\n"
)

var errNoParagraph = errors.New("there is no place for the figures")

func replaceParagraph(text, paragraph string) (string, error) {
	before, rest, ok := strings.Cut(text, paragraphBegin)
	if !ok {
		return "", errNoParagraph
	}
	_, after, ok := strings.Cut(rest, paragraphEnd)
	if !ok {
		return "", errNoParagraph
	}
	return before + paragraphBegin + paragraph + paragraphEnd + after, nil
}

// paragraph says what an item of 1 KB takes.
func (r report) paragraph() string {
	var b strings.Builder
	fmt.Fprintf(&b,
		"An item of 1 KB, one at a time; %s:\n\n| Suite | | %s | Its processor time | %s | %s "+
			"|\n|---|---|---|---|---|---|\n", r.machine, ourName, rustName, javaName)
	for _, signed := range []bool{true, false} {
		for _, one := range r.results {
			if one.shape != (shape{signed, 1000}) {
				continue
			}
			own := one.median(ourName)
			beside := func(name string) string {
				v := one.median(name)
				return fmt.Sprintf("%s (%s times)", microseconds(v), ratio(v, own))
			}
			suite := one.shape.suite()
			if signed {
				suite += ", the default"
			}
			processor := "not known"
			if d := one.processor(ourName); d > 0 {
				processor = microseconds(d)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", suite, one.operation(), microseconds(own), processor,
				beside(rustName), beside(javaName))
		}
	}
	return b.String()
}
