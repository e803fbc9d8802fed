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

// Config says where the exercises run.
type Config struct {
	// Administrator signs as the principal that creates the starting states and
	// checks the results. It needs permission to administer KMS keys, DynamoDB
	// tables and IAM. It should be an IAM user or a role, because key policies
	// name it.
	Administrator aws.Config
	// As returns a configuration that signs with other credentials and calls
	// the same endpoints. Nil: a copy of Administrator with these credentials.
	As func(aws.Credentials) aws.Config
	// Keys is called with the access key of each user that Start creates. If it
	// returns an error, Start fails. Nil: the users get no access key.
	Keys func(user string, c aws.Credentials) error
	// Deadline is how long Check repeats a call that does not have the expected
	// result yet, because a change of permissions takes minutes to take effect
	// on AWS. Zero: the result must be right at once.
	Deadline time.Duration
}

// Set has the exercises of one account. It is safe for concurrent use if only
// one goroutine at a time uses an exercise.
type Set struct{ cfg Config }

// New returns the exercises of an account. It makes no call. It returns an
// error if the administrator has no credentials or no Region.
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

// Start creates the starting state of an exercise. A second call restores the
// starting state. Errors: [ErrUnknown], [ErrNotOurs], and the errors of AWS.
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
// they found. It changes nothing that is part of an answer. answer is the text
// that answers an exercise with Text set; Check ignores it for other exercises. A
// wrong answer is not an error: see [Result.Passed]. Errors: [ErrUnknown],
// [ErrNotStarted], [ErrNoAnswer], [ErrForm], [ErrAudit], and the errors of AWS.
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
// ARNs of its resources. It changes nothing. Errors: [ErrUnknown],
// [ErrNotStarted], and the errors of AWS.
func (e *Set) Solution(ctx context.Context, id string) (Solution, error) {
	solution, _, err := e.solve(ctx, id)
	return solution, err
}

// Solve carries out the solution of [Set.Solution] and returns it. Errors:
// those of Solution.
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

// Remove deletes what Start created. It schedules KMS keys for deletion in
// seven days, the shortest time that AWS allows. A second call does nothing.
// Errors: [ErrUnknown], [ErrNotOurs], and the errors of AWS.
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
