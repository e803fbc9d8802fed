// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Exercise describes one exercise.
type Exercise struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Goal is what the exercise teaches, in a sentence.
	Goal string `json:"goal"`
	// Task says what to do. Start describes the starting state.
	Task  string   `json:"task"`
	Start string   `json:"start"`
	Hints []string `json:"hints"` // each says more than the one before
	// Text reports whether the answer is a text to pass to Check. Otherwise the
	// answer is a change of what Set.Start created.
	Text bool `json:"text"`
}

// Solution is one way to solve an exercise.
type Solution struct {
	// Why says why the solution works, and why a simpler answer does not.
	Why string `json:"why"`
	// Commands are shell commands with the AWS CLI, in order.
	Commands []string `json:"commands,omitempty"`
	// Answer is the text that answers an exercise with Text set.
	Answer string `json:"answer,omitempty"`
}

// Finding is the result of one call of a check.
type Finding struct {
	Who      string `json:"who"`
	Tried    string `json:"tried"`
	Expected string `json:"expected"`
	Got      string `json:"got"`
	OK       bool   `json:"ok"`
	// Why says what a finding that is not OK means.
	Why string `json:"why,omitempty"`
}

// Result is the result of Set.Check.
type Result struct {
	ID       string    `json:"id"`
	Findings []Finding `json:"findings"`
}

// Passed reports whether there are findings and all of them are as expected.
func (r *Result) Passed() bool {
	return len(r.Findings) > 0 && !slices.ContainsFunc(r.Findings, func(f Finding) bool { return !f.OK })
}

// Errors of the methods of Set.
var (
	// ErrUnknown means that no exercise has the ID.
	ErrUnknown = errors.New("unknown exercise")
	// ErrNotStarted means that the starting state of the exercise is missing.
	ErrNotStarted = errors.New("the exercise was not started")
	// ErrNoAnswer means that the answer to the exercise is a text and Set.Check
	// got none.
	ErrNoAnswer = errors.New("the exercise is answered by a text, and none was given")
	// ErrForm means that the text of an answer is malformed or longer than 64
	// KiB.
	ErrForm = errors.New("the answer cannot be read")
	// ErrNotOurs means that a resource has a name of the exercise and lacks its
	// tag.
	ErrNotOurs = errors.New("exists, but was not made by this exercise: it lacks the tag " + Tag)
	// ErrAudit means that CloudTrail does not show yet what Set.Start did. Try
	// again later.
	ErrAudit = errors.New("the audit does not show yet what the exercise has done: CloudTrail takes up to fifteen " +
		"minutes on AWS, try again later")
)

// definition is an exercise with what it does.
type definition struct {
	Exercise
	tables, users []string // the names of what Start makes, without prefix
	start         func(context.Context, *stage) error
	// probes returns the calls of the check; answer is empty unless Text is set.
	probes func(ctx context.Context, s *stage, answer string) ([]probe, error)
	// solution returns the solution and does nothing. solve carries it out.
	solution func(context.Context, *stage) (Solution, []command, error)
}

// command is one command of a solution: as text, and as the call that it is.
type command struct {
	text string
	do   func(context.Context) error
}

// definitions are all exercises in the order in which to do them.
func definitions() []definition {
	return []definition{
		oneServerTable(), oneClientTable(), readOnly(), revokeGrant(), brokenCondition(), brokenPrincipal(),
		brokenDeny(), readAudit(), keyOff(), loseRegion(), shredTenant(), attributeClass(),
	}
}

// All returns the exercises in the order in which to do them.
func All() []Exercise {
	var all []Exercise
	for _, d := range definitions() {
		all = append(all, d.named())
	}
	return all
}

// Find returns the exercise with the ID, or an error that matches [ErrUnknown].
func Find(id string) (Exercise, error) {
	d, err := find(id)
	if err != nil {
		return Exercise{}, err
	}
	return d.named(), nil
}

// named returns the exercise with the full names of its resources, which the
// definitions write as "…-name".
func (d *definition) named() Exercise {
	e := d.Exercise
	full := func(text string) string { return strings.ReplaceAll(text, "…-", "exercise-"+e.ID+"-") }
	e.Task, e.Start, e.Hints = full(e.Task), full(e.Start), slices.Clone(e.Hints)
	e.Start += " The alias of the key is " + aliasOf(e.ID) + "."
	for i := range e.Hints {
		e.Hints[i] = full(e.Hints[i])
	}
	return e
}

func find(id string) (definition, error) {
	for _, d := range definitions() {
		if d.ID == id {
			return d, nil
		}
	}
	return definition{}, fmt.Errorf("%w %.40q", ErrUnknown, id)
}
