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

// Plan returns the steps of Run before any of them ran, in order: Outcome, Got
// and what else comes out of a step are empty. It makes no call.
func (l *Lab) Plan() []Step {
	var steps []Step
	for _, s := range l.all() {
		steps = append(steps, l.named(s.Step))
	}
	return steps
}

// Begin prepares Next and Check: it asks AWS who the administrator is, and begins a
// new report.
func (l *Lab) Begin(ctx context.Context) error {
	if err := l.identify(ctx); err != nil {
		return err
	}
	l.report = &Report{Began: time.Now(), Account: l.account, Region: l.region, Administrator: l.caller}
	return nil
}

// Resume prepares Next to go on after the steps in the report of an earlier run,
// which it begins with. It takes from AWS what the lab has to know: the steps of the
// core path are not done again, those of optional chapters are. Steps of another plan
// are left out, and a last step that did not succeed. The caller has called Begin.
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

// ErrFinished is returned by Next if all steps are done.
var ErrFinished = errors.New("all steps of the lab are done")

// Next does the next step of Plan. A step on which the rest stands and that did not
// succeed is done again. Errors: [ErrFinished], and those with which Run ends. The
// caller has called Begin.
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

// Report returns what Next has found so far. It must not be called during Next.
func (l *Lab) Report() *Report {
	r := *l.report
	r.Steps = slices.Clone(r.Steps)
	return &r
}

// Adopt sets Config.Adopt for the steps that follow.
func (l *Lab) Adopt(adopt bool) { l.cfg.Adopt = adopt }
