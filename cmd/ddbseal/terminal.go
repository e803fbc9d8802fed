package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/ddbseal/ddbseal/internal/display"
)

// terminal reports whether v is a terminal, and how wide.
func terminal(v any) (width int, ok bool) {
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

// style colours text, or leaves it as it is.
type style struct{ on bool }

// styleFor colours on a terminal, unless NO_COLOR says no.
func styleFor(w io.Writer) style {
	_, ok := terminal(w)
	return style{ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// code escapes text, which may come from anywhere, and colours it.
func (s style) code(code, text string) styled {
	text = display.Text(text)
	if !s.on || text == "" {
		return styled(text)
	}
	return styled("\x1b[" + code + "m" + text + "\x1b[0m")
}

func (s style) bold(text string) styled  { return s.code("1", text) }
func (s style) faint(text string) styled { return s.code("2", text) }
func (s style) good(text string) styled  { return s.code("32", text) }
func (s style) bad(text string) styled   { return s.code("1;31", text) }
func (s style) warn(text string) styled  { return s.code("33", text) }

// confirm asks for a word before something that costs or destroys. Without a
// terminal to ask on, only --yes goes on.
func confirm(s streams, yes bool, question, word string) error {
	if yes {
		return nil
	}
	if _, ok := terminal(s.in); !ok {
		return usagef("this asks first, and standard input is not a terminal: add --yes")
	}
	for line := range strings.Lines(question + "\n") {
		tell(s.err, "%s\n", strings.TrimSuffix(line, "\n"))
	}
	tell(s.err, "Type %q to go on: ", word)
	answer, err := bufio.NewReader(s.in).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if strings.TrimSpace(answer) != word {
		return fmt.Errorf("not confirmed: nothing was done")
	}
	return nil
}

// progress counts items where standard error is a terminal and the items come
// from and go to somewhere else; the nil progress does nothing.
type progress struct{ bar *progressbar.ProgressBar }

func counter(s streams) *progress {
	_, shown := terminal(s.err)
	_, typed := terminal(s.in)
	_, mixed := terminal(s.out)
	if !shown || typed || mixed {
		return nil
	}
	return &progress{progressbar.NewOptions(-1, progressbar.OptionSetWriter(s.err), progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("items"), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish())}
}

// What cannot be drawn is not missed: errors of the bar are ignored.

func (p *progress) add() {
	if p != nil {
		_ = p.bar.Add(1)
	}
}

func (p *progress) clear() {
	if p != nil {
		_ = p.bar.Clear()
	}
}

func (p *progress) end() {
	if p != nil {
		_ = p.bar.Finish()
	}
}
