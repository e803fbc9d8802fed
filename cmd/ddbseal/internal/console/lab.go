package console

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/labsetup/picture"
)

// stepView is one step on the page.
type stepView struct {
	labsetup.Step
	Number   int
	Done     bool
	Next     bool
	Failed   bool               // the lab cannot go on before it succeeds
	Link     screen             // where it is done by hand
	Found    *labsetup.Finding  // whether it is done already, of the next step
	Question *labsetup.Question // to answer before it runs
	Predicts bool               // the question is what the step will show
	Answered []answerView
	CSRF     string // of the form of the next step
}

// answerView is a question that the learner has answered.
type answerView struct {
	Text, Said, Because string
	Right               bool
}

type chapterView struct {
	labsetup.Lesson
	Steps []stepView
	Done  int
	Now   bool // the next step is here
	Held  bool // all of it is done and as expected
}

type labView struct {
	Core, Optional []chapterView
	Done, Size     int
	CoreSize       int
	Failed         int
	Next           int    // number of the next step; zero: none
	Stopped        string // why it cannot go on
	Report         *labsetup.Report
	Picture        template.HTML
	Sees           []labsetup.Step // the checks of who sees what
	Diff           []diffLine
	Names          labsetup.Names
	Wrong          string // why the names are not taken
	Password       string
	ReadOnly       bool
	Working        bool // a step is on its way
}

// ofAdministrator shows a user who does not administer what is theirs to do in the lab.
func (c *Console) ofAdministrator(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request, s *session) {
		_, err := s.iam.ListUsers(r.Context(), &iam.ListUsersInput{MaxItems: aws.Int32(1)})
		switch {
		case err == nil:
			h(w, r, s)
		case c.explain(s, err).Denied:
			status := http.StatusOK
			if r.Method == http.MethodPost {
				status = http.StatusForbidden
			}
			c.render(w, r, s, status, "labuser", page{Title: "Lab", Section: "lab", Body: c.progress.names()})
		default:
			c.failed(w, r, s, "lab", "Lab", err)
		}
	}
}

func (c *Console) labPage(w http.ResponseWriter, r *http.Request, s *session) {
	c.showLab(w, r, s, c.progress.names(), "")
}

// showLab shows the lab's page, with names that were not taken and why.
func (c *Console) showLab(w http.ResponseWriter, r *http.Request, s *session, names labsetup.Names, wrong string) {
	lab, err := labsetup.New(c.labConfig(s))
	if err != nil {
		c.failed(w, r, s, "lab", "Lab", err)
		return
	}
	kept := c.progress.of(s.arn)
	v := labView{Names: names, Wrong: wrong, Report: kept.Report, ReadOnly: c.readOnly()}
	if run := c.runOf(s); run != nil {
		run.mu.Lock()
		v.Report, v.Password, v.Working = run.report, run.password, run.active
		if run.err != nil {
			v.Stopped = message(run.err)
		}
		run.mu.Unlock()
	}
	v.fill(lab.Plan(), lab.Lessons(), kept.Answers, c.progress.names())
	next := v.next()
	if next != nil {
		next.CSRF = s.csrf
	}
	if next != nil && !v.Working {
		found, ok, err := c.checkStep(r.Context(), s, next.ID)
		switch {
		case err != nil:
			found, ok = labsetup.Finding{Text: "It cannot be seen whether this is done already: " + message(err)}, true
			fallthrough
		case ok:
			next.Found = &found
		}
	}
	c.render(w, r, s, http.StatusOK, "lab", page{Title: "Lab", Section: "lab", Body: v})
}

// next returns the next step, or nil.
func (v *labView) next() *stepView {
	for _, chapters := range [][]chapterView{v.Core, v.Optional} {
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

// fill puts together what the page shows.
func (v *labView) fill(plan []labsetup.Step, lessons []labsetup.Lesson, answers map[string]int, names labsetup.Names) {
	v.Size, v.Done = len(plan), min(v.Report.Done(), len(plan))
	chapters := map[string]*chapterView{}
	var order []*chapterView
	for i, step := range plan {
		x := stepView{Step: step, Number: i + 1, Done: i < v.Done, Next: i == v.Done && !v.ReadOnly,
			Link: byHand(step.ID, names)}
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
		ch := chapters[step.Chapter]
		if ch == nil {
			ch = &chapterView{Held: true}
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
func (v labView) Over() bool { return v.Done >= v.CoreSize }

// All reports whether all steps are done.
func (v labView) All() bool { return v.Done == v.Size }

// ProgressText is for labels.
func (v labView) ProgressText() string {
	if v.Done <= v.CoreSize {
		return strconv.Itoa(v.Done) + " of " + strconv.Itoa(v.CoreSize) + " steps of the core path"
	}
	return strconv.Itoa(v.Done) + " of all " + strconv.Itoa(v.Size) + " steps"
}

// ask chooses the question before the step, and shows the answers that were given.
func (x *stepView) ask(answers map[string]int) {
	prediction, predicts := labsetup.Prediction(x.Step)
	for _, q := range labsetup.QuestionsFor(x.Step) {
		isPrediction := predicts && q.Text == prediction.Text
		answer, answered := answers[answerName(q.Step, isPrediction)]
		answered = answered && answer >= 0 && answer < len(q.Choices)
		switch {
		case answered && (!isPrediction || x.Done):
			a := answerView{Text: q.Text, Said: q.Choices[answer], Because: q.Because, Right: answer == q.Right}
			if isPrediction {
				a.Because, a.Right = "", a.Right && x.OK // the step itself says why
			}
			x.Answered = append(x.Answered, a)
		case !answered && x.Next && x.Question == nil:
			x.Question, x.Predicts = &q, isPrediction
		}
	}
}

// answerName is the name under which an answer is kept.
func answerName(step string, predicts bool) string {
	if predicts {
		return step
	}
	return "?" + step
}

// labAnswer keeps the answer to a question. One to what the step will show runs it.
func (c *Console) labAnswer(w http.ResponseWriter, r *http.Request, s *session) {
	c.answer(s, r.PostForm.Get("question"), r.PostForm.Get("guess"), false)
	c.redirect(w, r, "/lab#step-"+strconv.Itoa(c.progress.of(s.arn).Report.Done()+1))
}

// answer keeps an answer, if there is such a question.
func (c *Console) answer(s *session, step, guess string, predicts bool) {
	n, err := strconv.Atoi(guess)
	lab, failed := labsetup.New(c.labConfig(s))
	if err != nil || failed != nil {
		return
	}
	for _, x := range lab.Plan() {
		if x.ID != step {
			continue
		}
		prediction, _ := labsetup.Prediction(x)
		for _, q := range labsetup.QuestionsFor(x) {
			if (q.Text == prediction.Text) == predicts && n >= 0 && n < len(q.Choices) {
				c.keep(s, func(p *labProgress) { p.Answers[answerName(step, predicts)] = n })
			}
		}
	}
}

// labSteps runs the steps up to the number of the form.
func (c *Console) labSteps(w http.ResponseWriter, r *http.Request, s *session) {
	number, err := strconv.Atoi(r.PostForm.Get("step"))
	if err != nil || number < 1 || number > 1000 {
		http.Error(w, "There is no such step.", http.StatusBadRequest)
		return
	}
	c.answer(s, r.PostForm.Get("question"), r.PostForm.Get("guess"), true)
	ctx, cancel := context.WithTimeout(r.Context(), runWait)
	defer cancel()
	run, err := c.startRun(ctx, s)
	if err != nil {
		c.failed(w, r, s, "lab", "Lab", err)
		return
	}
	c.advance(ctx, run, number, r.PostForm.Get("adopt") == "yes")
	done, core := c.progress.of(s.arn).Report.Done(), c.coreSize(s)
	if done >= number && (number == core || number > core && done == number) {
		c.redirect(w, r, "/lab#report")
		return
	}
	c.redirect(w, r, "/lab#step-"+strconv.Itoa(number))
}

// coreSize is the number of steps of the core path.
func (c *Console) coreSize(s *session) int {
	cfg := c.labConfig(s)
	cfg.Core = true
	lab, err := labsetup.New(cfg)
	if err != nil {
		return 0
	}
	return lab.Size()
}

// labNames sets the names of what the lab makes, before it begins.
func (c *Console) labNames(w http.ResponseWriter, r *http.Request, s *session) {
	text := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	names := labsetup.Names{Key: text("key"), ServerTable: text("serverTable"), ClientTable: text("clientTable"),
		User: text("user")}
	if c.progress.of(s.arn).Report.Done() > 0 {
		s.say("The lab is on its way: start over to change the names.")
		c.redirect(w, r, "/lab")
		return
	}
	cfg := c.labConfig(s)
	cfg.Names = names
	if _, err := labsetup.New(cfg); errors.Is(err, labsetup.ErrName) {
		c.showLab(w, r, s, names, err.Error())
		return
	}
	c.stopRun(r.Context(), s)
	if err := c.progress.setNames(names); err != nil {
		c.failed(w, r, s, "lab", "Lab", err)
		return
	}
	s.say("The lab uses these names now.")
	c.redirect(w, r, "/lab")
}

// labClean removes what the lab made, and forgets the progress.
func (c *Console) labClean(w http.ResponseWriter, r *http.Request, s *session) {
	if r.PostForm.Get("sure") != "yes" {
		s.say("Nothing was removed: tick the box to say that you mean it.")
		c.redirect(w, r, "/lab")
		return
	}
	c.stopRun(r.Context(), s)
	lab, err := labsetup.New(c.labConfig(s))
	var report *labsetup.Report
	if err == nil {
		report, err = lab.Down(r.Context())
	}
	if err == nil {
		err = c.progress.forget(s.arn, true)
	}
	if err != nil {
		c.failed(w, r, s, "lab", "Lab", err)
		return
	}
	left := ""
	if len(report.LeftAlone) > 0 {
		left = " Left alone: " + strings.Join(slices.Clone(report.LeftAlone), "; ") + "."
	}
	s.say("The lab was cleaned up. The key waits seven days for its deletion, which can be cancelled on its page." + left)
	c.redirect(w, r, "/lab")
}

// labReset forgets the progress: the lab starts from its beginning. What exists
// stays, and is found again.
func (c *Console) labReset(w http.ResponseWriter, r *http.Request, s *session) {
	c.stopRun(r.Context(), s)
	if err := c.progress.forget(s.arn, false); err != nil {
		c.failed(w, r, s, "lab", "Lab", err)
		return
	}
	c.redirect(w, r, "/lab")
}
