package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"

	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/labsetup"
)

// narrator tells the steps of a lab as they are done, one line each, grouped
// by chapter.
type narrator struct {
	out     io.Writer
	style   style
	verbose bool
	chapter string
	bar     *progressbar.ProgressBar // nil: no bar
	began   time.Time
}

// newNarrator makes a narrator. A run of many slow steps gets a progress bar
// where standard error is a terminal; size is the number of steps.
func newNarrator(out io.Writer, verbose, slow bool, size int) *narrator {
	n := &narrator{out: out, style: styleFor(out), verbose: verbose, began: time.Now()}
	if _, ok := terminal(out); ok && slow {
		n.bar = progressbar.NewOptions(size, progressbar.OptionSetWriter(out), progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false))
	}
	return n
}

// step tells one step.
func (n *narrator) step(s labsetup.Step) {
	if n.bar != nil {
		_ = n.bar.Clear() // what cannot be drawn is not missed
	}
	if s.Chapter != n.chapter {
		n.chapter = s.Chapter
		tell(n.out, "\n%s\n", n.style.bold(s.Chapter))
	}
	got := ""
	if s.Got != labsetup.Done {
		got = " → " + s.Got
	}
	took := styled("")
	if s.Took >= 10*time.Second {
		took = n.style.faint(fmt.Sprintf(" (%s)", s.Took.Round(time.Second)))
	}
	tell(n.out, "  %s %s%s%s\n", n.mark(s), s.Title, got, took)
	if !s.OK {
		n.trouble(s)
	}
	if n.verbose {
		n.detail(s)
	}
	if n.bar != nil {
		_ = n.bar.Add(1)
	}
}

func (n *narrator) mark(s labsetup.Step) styled {
	switch s.Outcome {
	case labsetup.Passed:
		return n.style.good("ok")
	case labsetup.Unverified:
		return n.style.warn("??")
	}
	return n.style.bad("FAIL")
}

// trouble says what was expected, what AWS said, what it means and how to mend
// it.
func (n *narrator) trouble(s labsetup.Step) {
	tell(n.out, "       expected %s\n", s.Expected)
	if s.Outcome == labsetup.Unverified {
		tell(n.out, "       AWS has not shown it in time; permissions and the audit can lag for minutes\n")
	}
	if s.Error != "" {
		tell(n.out, "       said: %s\n", plain(s.Error))
	}
	if s.Hint != "" {
		tell(n.out, "       fix: %s\n", s.Hint)
	}
}

func (n *narrator) detail(s labsetup.Step) {
	if s.Why != "" {
		tell(n.out, "       %s\n", s.Why)
	}
	if s.CLI != "" {
		tell(n.out, "       %s\n", n.style.faint("$ "+s.CLI))
	}
	for _, r := range s.Reasons {
		tell(n.out, "       %s\n", n.style.faint("- "+r))
	}
}

// end sums up.
func (n *narrator) end(r *labsetup.Report) {
	if n.bar != nil {
		_ = n.bar.Finish()
	}
	var passed, unverified int
	for _, s := range r.Steps {
		switch s.Outcome {
		case labsetup.Passed:
			passed++
		case labsetup.Unverified:
			unverified++
		}
	}
	line := fmt.Sprintf("%d of %d steps held in %s", passed, len(r.Steps), round(time.Since(n.began)))
	if unverified > 0 {
		line += fmt.Sprintf(", %d not shown by AWS in time", unverified)
	}
	for _, left := range r.LeftAlone {
		tell(n.out, "left alone: %s\n", left)
	}
	for _, answer := range r.Measured {
		tell(n.out, "measured: %s\n", answer)
	}
	said := n.style.bad(line)
	if r.OK() {
		said = n.style.good(line)
	}
	tell(n.out, "\n%s.\n", said)
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Second)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// printTable prints who sees what: the steps that read. On a terminal the last
// column is wrapped, and goes below the others where there is no room for it.
func printTable(w io.Writer, r *labsetup.Report) error {
	width, ok := terminal(w)
	if !ok {
		width = 1 << 30
	}
	return writeTable(w, r, styleFor(w), width)
}

// roomForWhy is how narrow the last column may be.
const roomForWhy = 40

func writeTable(w io.Writer, r *labsetup.Report, st style, width int) error {
	rows := [][]string{{"CHECK", "PRINCIPAL", "MODE", "SEES", "WHY"}}
	for _, s := range r.Steps {
		if s.Mode != "" {
			rows = append(rows, []string{checkMark(s), display.Text(s.Principal), display.Text(s.Mode),
				display.Text(s.Got), display.Text(oneLine(s.Why))})
		}
	}
	widths := make([]int, 4)
	for _, row := range rows {
		for i := range widths {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	indent := 0
	for _, n := range widths {
		indent += n + 2
	}
	below := width < indent+roomForWhy
	if below {
		indent = widths[0] + 2
		rows[0][4] = ""
	}
	for n, row := range rows {
		var b strings.Builder
		for i, width := range widths {
			text := styled(row[i])
			padding := strings.Repeat(" ", width-utf8.RuneCountInString(row[i])+2)
			switch {
			case n == 0:
				text = st.bold(row[i])
			case i == 0 && row[i] == "ok":
				text = st.good(row[i])
			case i == 0:
				text = st.bad(row[i])
			case i == 3 && strings.HasPrefix(row[i], "denied"):
				text = st.warn(row[i])
			}
			b.WriteString(string(text) + padding)
		}
		for i, line := range wrap(row[4], width-indent) {
			if line != "" && (i > 0 || below) {
				b.WriteString("\n" + strings.Repeat(" ", indent))
			}
			b.WriteString(line)
		}
		for line := range strings.Lines(b.String() + "\n") {
			if err := tell(w, "%s\n", styled(strings.TrimRight(line, " \n"))); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkMark(s labsetup.Step) string {
	switch s.Outcome {
	case labsetup.Passed:
		return "ok"
	case labsetup.Unverified:
		return "??"
	}
	return "FAIL"
}
