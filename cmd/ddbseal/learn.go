package main

import (
	"bufio"
	"io"
	"strconv"
	"strings"

	"github.com/ddbseal/ddbseal/labsetup"
)

// learner asks questions on a terminal and counts the answers that were right.
type learner struct {
	in           *bufio.Reader
	asked, right int
}

func newLearner(in io.Reader) *learner { return &learner{in: bufio.NewReader(in)} }

// mostTries is how often a question is asked again after an answer that is not
// one of its numbers.
const mostTries = 3

// ask asks one question and tells the right answer. After the end of input it
// asks nothing.
func (l *learner) ask(n *narrator, q labsetup.Question) {
	if l.in == nil {
		return
	}
	tell(n.out, "\n")
	n.text("  ", "Before it runs: "+q.Text)
	for i, choice := range q.Choices {
		n.text("    ", strconv.Itoa(i+1)+"  "+choice)
	}
	for range mostTries {
		tell(n.out, "  Your answer (1 to %d, Enter to skip): ", len(q.Choices))
		line, err := l.in.ReadString('\n')
		if err != nil {
			l.in = nil
			tell(n.out, "\n")
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
			tell(n.out, "  %s\n", n.style.good("Right."))
		} else {
			n.text("  ", "Not quite: it is "+strconv.Itoa(q.Right+1)+", "+q.Choices[q.Right]+".")
		}
		if !predicts(q) {
			n.text("  ", q.Because)
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
func (l *learner) end(n *narrator) {
	if l.asked > 0 {
		tell(n.out, "You answered %d of %d questions right.\n", l.right, l.asked)
	}
}
