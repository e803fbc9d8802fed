// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Config says where the exercises are done.
type Config struct {
	// Administrator signs as the principal who makes the starting states and
	// looks at the results. It needs permission to administer KMS keys, DynamoDB
	// tables and IAM, and should be an IAM user or a role: key policies name it.
	Administrator aws.Config
	// As returns a configuration that signs with other credentials against the
	// same endpoints. Nil: Administrator with the credentials replaced.
	As func(aws.Credentials) aws.Config
	// Keys is told the access key of each user that Start makes; an error fails
	// Start. Nil: the users get no access key.
	Keys func(user string, c aws.Credentials) error
	// Deadline is how long a check may take to come true, as permissions take
	// minutes to spread on AWS. Zero: it must hold at once.
	Deadline time.Duration
}

// Set is the exercises of one account. It is safe for concurrent use as long as
// each exercise is used by one goroutine at a time.
type Set struct{ cfg Config }

// New returns the exercises of an account and makes no call. It fails if the
// administrator has no credentials or no Region.
func New(cfg Config) (*Set, error) {
	if cfg.Administrator.Credentials == nil || cfg.Administrator.Region == "" {
		return nil, errors.New("exercise: the administrator needs credentials and a Region")
	}
	if cfg.As == nil {
		cfg.As = func(c aws.Credentials) aws.Config {
			other := cfg.Administrator.Copy()
			other.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return c, nil
			})
			return other
		}
	}
	return &Set{cfg: cfg}, nil
}

// Start creates the starting state of an exercise. Calling it again puts the
// starting state back. Errors: [ErrUnknown], [ErrNotOurs], and the errors of AWS.
func (e *Set) Start(ctx context.Context, id string) error {
	d, s, err := e.open(ctx, id)
	if err != nil {
		return err
	}
	defer s.close(ctx)
	if err := d.start(ctx, s); err != nil {
		return fmt.Errorf("start exercise %s: %w", id, err)
	}
	return nil
}

// Check makes the calls that show whether the exercise is solved and reports what
// they found. It changes nothing that an answer consists of. answer is the text
// of an exercise with Text set and is ignored otherwise. An answer that is wrong
// is not an error: see [Result.Passed]. Errors: [ErrUnknown], [ErrNotStarted],
// [ErrNoAnswer], [ErrForm], [ErrAudit], and the errors of AWS.
func (e *Set) Check(ctx context.Context, id, answer string) (*Result, error) {
	d, s, err := e.open(ctx, id)
	if err != nil {
		return nil, err
	}
	defer s.close(ctx)
	if d.Text && answer == "" {
		return nil, fmt.Errorf("exercise %s: %w", id, ErrNoAnswer)
	}
	probes, err := d.probes(ctx, s, answer)
	if err != nil {
		return nil, fmt.Errorf("check exercise %s: %w", id, err)
	}
	result := &Result{ID: id}
	for _, p := range probes {
		f, err := s.take(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("check exercise %s: %w", id, err)
		}
		result.Findings = append(result.Findings, f)
	}
	return result, nil
}

// Solution returns a solution of an exercise that was started, with the names and
// ARNs of its resources, and changes nothing. Errors: [ErrUnknown],
// [ErrNotStarted], and the errors of AWS.
func (e *Set) Solution(ctx context.Context, id string) (Solution, error) {
	solution, _, err := e.solve(ctx, id)
	return solution, err
}

// Solve does what [Set.Solution] says, and returns it. Errors: as Solution.
func (e *Set) Solve(ctx context.Context, id string) (Solution, error) {
	solution, commands, err := e.solve(ctx, id)
	if err != nil {
		return Solution{}, err
	}
	for _, c := range commands {
		if err := c.do(ctx); err != nil {
			return Solution{}, fmt.Errorf("solve exercise %s: %w", id, err)
		}
	}
	return solution, nil
}

func (e *Set) solve(ctx context.Context, id string) (Solution, []command, error) {
	d, s, err := e.open(ctx, id)
	if err != nil {
		return Solution{}, nil, err
	}
	solution, commands, err := d.solution(ctx, s)
	solution.Why = strings.ReplaceAll(solution.Why, "…-", s.name(""))
	if err != nil {
		return Solution{}, nil, fmt.Errorf("solution of exercise %s: %w", id, err)
	}
	for _, c := range commands {
		solution.Commands = append(solution.Commands, c.text)
	}
	return solution, commands, nil
}

// Remove removes what Start has made: the keys are scheduled for deletion in
// seven days, the least that AWS allows. Calling it again does nothing. Errors:
// [ErrUnknown], [ErrNotOurs], and the errors of AWS.
func (e *Set) Remove(ctx context.Context, id string) error {
	d, s, err := e.open(ctx, id)
	if err != nil {
		return err
	}
	if err := s.remove(ctx, d.tables, d.users); err != nil {
		return fmt.Errorf("remove exercise %s: %w", id, err)
	}
	return nil
}

// open finds an exercise and who the administrator is.
func (e *Set) open(ctx context.Context, id string) (definition, *stage, error) {
	d, err := find(id)
	if err != nil {
		return definition{}, nil, err
	}
	s := &stage{cfg: e.cfg, id: id, region: e.cfg.Administrator.Region}
	if err := s.identify(ctx); err != nil {
		return definition{}, nil, fmt.Errorf("exercise %s: %w", id, err)
	}
	return d, s, nil
}
