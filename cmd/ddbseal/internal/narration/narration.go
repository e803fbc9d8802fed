// SPDX-License-Identifier: Apache-2.0

// Package narration tells the steps of a lab on a terminal: by chapter, with the
// reason of each, and with questions before a read.
package narration

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/screen"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/labsetup"
)

// Narrator tells the steps of a lab as they are done, grouped by chapter. On a
// terminal it tells why at each step too, at reading pace where that is wanted.
type Narrator struct {
	Why     bool // tell the reason of each step
	Width   int  // of the screen, in columns
	Lessons []labsetup.Lesson
	Pause   func(time.Duration) // nil: no pauses
	Learner *Learner            // nil: no questions

	out     io.Writer
	style   terminal.Style
	verbose bool
	chapter string
	// reasoned reports whether reasonsLead was told.
	reasoned bool
	bar      *progressbar.ProgressBar // nil: no bar
	began    time.Time
}

// anyWidth is the width where there is no terminal: nothing is wrapped.
const anyWidth = 1 << 20

// New returns a Narrator that writes to out. A run of many slow steps gets a
// progress bar if out is a terminal; size is the number of steps.
func New(out io.Writer, verbose, slow bool, size int) *Narrator {
	n := &Narrator{out: out, style: terminal.StyleFor(out), verbose: verbose, Why: verbose, Width: anyWidth,
		began: time.Now()}
	width, ok := terminal.Size(out)
	if ok {
		n.Width, n.Why = width, true
	}
	if ok && slow {
		n.bar = progressbar.NewOptions(size, progressbar.OptionSetWriter(out), progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false))
	}
	return n
}

// Begin is the first screen: the question of the lab, and its picture. A learner
// who predicts sees an empty one.
func (n *Narrator) Begin() {
	terminal.Tell(n.out, "\nOne record, one key, two ways to encrypt it. Server-side, DynamoDB encrypts;\n"+
		"client-side, your program does. Who sees what?\n\n"+
		"The record is a patient's: name, diagnosis (hay fever) and ward (north). The key\n"+
		"is in AWS KMS, the service that keeps keys. \"With the key\" means that KMS lets\n"+
		"the caller use it; the administrator may, and the lab's user may not.\n\n")
	p := labsetup.ExpectedPicture()
	if n.Learner != nil {
		p = screen.Covered()
	}
	n.Lines(n.Layout(p))
	terminal.Tell(n.out, "\n")
	n.Text("", "The lab checks this picture step by step ("+labsetup.CoreTime+"), and shows at its end what it found.")
}

// Layout lays out a picture in the narrator's style.
func (n *Narrator) Layout(p labsetup.Picture) []string {
	return screen.Picture(p, min(n.Width, 100), cellOf(n.style))
}

// cellOf returns the function that colours a cell of the picture.
func cellOf(s terminal.Style) func(labsetup.PictureKind, string) string {
	return func(kind labsetup.PictureKind, text string) string { return cell(s, kind, text) }
}

func cell(s terminal.Style, kind labsetup.PictureKind, text string) string {
	switch kind {
	case labsetup.Readable:
		return string(s.Good(text))
	case labsetup.Unreadable:
		return string(s.Faint(text))
	case labsetup.Denied:
		return string(s.Warn(text))
	case labsetup.Unexpected:
		return string(s.Bad(text))
	}
	return text
}

// Lines prints lines that are laid out and escaped already.
func (n *Narrator) Lines(lines []string) {
	for _, line := range lines {
		terminal.Tell(n.out, "%s\n", terminal.Styled(line))
	}
}

// Text prints sentences, wrapped and indented.
func (n *Narrator) Text(indent, text string) {
	for _, line := range screen.Wrap(display.Text(text), n.Width-len(indent)) {
		terminal.Tell(n.out, "%s%s\n", indent, terminal.Styled(line))
	}
}

// Ask asks what a learner is asked before a step.
func (n *Narrator) Ask(s labsetup.Step) {
	if n.Learner == nil {
		return
	}
	n.heading(s)
	for _, q := range labsetup.QuestionsFor(s) {
		n.Learner.Ask(n, q)
	}
}

// heading begins a chapter: which of how many, and what it is for.
func (n *Narrator) heading(s labsetup.Step) {
	if s.Chapter == n.chapter {
		return
	}
	n.chapter = s.Chapter
	total, number := 0, 0
	var lesson labsetup.Lesson
	for _, l := range n.Lessons {
		if !l.Optional {
			total++
		}
		if l.Title == s.Chapter {
			lesson, number = l, total
		}
	}
	terminal.Tell(n.out, "\n%s", n.style.Bold(s.Chapter))
	switch {
	case lesson.Goal != "":
		terminal.Tell(n.out, " %s\n", n.style.Faint(fmt.Sprintf("(goal %d of %d)", number, total)))
		if n.Why {
			n.Text("  ", "You learn to "+lesson.Goal+".")
		}
	case lesson.Answers != "":
		terminal.Tell(n.out, " %s\n", n.style.Faint("(optional)"))
		if n.Why {
			n.Text("  ", lesson.Answers)
		}
	default:
		terminal.Tell(n.out, "\n")
	}
}

// Step tells one step.
func (n *Narrator) Step(s labsetup.Step) {
	if n.bar != nil {
		_ = n.bar.Clear() // what cannot be drawn is not missed
	}
	n.heading(s)
	line := s.Title
	if s.Existed {
		line += " (it was there already)"
	}
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
	for i, part := range screen.Wrap(display.Text(line), n.Width-indent) {
		if i == 0 {
			terminal.Tell(n.out, "  %s %s\n", mark, terminal.Styled(part))
			continue
		}
		terminal.Tell(n.out, "%s%s\n", strings.Repeat(" ", indent), terminal.Styled(part))
	}
	if !s.OK {
		n.trouble(s)
	}
	n.detail(s)
	if n.bar != nil {
		_ = n.bar.Add(1)
	}
	if n.Pause != nil {
		n.Pause(readingTime(line + " " + s.Why))
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

func (n *Narrator) mark(s labsetup.Step) terminal.Styled {
	switch s.Outcome {
	case labsetup.Passed:
		return n.style.Good("ok")
	case labsetup.Unverified:
		return n.style.Warn("??")
	}
	return n.style.Bad("FAIL")
}

// reasonsLead tells a reader who knows key policies and IAM policies what the
// reasons of a decision call them.
const reasonsLead = "Each statement, as it was read for this call. Managed and inline policies are the caller's IAM " +
	"policies (identity-based). The resource-based policy belongs to the key or the table: a key's is its key policy."

// trouble says what was expected, what AWS said, what it means and how to mend
// it.
func (n *Narrator) trouble(s labsetup.Step) {
	terminal.Tell(n.out, "       expected %s\n", s.Expected)
	if s.Outcome == labsetup.Unverified {
		terminal.Tell(n.out, "       AWS has not shown it in time; permissions and the audit can lag for minutes\n")
	}
	if s.Error != "" {
		terminal.Tell(n.out, "       said: %s\n", terminal.Plain(s.Error))
	}
	if s.Hint != "" {
		terminal.Tell(n.out, "       fix: %s\n", s.Hint)
	}
}

func (n *Narrator) detail(s labsetup.Step) {
	if s.Why != "" && n.Why {
		n.Text("       ", s.Why)
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
			terminal.Tell(n.out, "       %s\n", n.style.Faint(prompt+line))
		}
	}
	if len(s.Reasons) > 0 && !n.reasoned { // the first time is enough
		n.reasoned = true
		n.Text("       ", reasonsLead)
	}
	for _, r := range s.Reasons {
		terminal.Tell(n.out, "       %s\n", n.style.Faint("- "+r))
	}
}

// End sums up.
func (n *Narrator) End(r *labsetup.Report) {
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
		terminal.Tell(n.out, "left alone: %s\n", left)
	}
	for _, answer := range r.Measured {
		terminal.Tell(n.out, "measured: %s\n", answer)
	}
	said := n.style.Bad(line)
	if r.OK() {
		said = n.style.Good(line)
	}
	terminal.Tell(n.out, "\n%s.\n", said)
	if n.Learner != nil {
		n.Learner.end(n)
	}
}

// Goals tells what the learner can do now: the goals of the chapters in which all
// was as expected.
func (n *Narrator) Goals(r *labsetup.Report) {
	terminal.Tell(n.out, "\nYou can now:\n")
	for _, l := range n.Lessons {
		done, held := false, true
		for _, s := range r.Steps {
			if s.Chapter == l.Title {
				done, held = true, held && s.OK
			}
		}
		switch {
		case l.Goal == "" || !done:
		case held:
			terminal.Tell(n.out, "  %s %s\n", n.style.Good("ok"), l.Goal)
		default:
			terminal.Tell(n.out, "  %s %s %s\n", n.style.Warn("??"), l.Goal, n.style.Faint("(not every check held)"))
		}
	}
}

// PrintPicture is the last screen: the picture with what this run found, and with
// --verbose the table of all checks.
func PrintPicture(w io.Writer, r *labsetup.Report, verbose bool) error {
	width, ok := terminal.Size(w)
	if !ok {
		width = 100
	}
	st := terminal.StyleFor(w)
	var lines []string
	if verbose {
		lines = append(CheckLines(r, st, width), "")
	}
	for _, p := range []*labsetup.Picture{r.Picture, r.Others} {
		if p != nil {
			lines = append(append(lines, screen.Picture(*p, min(width, 100), cellOf(st))...), "")
		}
	}
	if r.Picture != nil && r.Picture.Same(labsetup.ExpectedPicture()) {
		lines = append(lines, screen.Wrap(labsetup.PictureSentence, min(width, 100))...)
	}
	for _, line := range lines {
		if err := terminal.Tell(w, "%s\n", terminal.Styled(line)); err != nil {
			return err
		}
	}
	return nil
}

// CheckLines are the lines of the table of checks.
func CheckLines(r *labsetup.Report, st terminal.Style, width int) []string {
	return screen.Checks(r.Steps, width, func(row, column int, text string) string {
		switch {
		case row < 0:
			return string(st.Bold(text))
		case column == screen.ColumnMark && text == "ok":
			return string(st.Good(text))
		case column == screen.ColumnMark:
			return string(st.Bad(text))
		}
		return text
	})
}

// Next are the commands to try after the lab.
func (n *Narrator) Next(commands [][2]string) {
	terminal.Tell(n.out, "\nNext:\n")
	widest := 0
	for _, c := range commands {
		widest = max(widest, len(c[0]))
	}
	for _, c := range commands {
		if n.Width < widest+4+len(c[1]) { // below each other
			terminal.Tell(n.out, "  %s\n", n.style.Bold(c[0]))
			n.Text("      ", c[1])
			continue
		}
		terminal.Tell(n.out, "  %s%s  %s\n", n.style.Bold(c[0]), strings.Repeat(" ", widest-len(c[0])), c[1])
	}
}
