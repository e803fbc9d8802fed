// SPDX-License-Identifier: Apache-2.0

package narration

import (
	"bufio"
	"io"
	"strconv"
	"strings"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
	"github.com/ddbseal/ddbseal/labsetup"
)

// Learner asks questions on a terminal and counts the answers that were right.
type Learner struct {
	in           *bufio.Reader
	asked, right int
}

// NewLearner returns a Learner who answers on in.
func NewLearner(in io.Reader) *Learner { return &Learner{in: bufio.NewReader(in)} }

// mostTries is how often a question is asked again after an answer that is not
// one of its numbers.
const mostTries = 3

// Ask asks one question and tells the right answer. After the end of input it
// asks nothing.
func (l *Learner) Ask(n *Narrator, q labsetup.Question) {
	if l.in == nil {
		return
	}
	terminal.Tell(n.out, "\n")
	n.Text("  ", "Before it runs: "+q.Text)
	for i, choice := range q.Choices {
		n.Text("    ", strconv.Itoa(i+1)+"  "+choice)
	}
	for range mostTries {
		terminal.Tell(n.out, "  Your answer (1 to %d, Enter to skip): ", len(q.Choices))
		line, err := l.in.ReadString('\n')
		if err != nil {
			l.in = nil
			terminal.Tell(n.out, "\n")
			return
		}
		line = strings.TrimSpace(line)
		if line == "" {
			return
		}
		answer, err := strconv.Atoi(line)
		if err != nil || answer < 1 || answer > len(q.Choices) {
			continue
		}
		l.asked++
		if answer-1 == q.Right {
			l.right++
			terminal.Tell(n.out, "  %s\n", n.style.Good("Right."))
		} else {
			n.Text("  ", "Not quite: it is "+strconv.Itoa(q.Right+1)+", "+q.Choices[q.Right]+".")
		}
		if !predicts(q) {
			n.Text("  ", q.Because)
		}
		return
	}
}

// predicts reports whether a question is about what a step will show: the step
// itself tells why.
func predicts(q labsetup.Question) bool {
	sights := labsetup.Sights()
	return len(q.Choices) == len(sights) && q.Choices[0] == sights[0]
}

// end tells how many answers were right.
func (l *Learner) end(n *Narrator) {
	if l.asked > 0 {
		terminal.Tell(n.out, "You answered %d of %d questions right.\n", l.right, l.asked)
	}
}
