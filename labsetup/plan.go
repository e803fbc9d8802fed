// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"
	"slices"
	"time"
)

// of returns the step as one of a chapter.
func (s labStep) of(c chapter) labStep {
	s.Chapter, s.Optional = c.title, lessonOf(c.title).Optional
	return s
}

// all returns the steps of all chapters in order.
func (l *Lab) all() []labStep {
	var steps []labStep
	for _, c := range l.chapters() {
		for _, s := range c.steps {
			steps = append(steps, s.of(c))
		}
	}
	return steps
}

// Plan returns the steps that Run does, in order. Outcome, Got and the other
// results of a step are empty. It makes no call.
func (l *Lab) Plan() []Step {
	var steps []Step
	for _, s := range l.all() {
		steps = append(steps, l.named(s.Step))
	}
	return steps
}

// Begin prepares Next and Check: it asks AWS who the administrator is, and starts a
// new report. Errors: those of AWS.
func (l *Lab) Begin(ctx context.Context) error {
	if err := l.identify(ctx); err != nil {
		return err
	}
	l.report = &Report{Began: time.Now(), Account: l.account, Region: l.region, Administrator: l.caller}
	return nil
}

// Resume prepares Next to continue after the steps in the report r of an earlier run,
// and copies them to the new report. It reads the state that the lab needs from AWS
// and does not repeat steps of the core path. It does repeat steps of optional
// chapters. It stops at the first step that is not in the plan or on which others
// depend and that did not succeed. Call Begin first.
func (l *Lab) Resume(ctx context.Context, r *Report) error {
	plan, kept := l.all(), *r
	kept.Steps = nil
	kept.Account, kept.Region, kept.Administrator = l.account, l.region, l.caller
	l.report = &kept
	for i, done := range r.Steps {
		if i >= len(plan) || plan[i].ID != done.ID || plan[i].needed && !done.OK {
			break
		}
		if plan[i].Optional {
			if err := l.take(ctx, plan[i]); err != nil {
				return err
			}
			continue
		}
		if recall := plan[i].recall; recall != nil {
			if err := recall(ctx); err != nil {
				return err
			}
		}
		kept.Steps = append(kept.Steps, done)
	}
	kept.KeyARN = l.keyARN
	return nil
}

// ErrFinished is returned by Lab.Next if all steps are done.
var ErrFinished = errors.New("all steps of the lab are done")

// Next does the next step of Plan. It repeats a last step that did not succeed if later steps
// depend on it. Errors: [ErrFinished], and those of Run. Call Begin first.
func (l *Lab) Next(ctx context.Context) error {
	plan, done := l.all(), len(l.report.Steps)
	if done > 0 && plan[done-1].needed && !l.report.Steps[done-1].OK {
		done--
	}
	if done == len(plan) {
		return ErrFinished
	}
	l.report.Steps = l.report.Steps[:done]
	return l.take(ctx, plan[done])
}

// Report returns a copy of the report so far. Call Begin first, and do not call
// Report during Next.
func (l *Lab) Report() *Report {
	r := *l.report
	r.Steps = slices.Clone(r.Steps)
	return &r
}

// Adopt sets Config.Adopt for the steps that follow.
func (l *Lab) Adopt(adopt bool) { l.cfg.Adopt = adopt }
