// SPDX-License-Identifier: Apache-2.0

// Package terminal prints for people: text from elsewhere escaped, with colours and
// a progress bar where the output is a terminal.
package terminal

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/ddbseal/ddbseal/internal/display"
)

// Styled is text that is safe to show as it is: with the colours of this
// program, and everything else escaped.
type Styled string

// Tell prints to a terminal or what stands for it. Strings and errors among the
// arguments, which may come from a file, a client or a server, are escaped; the
// format is the program's own. Everything that commands print for people goes
// through it.
func Tell(w io.Writer, format string, args ...any) error {
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = display.Text(a)
		case error:
			args[i] = display.Text(a.Error())
		}
	}
	_, err := fmt.Fprintf(w, format, args...)
	return err
}

// wireDetail is what the SDK puts before a service's own words.
var wireDetail = regexp.MustCompile(
	`(operation error [A-Za-z0-9 ]+: \w+, )?(exceeded maximum number of attempts, \d+, )?https response error StatusCode: \d+, RequestID: [^,]*, (api error )?`)

// Plain returns an error's text in one line, without details of the wire.
func Plain(text string) string { return wireDetail.ReplaceAllString(OneLine(text), "") }

// OneLine returns text with every run of white space, line breaks among it, as one
// space.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
