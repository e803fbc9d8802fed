package console

import (
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/hint"
	"github.com/ddbseal/ddbseal/labsetup"
)

// labRun is the lab on its way, as one session. Its steps run in a goroutine, up to
// the one that was asked for: on AWS they take minutes.
type labRun struct {
	session *session
	using   sync.Mutex // held by who uses lab
	lab     *labsetup.Lab

	mu       sync.Mutex
	changed  chan struct{} // closed and renewed at every change
	target   int           // how many steps were asked for
	adopt    bool          // what has one of the lab's names becomes the lab's
	active   bool
	begun    bool // the lab knows where it is
	report   *labsetup.Report
	err      error  // why the last step did not succeed
	password string // of the lab's user, if the lab has made it
}

// labConfig configures the lab as the session's user. It makes no call.
func (c *Console) labConfig(s *session) labsetup.Config {
	cfg := labsetup.Config{
		Administrator: s.cfg,
		As:            c.as,
		Names:         c.progress.names(),
		ByHand:        true,
		OwnKey:        c.progress.of(s.arn).Key,
		Folder:        c.cfg.Folder,
		Hint:          hint.ForLab,
		Keep:          true, // clean-up is a step of its own: see labClean
	}
	cfg.Keys = func(user string, k aws.Credentials) error {
		if user != cfg.Names.User {
			return nil
		}
		return c.progress.change(s.arn, func(p *labProgress) { p.Key = k.AccessKeyID })
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

// runOf returns the session's run, or nil. A run of another session of the same user
// ends: both would replace the access key of the lab's user.
func (c *Console) runOf(s *session) *labRun {
	c.labs.Lock()
	defer c.labs.Unlock()
	if run := c.runs[s.arn]; run != nil && run.session == s {
		return run
	}
	return nil
}

// startRun returns the session's run. A new one begins where the user's progress is.
func (c *Console) startRun(ctx context.Context, s *session) (*labRun, error) {
	if run := c.runOf(s); run != nil {
		return run, nil
	}
	c.stopRun(ctx, s)
	cfg := c.labConfig(s)
	if c.cfg.Server != nil {
		root, err := c.cfg.Server.AddAccount(administrator.OtherAccount)
		if err != nil {
			return nil, err
		}
		other := c.as(root)
		cfg.OtherAccount = &other
	}
	lab, err := labsetup.New(cfg)
	if err != nil {
		return nil, err
	}
	c.labs.Lock()
	defer c.labs.Unlock()
	if run := c.runs[s.arn]; run != nil && run.session == s {
		return run, nil // another request was faster
	}
	run := &labRun{session: s, lab: lab, changed: make(chan struct{}), report: c.progress.of(s.arn).Report}
	c.runs[s.arn] = run
	return run, nil
}

// advance does steps until number of them are done, one does not succeed, or ctx ends.
// Steps that take longer go on after ctx. With adopt the lab makes its own what has one
// of its names.
func (c *Console) advance(ctx context.Context, run *labRun, number int, adopt bool) {
	run.mu.Lock()
	run.target, run.adopt, run.err = max(run.target, number), adopt, nil
	if !run.active {
		run.active = true
		c.running.Add(1)
		go c.work(run)
	}
	run.mu.Unlock()
	run.wait(ctx, func() bool { return !run.active || run.err == nil && run.report.Done() >= number })
}

// work does the steps that were asked for.
func (c *Console) work(run *labRun) {
	defer c.running.Done()
	ctx := run.session.ctx
	for {
		run.mu.Lock()
		begun, adopt := run.begun, run.adopt
		if ctx.Err() != nil || run.err != nil || run.report.Done() >= run.target {
			run.target, run.active = 0, false
			run.announce()
			run.mu.Unlock()
			return
		}
		run.mu.Unlock()
		run.using.Lock()
		report, err := c.step(ctx, run, begun, adopt)
		run.using.Unlock()
		run.mu.Lock()
		run.begun = true
		switch {
		case errors.Is(err, labsetup.ErrFinished):
			run.target = 0
		case report == nil: // it has not begun
			run.begun, run.err = false, err
		default:
			run.report, run.err = report, err
		}
		run.announce()
		run.mu.Unlock()
	}
}

// step does one step and keeps what it found. The first time it goes on where the user's
// progress is. A nil report means that this failed.
func (c *Console) step(ctx context.Context, run *labRun, begun, adopt bool) (*labsetup.Report, error) {
	s := run.session
	if !begun {
		if err := run.lab.Begin(ctx); err != nil {
			return nil, err
		}
		if err := run.lab.Resume(ctx, c.progress.of(s.arn).Report); err != nil {
			return nil, err
		}
	}
	run.lab.Adopt(adopt)
	err := run.lab.Next(ctx)
	report := run.lab.Report()
	if ctx.Err() == nil {
		c.keep(s, func(p *labProgress) { p.Report = report })
	}
	if last := len(report.Steps) - 1; last >= 0 && report.Steps[last].ID == "user-password" &&
		report.Steps[last].OK && !report.Steps[last].Existed {
		run.mu.Lock()
		_, run.password = readCredentials(c.cfg.Folder)
		run.mu.Unlock()
	}
	return report, err
}

// keep changes what is kept of the user's lab.
func (c *Console) keep(s *session, change func(*labProgress)) {
	if err := c.progress.change(s.arn, change); err != nil {
		c.cfg.Logger.Error("keep the lab's progress", "error", err)
	}
}

// stopRun ends the user's run, and waits for the step on its way.
func (c *Console) stopRun(ctx context.Context, s *session) {
	c.labs.Lock()
	run := c.runs[s.arn]
	delete(c.runs, s.arn)
	c.labs.Unlock()
	if run == nil {
		return
	}
	run.mu.Lock()
	run.target = 0
	run.mu.Unlock()
	run.wait(ctx, func() bool { return !run.active })
}

// checkStep looks whether a step is done already, as the user. It changes nothing, and
// reports false for a step that makes nothing or while a step is on its way.
func (c *Console) checkStep(ctx context.Context, s *session, id string) (labsetup.Finding, bool, error) {
	if run := c.runOf(s); run != nil {
		run.mu.Lock()
		busy, begun := run.active, run.begun
		run.mu.Unlock()
		if busy || !run.using.TryLock() {
			return labsetup.Finding{}, false, nil
		}
		defer run.using.Unlock()
		if begun {
			return run.lab.Check(ctx, id)
		}
	}
	lab, err := labsetup.New(c.labConfig(s))
	if err == nil {
		err = lab.Begin(ctx)
	}
	if err != nil {
		return labsetup.Finding{}, false, err
	}
	return lab.Check(ctx, id)
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

// runWait is how long a request waits for the steps that it asked for.
const runWait = 60 * time.Second

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
