// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/ddbseal/ddbseal/internal/display"
)

// Size reports whether v is a terminal, and how wide.
func Size(v any) (width int, ok bool) {
	f, isFile := v.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	return width, true
}

// Style colours text, or leaves it as it is.
type Style struct{ On bool }

// StyleFor colours on a terminal, unless NO_COLOR says no.
func StyleFor(w io.Writer) Style {
	_, ok := Size(w)
	return Style{ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// code escapes text, which may come from anywhere, and colours it.
func (s Style) code(code, text string) Styled {
	text = display.Text(text)
	if !s.On || text == "" {
		return Styled(text)
	}
	return Styled("\x1b[" + code + "m" + text + "\x1b[0m")
}

// Bold returns text in bold.
func (s Style) Bold(text string) Styled { return s.code("1", text) }

// Faint returns text in a faint colour.
func (s Style) Faint(text string) Styled { return s.code("2", text) }

// Good returns text in the colour of success.
func (s Style) Good(text string) Styled { return s.code("32", text) }

// Bad returns text in the colour of failure.
func (s Style) Bad(text string) Styled { return s.code("1;31", text) }

// Warn returns text in the colour of a warning.
func (s Style) Warn(text string) Styled { return s.code("33", text) }
