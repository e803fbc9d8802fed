package console

import (
	"context"
	"encoding/csv"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/hint"
	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/labsetup"
)

// labRun is the lab on its way, as one user. The lab runs in a goroutine of
// its own and waits after each step until the next one is asked for.
type labRun struct {
	cancel context.CancelFunc

	mu       sync.Mutex
	changed  chan struct{} // closed and renewed at every change
	steps    []labsetup.Step
	target   int // how many steps were asked for
	report   *labsetup.Report
	err      error
	ending   bool // the run ends without being asked for more
	over     bool
	password string // of the lab's user, as the lab set it last
}

// labFor configures the lab as the session's user.
func (c *Console) labFor(s *session, narrate func(labsetup.Step)) (*labsetup.Lab, error) {
	cfg := labsetup.Config{
		Administrator: s.cfg,
		As:            c.as,
		Folder:        c.cfg.Folder,
		Narrate:       narrate,
		Hint:          hint.For,
	}
	if c.cfg.Server != nil {
		cfg.Explain = c.lastReasons
	} else {
		cfg.Deadline, cfg.AuditDeadline = c.cfg.Attached.Deadline, c.cfg.Attached.AuditDeadline
	}
	return labsetup.New(cfg)
}

// lastReasons are those of the newest denial: the lab asks right after it.
func (c *Console) lastReasons() []string {
	events := c.cfg.Server.Audit().Events()
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Denied() {
			return events[i].Reasons()
		}
	}
	return nil
}

// startLab starts the lab from its beginning; it passes the steps below
// target without asking, for what they make lives in the lab's memory too.
func (c *Console) startLab(s *session, target int) (*labRun, error) {
	ctx, cancel := context.WithCancel(s.ctx)
	run := &labRun{cancel: cancel, changed: make(chan struct{}), target: target}
	before := c.progress.of(s.arn)
	size := 0
	lab, err := c.labFor(s, func(step labsetup.Step) {
		run.mu.Lock()
		run.steps = append(run.steps, step)
		// The lab ends by itself after its last step, and when a step fails on
		// which the rest stands.
		run.ending = len(run.steps) == size || !step.OK && step.Expected == labsetup.Done
		if step.ID == "user-password" && step.OK {
			run.password = c.readPassword()
		}
		done := append([]labsetup.Step(nil), run.steps...)
		run.announce()
		run.mu.Unlock()
		if len(done) >= len(before.Steps) {
			c.keep(s, labProgress{Steps: done})
		}
		run.wait(ctx, func() bool { return len(run.steps) < run.target || run.ending })
	})
	if err != nil {
		cancel()
		return nil, err
	}
	size = lab.Size()
	c.running.Add(1)
	go func() {
		defer c.running.Done()
		defer cancel()
		report, err := lab.Run(ctx)
		run.mu.Lock()
		defer run.mu.Unlock()
		run.report, run.err, run.over = report, err, true
		if report != nil && ctx.Err() == nil {
			c.keep(s, labProgress{Steps: report.Steps, Report: report})
		}
		run.announce()
	}()
	return run, nil
}

func (c *Console) keep(s *session, p labProgress) {
	if err := c.progress.set(s.arn, p); err != nil {
		c.cfg.Logger.Error("keep the lab's progress", "error", err)
	}
}

// readPassword reads the lab user's password from the file that the lab wrote.
func (c *Console) readPassword() string {
	_, password := readCredentials(c.cfg.Folder)
	return password
}

func readCredentials(folder string) (user, password string) {
	if folder == "" {
		return "", ""
	}
	f, err := os.Open(filepath.Join(folder, labsetup.CredentialsFile))
	if err != nil {
		return "", ""
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 2 || len(rows[1]) < 2 {
		return "", ""
	}
	return rows[1][0], rows[1][1]
}

// announce wakes who waits; the caller holds the lock.
func (l *labRun) announce() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// wait returns when ok holds, which is asked under the lock, or ctx ends.
func (l *labRun) wait(ctx context.Context, ok func() bool) {
	for {
		l.mu.Lock()
		done, changed := ok(), l.changed
		l.mu.Unlock()
		if done {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// stepView is one step on the page.
type stepView struct {
	labsetup.Step
	Number int
	Done   bool
	Next   bool
}

type chapterView struct {
	Title string
	Steps []stepView
	Done  int
	Now   bool // the next step is here
}

type labView struct {
	Chapters   []chapterView
	Done, Size int
	Failed     int
	Next       int    // number of the next step; zero: none
	Stopped    string // why it cannot go on
	Report     *labsetup.Report
	Sees       []labsetup.Step // the checks of who sees what
	Diff       []diffLine
	User       string
	Password   string
	ReadOnly   bool
}

func (c *Console) labPage(w http.ResponseWriter, r *http.Request, s *session) {
	lab, err := c.labFor(s, nil)
	if err != nil {
		c.failed(w, r, s, "lab", "Lab", err)
		return
	}
	kept := c.progress.of(s.arn)
	v := labView{Report: kept.Report, User: labsetup.UserName}
	steps := kept.Steps
	s.mu.Lock()
	run := s.lab
	s.mu.Unlock()
	if run != nil {
		run.mu.Lock()
		if len(run.steps) >= len(steps) {
			steps = run.steps
		}
		v.Password = run.password
		if run.over && run.err != nil {
			v.Stopped = message(run.err)
		}
		if run.over && run.report != nil && run.err == nil {
			v.Report = run.report
		}
		run.mu.Unlock()
	}
	plan := lab.Plan()
	v.Size, v.Done, v.ReadOnly = len(plan), len(steps), c.readOnly()
	stopped := v.Stopped != "" || v.Report != nil || v.ReadOnly
	for i, step := range plan {
		x := stepView{Step: step, Number: i + 1, Done: i < len(steps), Next: i == len(steps) && !stopped}
		if x.Done {
			x.Step = steps[i]
			if !x.OK {
				v.Failed++
			}
		}
		if x.Next {
			v.Next = x.Number
		}
		if n := len(v.Chapters); n == 0 || v.Chapters[n-1].Title != step.Chapter {
			v.Chapters = append(v.Chapters, chapterView{Title: step.Chapter})
		}
		ch := &v.Chapters[len(v.Chapters)-1]
		ch.Steps = append(ch.Steps, x)
		ch.Now = ch.Now || x.Next
		if x.Done {
			ch.Done++
		}
	}
	if v.Report != nil {
		for _, step := range v.Report.Steps {
			if step.Mode != "" {
				v.Sees = append(v.Sees, step)
			}
		}
		v.Diff = keypolicy.Diff(v.Report.PolicyBefore, v.Report.PolicyAfter)
	}
	c.render(w, r, s, http.StatusOK, "lab", page{Title: "Lab", Section: "lab", Body: v})
}

// runWait is how long a request waits for the steps that it asked for.
const runWait = 60 * time.Second

// labRun runs the steps up to the number of the form.
func (c *Console) labRun(w http.ResponseWriter, r *http.Request, s *session) {
	number, err := strconv.Atoi(r.PostForm.Get("step"))
	if err != nil || number < 1 || number > 1000 {
		http.Error(w, "There is no such step.", http.StatusBadRequest)
		return
	}
	kept := c.progress.of(s.arn)
	s.mu.Lock()
	run := s.lab
	if run == nil && kept.Report == nil {
		run, err = c.startLab(s, number)
		s.lab = run
	}
	s.mu.Unlock()
	if err != nil {
		c.failed(w, r, s, "lab", "Lab", err)
		return
	}
	if run != nil {
		run.mu.Lock()
		run.target = max(run.target, number)
		run.announce()
		run.mu.Unlock()
		ctx, cancel := context.WithTimeout(r.Context(), runWait)
		defer cancel()
		run.wait(ctx, func() bool { return run.over || len(run.steps) >= number && !run.ending })
	}
	c.redirect(w, r, "/lab#step-"+strconv.Itoa(number))
}

// labReset forgets the progress: the lab begins anew. What exists stays, and
// is found again.
func (c *Console) labReset(w http.ResponseWriter, r *http.Request, s *session) {
	s.mu.Lock()
	run := s.lab
	s.lab = nil
	s.mu.Unlock()
	if run != nil {
		run.cancel()
		ctx, cancel := context.WithTimeout(r.Context(), runWait)
		defer cancel()
		run.wait(ctx, func() bool { return run.over })
	}
	c.keep(s, labProgress{})
	c.redirect(w, r, "/lab")
}

// ProgressText is for labels.
func (v labView) ProgressText() string {
	return strconv.Itoa(v.Done) + " of " + strconv.Itoa(v.Size) + " steps"
}
