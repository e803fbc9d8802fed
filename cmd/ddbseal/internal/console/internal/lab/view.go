// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"html/template"
	"strconv"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/labsetup/picture"
)

// Step is one step on the page.
type Step struct {
	labsetup.Step
	Number   int
	Done     bool
	Next     bool
	Failed   bool               // the lab cannot go on before it succeeds
	Link     Screen             // where it is done by hand
	Found    *labsetup.Finding  // whether it is done already, of the next step
	Question *labsetup.Question // to answer before it runs
	Predicts bool               // the question is what the step will show
	Hidden   bool               // it reads and has not run: what it will show is not told
	Answered []Answer
	Later    bool   // it comes after the next one
	CSRF     string // of its form
}

// Answer is a question that the learner has answered.
type Answer struct {
	Text, Said, Because string
	Right               bool
}

type Chapter struct {
	labsetup.Lesson
	Steps []Step
	Done  int
	Now   bool // the next step is here
	Held  bool // all of it is done and as expected
}

type View struct {
	Core, Optional []Chapter
	Done, Size     int
	CoreSize       int
	Failed         int
	Next           int    // number of the next step; zero: none
	Stopped        string // why it cannot go on
	Report         *labsetup.Report
	Picture        template.HTML
	Sees           []labsetup.Step // the checks of who sees what
	Diff           []keypolicy.Line
	Names          labsetup.Names
	Wrong          string // why the names are not taken
	Password       string
	ReadOnly       bool
	Working        bool // a step is on its way
	CSRF           string
}

// Upcoming returns the next step, or nil.
func (v *View) Upcoming() *Step {
	for _, chapters := range [][]Chapter{v.Core, v.Optional} {
		for _, ch := range chapters {
			for i := range ch.Steps {
				if ch.Steps[i].Next {
					return &ch.Steps[i]
				}
			}
		}
	}
	return nil
}

// Fill puts together what the page shows.
func (v *View) Fill(plan []labsetup.Step, lessons []labsetup.Lesson, answers map[string]int, names labsetup.Names) {
	v.Size, v.Done = len(plan), min(v.Report.Done(), len(plan))
	chapters := map[string]*Chapter{}
	var order []*Chapter
	for i, step := range plan {
		x := Step{Step: step, Number: i + 1, Done: i < v.Done, Next: i == v.Done && !v.ReadOnly,
			Later: i > v.Done && !v.ReadOnly,
			Link:  ByHand(step.ID, names), CSRF: v.CSRF}
		if x.Failed = i == v.Done && i < len(v.Report.Steps); x.Done || x.Failed {
			x.Step = v.Report.Steps[i]
			x.CLI = step.CLI
			if !x.OK {
				v.Failed++
			}
		}
		if x.Next {
			v.Next = x.Number
		}
		if !step.Optional {
			v.CoreSize = i + 1
		}
		x.ask(answers)
		x.Hidden = x.Mode != "" && !x.Done && (!x.Next || x.Question != nil)
		ch := chapters[step.Chapter]
		if ch == nil {
			ch = &Chapter{Held: true}
			ch.Lesson = lessons[len(order)]
			chapters[step.Chapter] = ch
			order = append(order, ch)
		}
		ch.Steps = append(ch.Steps, x)
		ch.Now = ch.Now || x.Next
		ch.Held = ch.Held && x.Done && x.OK
		if x.Done {
			ch.Done++
		}
	}
	for _, ch := range order {
		if ch.Optional && !ch.Now { // the commands are most of the page
			for i := range ch.Steps {
				ch.Steps[i].CLI = ""
			}
		}
		if ch.Optional {
			v.Optional = append(v.Optional, *ch)
		} else {
			v.Core = append(v.Core, *ch)
		}
	}
	for _, step := range v.Report.Steps {
		if step.Mode != "" {
			v.Sees = append(v.Sees, step)
		}
	}
	v.Diff = keypolicy.Diff(v.Report.PolicyBefore, v.Report.PolicyAfter)
	if v.Report.Picture != nil {
		v.Picture = template.HTML(picture.Of(*v.Report.Picture).SVG(picture.Variables)) // escaped there
	}
}

// Over reports whether the core path is done: the page shows the verdict.
func (v View) Over() bool { return v.Done >= v.CoreSize }

// All reports whether all steps are done.
func (v View) All() bool { return v.Done == v.Size }

// ProgressText is for labels.
func (v View) ProgressText() string {
	if v.Done <= v.CoreSize {
		return strconv.Itoa(v.Done) + " of " + strconv.Itoa(v.CoreSize) + " steps of the core path"
	}
	return strconv.Itoa(v.Done) + " of all " + strconv.Itoa(v.Size) + " steps"
}

// ask chooses the question before the step, and shows the answers that were given.
func (x *Step) ask(answers map[string]int) {
	prediction, predicts := labsetup.Prediction(x.Step)
	for _, q := range labsetup.QuestionsFor(x.Step) {
		isPrediction := predicts && q.Text == prediction.Text
		answer, answered := answers[AnswerName(q.Step, isPrediction)]
		answered = answered && answer >= 0 && answer < len(q.Choices)
		switch {
		case answered && (!isPrediction || x.Done):
			a := Answer{Text: q.Text, Said: q.Choices[answer], Because: q.Because, Right: answer == q.Right}
			if isPrediction {
				a.Because, a.Right = "", a.Right && x.OK // the step itself says why
			}
			x.Answered = append(x.Answered, a)
		case !answered && x.Next && x.Question == nil:
			x.Question, x.Predicts = &q, isPrediction
		}
	}
}

// AnswerName is the name under which an answer is kept.
func AnswerName(step string, predicts bool) string {
	if predicts {
		return step
	}
	return "?" + step
}
