// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/lab"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/hint"
	"github.com/ddbseal/ddbseal/labsetup"
)

// labConfig configures the lab as the session's user. It makes no call.
func (c *Console) labConfig(s *session) labsetup.Config {
	cfg := labsetup.Config{
		Administrator: s.cfg,
		As:            c.as,
		Names:         c.progress.Named(),
		ByHand:        true,
		OwnKey:        c.progress.Of(s.arn).Key,
		Folder:        c.cfg.Folder,
		Hint:          hint.ForLab,
		SignIn:        c.signInAddress,
		Keep:          true, // clean-up is a step of its own: see labClean
	}
	cfg.Keys = func(user string, k aws.Credentials) error {
		if user != cfg.Names.User {
			return nil
		}
		return c.progress.Change(s.arn, func(u *lab.User) { u.Key = k.AccessKeyID })
	}
	if c.cfg.Server != nil {
		cfg.Explain, cfg.Disk = c.lastReasons, c.onDisk
		cfg.OtherAccount = &aws.Config{Region: s.cfg.Region} // for the plan: see startRun
	} else {
		cfg.Deadline, cfg.AuditDeadline = c.cfg.Attached.Deadline, c.cfg.Attached.AuditDeadline
	}
	return cfg
}

// onDisk shows what the embedded AWS keeps of a record.
func (c *Console) onDisk(ctx context.Context, table, id string) ([]byte, error) {
	view, err := c.cfg.Server.DiskView(ctx, table,
		map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}})
	return view.Sealed, err
}

// lastReasons returns the reasons of the newest denial. The lab asks right after it.
func (c *Console) lastReasons() []string {
	events := c.cfg.Server.Audit().Events()
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Denied() {
			return events[i].Reasons()
		}
	}
	return nil
}

// runWait is how long a request waits for the steps that it asked for.
const runWait = 60 * time.Second

// startRun returns the session's run. A new one begins where the user's progress is.
func (c *Console) startRun(ctx context.Context, s *session) (*lab.Run, error) {
	cfg := c.labConfig(s)
	if c.cfg.Server != nil {
		root, err := c.cfg.Server.AddAccount(administrator.OtherAccount)
		if err != nil {
			return nil, err
		}
		other := c.as(root)
		cfg.OtherAccount = &other
	}
	setup, err := labsetup.New(cfg)
	if err != nil {
		return nil, err
	}
	return c.runs.Start(ctx, s.arn, c.runConfig(s, setup)), nil
}

func (c *Console) runConfig(s *session, setup *labsetup.Lab) lab.RunConfig {
	return lab.RunConfig{Session: s.ctx, Lab: setup, From: c.progress.Of(s.arn).Report, Group: &c.running,
		Keep: func(report *labsetup.Report) { c.keep(s, func(u *lab.User) { u.Report = report }) },
		Made: func() string {
			password, _ := labsetup.ReadPassword(c.cfg.Folder, c.progress.Named().User)
			return password
		}}
}

// keep changes what is kept of the user's lab.
func (c *Console) keep(s *session, change func(*lab.User)) {
	if err := c.progress.Change(s.arn, change); err != nil {
		c.cfg.Logger.Error("keep the lab's progress", "error", err)
	}
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
			c.render(w, r, s, status, "labuser", page{Title: "Lab", Section: "lab", Body: c.progress.Named()})
		default:
			c.failed(w, r, s, "lab", "Lab", err)
		}
	}
}

func (c *Console) labPage(w http.ResponseWriter, r *http.Request, s *session) {
	c.showLab(w, r, s, c.progress.Named(), "")
}

// showLab shows the lab's page, with names that were not taken and why.
func (c *Console) showLab(w http.ResponseWriter, r *http.Request, s *session, names labsetup.Names, wrong string) {
	setup, err := labsetup.New(c.labConfig(s))
	if err != nil {
		c.failed(w, r, s, "lab", "Lab", err)
		return
	}
	kept := c.progress.Of(s.arn)
	v := lab.View{CSRF: s.csrf, Names: names, Wrong: wrong, Report: kept.Report, ReadOnly: c.readOnly()}
	run := c.runs.Of(s.arn, s.ctx)
	if run != nil {
		state := run.State()
		v.Report, v.Password, v.Working = state.Report, state.Password, state.Working
		if state.Err != nil {
			v.Stopped = message(state.Err)
		}
	}
	v.Fill(setup.Plan(), setup.Lessons(), kept.Answers, c.progress.Named())
	next := v.Upcoming()
	if next != nil && !v.Working {
		if run == nil { // nothing was run since the session began
			run = new(lab.Runs).Start(r.Context(), s.arn, c.runConfig(s, setup))
		}
		found, ok, err := run.Check(r.Context(), next.ID)
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

// labAnswer keeps the answer to a question. One to what the step will show runs it.
func (c *Console) labAnswer(w http.ResponseWriter, r *http.Request, s *session) {
	c.keepAnswer(s, r.PostForm.Get("question"), r.PostForm.Get("guess"), false)
	c.redirect(w, r, "/lab#step-"+strconv.Itoa(c.progress.Of(s.arn).Report.Done()+1))
}

// keepAnswer keeps an answer, if there is such a question.
func (c *Console) keepAnswer(s *session, step, guess string, predicts bool) {
	n, err := strconv.Atoi(guess)
	setup, failed := labsetup.New(c.labConfig(s))
	if err != nil || failed != nil {
		return
	}
	for _, x := range setup.Plan() {
		if x.ID != step {
			continue
		}
		prediction, _ := labsetup.Prediction(x)
		for _, q := range labsetup.QuestionsFor(x) {
			if (q.Text == prediction.Text) == predicts && n >= 0 && n < len(q.Choices) {
				c.keep(s, func(u *lab.User) { u.Answers[lab.AnswerName(step, predicts)] = n })
			}
		}
	}
}

// runSteps runs the steps up to the number of the form.
func (c *Console) runSteps(w http.ResponseWriter, r *http.Request, s *session) {
	number, err := strconv.Atoi(r.PostForm.Get("step"))
	if err != nil || number < 1 || number > 1000 {
		http.Error(w, "There is no such step.", http.StatusBadRequest)
		return
	}
	c.keepAnswer(s, r.PostForm.Get("question"), r.PostForm.Get("guess"), true)
	ctx, cancel := context.WithTimeout(r.Context(), runWait)
	defer cancel()
	run, err := c.startRun(ctx, s)
	if err != nil {
		c.failed(w, r, s, "lab", "Lab", err)
		return
	}
	run.Advance(ctx, number, r.PostForm.Get("adopt") == "yes")
	done, core := c.progress.Of(s.arn).Report.Done(), c.coreSize(s)
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
	setup, err := labsetup.New(cfg)
	if err != nil {
		return 0
	}
	return setup.Size()
}

// labNames sets the names of what the lab makes, before it begins.
func (c *Console) labNames(w http.ResponseWriter, r *http.Request, s *session) {
	text := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	names := labsetup.Names{Key: text("key"), ServerTable: text("serverTable"), ClientTable: text("clientTable"),
		User: text("user")}
	if c.progress.Of(s.arn).Report.Done() > 0 {
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
	c.runs.Stop(r.Context(), s.arn)
	if err := c.progress.SetNames(names); err != nil {
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
	c.runs.Stop(r.Context(), s.arn)
	setup, err := labsetup.New(c.labConfig(s))
	var report *labsetup.Report
	if err == nil {
		report, err = setup.Down(r.Context())
	}
	if err == nil {
		err = c.progress.Forget(s.arn, true)
	}
	if err != nil {
		c.failed(w, r, s, "lab", "Lab", err)
		return
	}
	left := ""
	if len(report.LeftAlone) > 0 {
		left = " Left alone: " + strings.Join(slices.Clone(report.LeftAlone), "; ") + "."
	}
	s.say("The lab was cleaned up. The key waits seven days for its deletion, which can be cancelled on its page." +
		left)
	c.redirect(w, r, "/lab")
}

// labReset forgets the progress: the lab starts from its beginning. What exists
// stays, and is found again.
func (c *Console) labReset(w http.ResponseWriter, r *http.Request, s *session) {
	c.runs.Stop(r.Context(), s.arn)
	if err := c.progress.Forget(s.arn, false); err != nil {
		c.failed(w, r, s, "lab", "Lab", err)
		return
	}
	c.redirect(w, r, "/lab")
}
