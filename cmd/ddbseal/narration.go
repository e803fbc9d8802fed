package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/screen"
	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/labsetup"
)

// narrator tells the steps of a lab as they are done, grouped by chapter. On a
// terminal it tells why at each step too, at reading pace where that is wanted.
type narrator struct {
	out     io.Writer
	style   style
	verbose bool
	why     bool // tell the reason of each step
	width   int
	lessons []labsetup.Lesson
	chapter string
	bar     *progressbar.ProgressBar // nil: no bar
	began   time.Time
	pause   func(time.Duration) // nil: no pauses
	learner *learner            // nil: no questions
}

// anyWidth is the width where there is no terminal: nothing is wrapped.
const anyWidth = 1 << 20

// newNarrator makes a narrator. A run of many slow steps gets a progress bar
// where standard error is a terminal; size is the number of steps.
func newNarrator(out io.Writer, verbose, slow bool, size int) *narrator {
	n := &narrator{out: out, style: styleFor(out), verbose: verbose, why: verbose, width: anyWidth, began: time.Now()}
	width, ok := terminal(out)
	if ok {
		n.width, n.why = width, true
	}
	if ok && slow {
		n.bar = progressbar.NewOptions(size, progressbar.OptionSetWriter(out), progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false))
	}
	return n
}

// begin is the first screen: the question of the lab, and its picture. A learner
// who predicts sees an empty one.
func (n *narrator) begin() {
	tell(n.out, "\nOne record, one key, two ways to encrypt: server-side DynamoDB encrypts, and\n"+
		"client-side your program does. Who sees what?\n\n")
	p := labsetup.ExpectedPicture()
	if n.learner != nil {
		p = screen.Covered()
	}
	n.lines(n.picture(p))
	tell(n.out, "\n")
	n.text("", "The lab checks this picture step by step ("+labsetup.CoreTime+"), and shows at its end what it found.")
}

// picture lays out a picture in this narrator's style.
func (n *narrator) picture(p labsetup.Picture) []string {
	return screen.Picture(p, min(n.width, 100), n.style.cell)
}

// cell colours a cell of the picture.
func (s style) cell(kind labsetup.PictureKind, text string) string {
	switch kind {
	case labsetup.Readable:
		return string(s.good(text))
	case labsetup.Unreadable:
		return string(s.faint(text))
	case labsetup.Denied:
		return string(s.warn(text))
	case labsetup.Unexpected:
		return string(s.bad(text))
	}
	return text
}

// lines prints lines that are laid out and escaped already.
func (n *narrator) lines(lines []string) {
	for _, line := range lines {
		tell(n.out, "%s\n", styled(line))
	}
}

// text prints sentences, wrapped and indented.
func (n *narrator) text(indent, text string) {
	for _, line := range screen.Wrap(display.Text(text), n.width-len(indent)) {
		tell(n.out, "%s%s\n", indent, styled(line))
	}
}

// ask asks what a learner is asked before a step.
func (n *narrator) ask(s labsetup.Step) {
	if n.learner == nil {
		return
	}
	n.heading(s)
	for _, q := range labsetup.QuestionsFor(s) {
		n.learner.ask(n, q)
	}
}

// heading begins a chapter: which of how many, and what it is for.
func (n *narrator) heading(s labsetup.Step) {
	if s.Chapter == n.chapter {
		return
	}
	n.chapter = s.Chapter
	total, number := 0, 0
	var lesson labsetup.Lesson
	for _, l := range n.lessons {
		if !l.Optional {
			total++
		}
		if l.Title == s.Chapter {
			lesson, number = l, total
		}
	}
	tell(n.out, "\n%s", n.style.bold(s.Chapter))
	switch {
	case lesson.Goal != "":
		tell(n.out, " %s\n", n.style.faint(fmt.Sprintf("(goal %d of %d)", number, total)))
		if n.why {
			n.text("  ", "You learn to "+lesson.Goal+".")
		}
	case lesson.Answers != "":
		tell(n.out, " %s\n", n.style.faint("(optional)"))
		if n.why {
			n.text("  ", lesson.Answers)
		}
	default:
		tell(n.out, "\n")
	}
}

// step tells one step.
func (n *narrator) step(s labsetup.Step) {
	if n.bar != nil {
		_ = n.bar.Clear() // what cannot be drawn is not missed
	}
	n.heading(s)
	line := s.Title
	if s.Got != labsetup.Done {
		line += " → " + s.Got
		if s.OK {
			line += ", as expected"
		}
	}
	if s.Took >= 10*time.Second {
		line += fmt.Sprintf(" (%s)", s.Took.Round(time.Second))
	}
	mark := n.mark(s)
	indent := 2 + len(screen.Mark(s)) + 1
	for i, part := range screen.Wrap(display.Text(line), n.width-indent) {
		if i == 0 {
			tell(n.out, "  %s %s\n", mark, styled(part))
			continue
		}
		tell(n.out, "%s%s\n", strings.Repeat(" ", indent), styled(part))
	}
	if !s.OK {
		n.trouble(s)
	}
	n.detail(s)
	if n.bar != nil {
		_ = n.bar.Add(1)
	}
	if n.pause != nil {
		n.pause(readingTime(line + " " + s.Why))
	}
}

// The reading pace: a bit slower than people read prose, and never so long that a
// step seems to hang.
const (
	wordsAMinute = 220
	minPause     = 800 * time.Millisecond
	maxPause     = 12 * time.Second
)

// readingTime is how long a text takes to read.
func readingTime(text string) time.Duration {
	return min(max(time.Duration(len(strings.Fields(text)))*time.Minute/wordsAMinute, minPause), maxPause)
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
	if s.Why != "" && n.why {
		n.text("       ", s.Why)
	}
	if !n.verbose {
		return
	}
	for i, line := range strings.Split(s.CLI, "\n") {
		prompt := "$ "
		if i > 0 {
			prompt = "  "
		}
		if line != "" {
			tell(n.out, "       %s\n", n.style.faint(prompt+line))
		}
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
	line := fmt.Sprintf("%d of %d steps held in %s", passed, len(r.Steps), screen.Round(time.Since(n.began)))
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
	if n.learner != nil {
		n.learner.end(n)
	}
}

// goals tells what the learner can do now: the goals of the chapters in which all
// was as expected.
func (n *narrator) goals(r *labsetup.Report) {
	tell(n.out, "\nYou can now:\n")
	for _, l := range n.lessons {
		done, held := false, true
		for _, s := range r.Steps {
			if s.Chapter == l.Title {
				done, held = true, held && s.OK
			}
		}
		switch {
		case l.Goal == "" || !done:
		case held:
			tell(n.out, "  %s %s\n", n.style.good("ok"), l.Goal)
		default:
			tell(n.out, "  %s %s %s\n", n.style.warn("??"), l.Goal, n.style.faint("(not every check held)"))
		}
	}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// printPicture is the last screen: the picture with what this run found, and with
// --verbose the table of all checks.
func printPicture(w io.Writer, r *labsetup.Report, verbose bool) error {
	width, ok := terminal(w)
	if !ok {
		width = 100
	}
	st := styleFor(w)
	var lines []string
	if verbose {
		lines = append(checkLines(r, st, width), "")
	}
	for _, p := range []*labsetup.Picture{r.Picture, r.Others} {
		if p != nil {
			lines = append(append(lines, screen.Picture(*p, min(width, 100), st.cell)...), "")
		}
	}
	if r.Picture != nil && r.Picture.Same(labsetup.ExpectedPicture()) {
		lines = append(lines, screen.Wrap(labsetup.PictureSentence, min(width, 100))...)
	}
	for _, line := range lines {
		if err := tell(w, "%s\n", styled(line)); err != nil {
			return err
		}
	}
	return nil
}

// checkLines are the lines of the table of checks.
func checkLines(r *labsetup.Report, st style, width int) []string {
	return screen.Checks(r.Steps, width, func(row, column int, text string) string {
		switch {
		case row < 0:
			return string(st.bold(text))
		case column == screen.ColumnMark && text == "ok":
			return string(st.good(text))
		case column == screen.ColumnMark:
			return string(st.bad(text))
		}
		return text
	})
}

// next are the commands to try after the lab.
func (n *narrator) next(commands [][2]string) {
	tell(n.out, "\nNext:\n")
	widest := 0
	for _, c := range commands {
		widest = max(widest, len(c[0]))
	}
	for _, c := range commands {
		if n.width < widest+4+len(c[1]) { // below each other
			tell(n.out, "  %s\n", n.style.bold(c[0]))
			n.text("      ", c[1])
			continue
		}
		tell(n.out, "  %s%s  %s\n", n.style.bold(c[0]), strings.Repeat(" ", widest-len(c[0])), c[1])
	}
}
