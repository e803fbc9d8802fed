// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// neededPatience is how long a step on which the rest stands is tried again
// at most: long enough for a new principal or access key to spread on AWS,
// short enough for a person who lacks a permission.
const neededPatience = time.Minute

// patience is how long the step may go on after err.
func (l *Lab) patience(s labStep, err error) time.Duration {
	var busy *dynamodbtypes.ResourceInUseException
	var file *fs.PathError
	switch {
	case s.audit:
		return l.cfg.AuditDeadline
	case errors.Is(err, errNotReported), errors.Is(err, ErrNotOurs), errors.Is(err, errPolicyDiffers),
		errors.As(err, &file):
		return 0
	case errors.As(err, &busy): // a table that is being made or changed
		return l.cfg.Deadline
	case s.needed:
		return min(l.cfg.Deadline, neededPatience)
	}
	return l.cfg.Deadline
}

// take does one step, again and again until its deadline while it does not
// hold, and reports it.
func (l *Lab) take(ctx context.Context, s labStep) error {
	start := time.Now()
	step := l.named(s.Step)
	l.existed = false
	var err error
	if err = ctx.Err(); err != nil {
		return err
	}
	if l.cfg.Before != nil {
		l.cfg.Before(step)
	}
	told := false
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		var got string
		if l.keep(ctx, s) {
			got, err, l.existed = Done, nil, true
		} else {
			got, err = s.do(ctx)
		}
		step.Got = classify(got, err)
		step.OK = step.Got == step.Expected || s.measures && strings.HasPrefix(step.Got, answered)
		if step.OK || time.Since(start) >= l.patience(s, err) || ctx.Err() != nil {
			break
		}
		if !told && time.Since(start) >= announceAfter {
			told = true
			l.waits("for the step to give "+step.Expected+" ("+step.Got+" so far)", l.patience(s, err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	step.Took, step.Existed = time.Since(start), l.existed && step.OK
	switch {
	case step.OK:
		step.Outcome = Passed
	case l.patience(s, err) > 0 && !s.needed && ctx.Err() == nil:
		step.Outcome = Unverified
	default:
		step.Outcome = Failed
	}
	if !step.OK && err != nil {
		step.Error = err.Error()
		if l.cfg.Hint != nil {
			step.Hint = l.cfg.Hint(err)
		}
	}
	if l.cfg.Explain != nil && strings.HasPrefix(step.Got, deniedAll) {
		step.Reasons = l.cfg.Explain()
	}
	l.report.Steps = append(l.report.Steps, step)
	l.report.KeyARN = l.keyARN
	if l.cfg.Narrate != nil {
		l.cfg.Narrate(step)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case step.OK || !s.needed:
		return nil
	case err != nil:
		return fmt.Errorf("step %s: %w", step.ID, err)
	}
	return fmt.Errorf("step %s: expected %s, got %s", step.ID, step.Expected, step.Got)
}
