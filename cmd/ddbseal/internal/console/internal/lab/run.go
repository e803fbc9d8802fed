// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"errors"
	"sync"

	"github.com/ddbseal/ddbseal/labsetup"
)

// Run is the lab on its way, as one session. Its steps run in a goroutine, up to the
// one that was asked for: on AWS they take minutes.
type Run struct {
	cfg   RunConfig
	using sync.Mutex // held by who uses the lab

	mu      sync.Mutex
	changed chan struct{} // closed and renewed at every change
	target  int           // how many steps were asked for
	adopt   bool          // what has one of the lab's names becomes the lab's
	begun   bool          // the lab knows where it is
	state   State
}

// RunConfig is what a run needs.
type RunConfig struct {
	Session context.Context // the run ends with it
	Lab     *labsetup.Lab
	From    *labsetup.Report         // of the steps that are done
	Keep    func(*labsetup.Report)   // is told the report after each step
	Made    func() (password string) // returns the password that the lab has just made for its user
	Group   interface{ Go(func()) }  // runs the steps, such as a sync.WaitGroup
}

// State is how far a run has come.
type State struct {
	Report   *labsetup.Report
	Working  bool   // a step is on its way
	Err      error  // why the last step did not succeed
	Password string // of the lab's user, if this run has made it
}

// Runs are the runs of all users.
type Runs struct {
	mu  sync.Mutex
	all map[string]*Run // by the name that Start got
}

// Of returns the run of a user's session, or nil.
func (a *Runs) Of(user string, session context.Context) *Run {
	a.mu.Lock()
	defer a.mu.Unlock()
	if run := a.all[user]; run != nil && run.cfg.Session == session {
		return run
	}
	return nil
}

// Start begins a run, and ends the run of another session of the user: both would replace the
// access key of the lab's user. If the session has a run, Start returns that one.
func (a *Runs) Start(ctx context.Context, user string, cfg RunConfig) *Run {
	if run := a.Of(user, cfg.Session); run != nil {
		return run
	}
	a.Stop(ctx, user)
	a.mu.Lock()
	defer a.mu.Unlock()
	if run := a.all[user]; run != nil && run.cfg.Session == cfg.Session {
		return run // another request was faster
	}
	run := &Run{cfg: cfg, changed: make(chan struct{}), state: State{Report: cfg.From}}
	if a.all == nil {
		a.all = map[string]*Run{}
	}
	a.all[user] = run
	return run
}

// Stop ends the run of a user, and waits for the step on its way until ctx ends.
func (a *Runs) Stop(ctx context.Context, user string) {
	a.mu.Lock()
	run := a.all[user]
	delete(a.all, user)
	a.mu.Unlock()
	if run == nil {
		return
	}
	run.mu.Lock()
	run.target = 0
	run.mu.Unlock()
	run.wait(ctx, func() bool { return !run.state.Working })
}

// State returns how far the run has come.
func (r *Run) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Advance does steps until number of them are done, one does not succeed, or ctx ends.
// Steps that take longer go on after ctx. With adopt the lab makes its own what has one of
// its names.
func (r *Run) Advance(ctx context.Context, number int, adopt bool) {
	r.mu.Lock()
	r.target, r.adopt, r.state.Err = max(r.target, number), adopt, nil
	if !r.state.Working {
		r.state.Working = true
		r.cfg.Group.Go(r.work)
	}
	r.mu.Unlock()
	r.wait(ctx, func() bool { return !r.state.Working || r.state.Err == nil && r.state.Report.Done() >= number })
}

// work does the steps that were asked for. It holds the lock from the result of a step to
// the decision about the next one, so that no request sees all steps done and one on its way.
func (r *Run) work() {
	ctx := r.cfg.Session
	r.mu.Lock()
	for ctx.Err() == nil && r.state.Err == nil && r.state.Report.Done() < r.target {
		begun, adopt := r.begun, r.adopt
		r.mu.Unlock()
		report, err := r.step(ctx, begun, adopt)
		r.mu.Lock()
		switch {
		case errors.Is(err, labsetup.ErrFinished):
			r.target = 0
		case report == nil: // it has not begun
			r.state.Err = err
		default:
			r.begun, r.state.Report, r.state.Err = true, report, err
			if last := len(report.Steps) - 1; last >= 0 && report.Steps[last].ID == "user-password" &&
				report.Steps[last].OK && !report.Steps[last].Existed {
				r.state.Password = r.cfg.Made()
			}
		}
		r.announce()
	}
	r.target, r.state.Working = 0, false
	r.announce()
	r.mu.Unlock()
}

// step does one step and keeps what it found. The first time it goes on where the user's
// progress is. A nil report means that this failed.
func (r *Run) step(ctx context.Context, begun, adopt bool) (*labsetup.Report, error) {
	r.using.Lock()
	defer r.using.Unlock()
	if !begun {
		if err := r.cfg.Lab.Begin(ctx); err != nil {
			return nil, err
		}
		if err := r.cfg.Lab.Resume(ctx, r.cfg.From); err != nil {
			return nil, err
		}
	}
	r.cfg.Lab.Adopt(adopt)
	err := r.cfg.Lab.Next(ctx)
	report := r.cfg.Lab.Report()
	if ctx.Err() == nil {
		r.cfg.Keep(report)
	}
	return report, err
}

// Check looks whether a step is done already, and changes nothing. It reports false for a
// step that makes nothing, and while a step is on its way.
func (r *Run) Check(ctx context.Context, id string) (labsetup.Finding, bool, error) {
	r.mu.Lock()
	busy, begun := r.state.Working, r.begun
	r.mu.Unlock()
	if busy || !r.using.TryLock() {
		return labsetup.Finding{}, false, nil
	}
	defer r.using.Unlock()
	if !begun {
		if err := r.cfg.Lab.Begin(ctx); err != nil {
			return labsetup.Finding{}, false, err
		}
	}
	return r.cfg.Lab.Check(ctx, id)
}

// announce wakes who waits; the caller holds the lock.
func (r *Run) announce() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// wait returns when ok holds, which is asked under the lock, or ctx ends.
func (r *Run) wait(ctx context.Context, ok func() bool) {
	for {
		r.mu.Lock()
		done, changed := ok(), r.changed
		r.mu.Unlock()
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
