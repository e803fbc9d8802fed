package console

import (
	"context"
	"encoding/csv"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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
	password string         // of the lab's user, as the lab set it last
	guesses  map[string]int // what the learner predicted, by step
}

// labFor configures the lab as the session's user.
func (c *Console) labFor(s *session, narrate func(labsetup.Step)) (*labsetup.Lab, error) {
	cfg := labsetup.Config{
		Administrator: s.cfg,
		As:            c.as,
		Folder:        c.cfg.Folder,
		Narrate:       narrate,
		Hint:          hint.ForLab,
		Keep:          true, // clean-up is a step of its own: see labClean
	}
	if c.cfg.Server != nil {
		cfg.Explain, cfg.Disk = c.lastReasons, c.onDisk
	} else {
		cfg.Deadline, cfg.AuditDeadline = c.cfg.Attached.Deadline, c.cfg.Attached.AuditDeadline
	}
	return labsetup.New(cfg)
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

// startLab starts the lab from its beginning; it passes the steps below
// target without asking, for what they make lives in the lab's memory too.
func (c *Console) startLab(s *session, target int) (*labRun, error) {
	ctx, cancel := context.WithCancel(s.ctx)
	run := &labRun{cancel: cancel, changed: make(chan struct{}), target: target, guesses: map[string]int{}}
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

// keep keeps the progress, without the commands: the plan has them.
func (c *Console) keep(s *session, p labProgress) {
	p.Steps = slices.Clone(p.Steps)
	for i := range p.Steps {
		p.Steps[i].CLI = ""
	}
	if p.Report != nil {
		report := *p.Report
		report.Steps, p.Report = p.Steps, &report
	}
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
	Number   int
	Done     bool
	Next     bool
	Question *labsetup.Question // to predict, before it ran
	Guessed  string             // the learner's prediction
	Right    bool
}

type chapterView struct {
	labsetup.Lesson
	Steps []stepView
	Done  int
	Now   bool // the next step is here
}

type labView struct {
	Chapters   []chapterView
	Done, Size int
	Core       int // number of the last step of the core path
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
	lessons := lab.Lessons()
	guesses := map[string]int{}
	if run != nil {
		run.mu.Lock()
		guesses = maps.Clone(run.guesses)
		run.mu.Unlock()
	}
	v.Size, v.Done, v.ReadOnly = len(plan), len(steps), c.readOnly()
	stopped := v.Stopped != "" || v.Report != nil || v.ReadOnly
	for i, step := range plan {
		x := stepView{Step: step, Number: i + 1, Done: i < len(steps), Next: i == len(steps) && !stopped}
		if x.Done {
			x.Step = steps[i]
			x.CLI = step.CLI
			if !x.OK {
				v.Failed++
			}
		}
		if x.Next {
			v.Next = x.Number
		}
		if n := len(v.Chapters); n == 0 || v.Chapters[n-1].Title != step.Chapter {
			v.Chapters = append(v.Chapters, chapterView{Lesson: lessons[n]})
		}
		if !step.Optional {
			v.Core = i + 1
		}
		if q, ok := labsetup.Prediction(step); ok {
			if x.Next {
				x.Question = &q
			}
			if guess, ok := guesses[step.ID]; ok && x.Done {
				x.Guessed, x.Right = q.Choices[guess], guess == q.Right && x.OK
			}
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
	guess, step := r.PostForm.Get("guess"), r.PostForm.Get("predicts")
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
		if n, err := strconv.Atoi(guess); err == nil && n >= 0 && n < len(labsetup.Sights()) && len(step) < 100 &&
			len(run.guesses) < 1000 {
			run.guesses[step] = n
		}
		run.target = max(run.target, number)
		run.announce()
		run.mu.Unlock()
		ctx, cancel := context.WithTimeout(r.Context(), runWait)
		defer cancel()
		run.wait(ctx, func() bool { return run.over || len(run.steps) >= number && !run.ending })
	}
	c.redirect(w, r, "/lab#step-"+strconv.Itoa(number))
}

// labClean removes what the lab made, and forgets the progress.
func (c *Console) labClean(w http.ResponseWriter, r *http.Request, s *session) {
	c.stopLab(r, s)
	lab, err := c.labFor(s, nil)
	if err == nil {
		_, err = lab.Down(r.Context())
	}
	if err != nil {
		c.failed(w, r, s, "lab", "Lab", err)
		return
	}
	c.redirect(w, r, "/lab")
}

// labReset forgets the progress: the lab starts from its beginning. What exists
// stays, and is found again.
func (c *Console) labReset(w http.ResponseWriter, r *http.Request, s *session) {
	c.stopLab(r, s)
	c.redirect(w, r, "/lab")
}

// stopLab ends the run of a session and forgets its progress.
func (c *Console) stopLab(r *http.Request, s *session) {
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
}

// ProgressText is for labels.
func (v labView) ProgressText() string {
	return strconv.Itoa(v.Done) + " of " + strconv.Itoa(v.Size) + " steps"
}
