// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/screen"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
	"github.com/ddbseal/ddbseal/labsetup/exercise"
)

type exerciseCommand struct {
	List     exerciseList     `cmd:"" help:"List the exercises."`
	Start    exerciseStart    `cmd:"" help:"Make the starting state of an exercise, and print the task."`
	Hint     exerciseHint     `cmd:"" help:"Print a hint for an exercise."`
	Check    exerciseCheck    `cmd:"" help:"Check an exercise by calls: whether the task is done, and no more than the task."`
	Solution exerciseSolution `cmd:"" help:"Print a solution of an exercise that was started."`
	Env      exerciseEnv      `cmd:"" help:"Print what makes the AWS CLI sign as a user of an exercise."`
	Remove   exerciseRemove   `cmd:"" help:"Remove what exercises made."`
}

type exerciseList struct {
	target
	JSON bool `name:"json" help:"Print the exercises as JSON."`
}

// Help is the long help text.
func (c *exerciseList) Help() string {
	return `Lists the exercises in the order in which to do them.

  ddbseal exercise list`
}

// Run lists. It makes no call.
func (c *exerciseList) Run(s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	all := exercise.All()
	if c.JSON {
		return printJSON(s.out, all)
	}
	widest := 0
	for _, e := range all {
		widest = max(widest, len(e.ID))
	}
	for _, e := range all {
		if err := tell(s.out, "%-*s  %s\n", widest, e.ID, e.Title); err != nil {
			return err
		}
	}
	return nil
}

// exerciseFlags say which exercise, and where.
type exerciseFlags struct {
	target
	ID string `arg:"" complete:"@exercises" help:"ID of the exercise, as 'ddbseal exercise list' shows it."`
}

// withSet opens the place and calls do with the exercises there.
func withSet(ctx context.Context, s streams, t *target, create bool,
	do func(*place, *exercise.Set) error) (err error) {
	p, err := t.open(ctx, create)
	if err != nil {
		return err
	}
	defer p.close(&err)
	p.say(s, "")
	admin, err := p.administrator(ctx)
	if err != nil {
		return err
	}
	cfg := exercise.Config{Administrator: admin, As: p.sign, Keys: p.principals.Add}
	if p.remote {
		cfg.Deadline = serverDeadline
	}
	if t.billed() {
		cfg.Deadline = awsDeadline
	}
	set, err := exercise.New(cfg)
	if err != nil {
		return err
	}
	return do(p, set)
}

// known returns the exercise or a mistake in the command line.
func known(id string) (exercise.Exercise, error) {
	e, err := exercise.Find(id)
	if err != nil {
		err = usageError{fmt.Errorf("%w: see 'ddbseal exercise list'", err)}
	}
	return e, err
}

type exerciseStart struct {
	exerciseFlags
	Yes bool `name:"yes" help:"Do not ask (with --aws)."`
}

// Help is the long help text.
func (c *exerciseStart) Help() string {
	return `Makes the starting state of an exercise and tells the task. Repeating it puts the starting state back. Everything has a name of the exercise and a tag.

Do the task with any tool. On the embedded AWS in the data directory the AWS CLI needs 'ddbseal serve'; the commands of the exercise then take --endpoint-url and the address that it printed.

  ddbseal exercise start one-server-table
  ddbseal exercise start one-server-table --endpoint-url http://127.0.0.1:4566`
}

// Run starts the exercise.
func (c *exerciseStart) Run(ctx context.Context, s streams) error {
	e, err := known(c.ID)
	if err != nil {
		return err
	}
	return withSet(ctx, s, &c.target, true, func(p *place, set *exercise.Set) error {
		if c.billed() {
			if err := confirm(s, c.Yes, "This makes a KMS key, DynamoDB tables and IAM users in the AWS account of "+
				"the current credentials, region "+p.current.Region+". The key costs about 1 USD a month, by the "+
				"hour, until 'ddbseal exercise remove --aws'.", "exercise"); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(p.dir, 0o700); err != nil { // for the access keys
			return err
		}
		if err := set.Start(ctx, c.ID); err != nil {
			return err
		}
		c.describe(s, p, e)
		return nil
	})
}

// describe tells the task and how to go on.
func (c *exerciseStart) describe(s streams, p *place, e exercise.Exercise) {
	st := terminal.StyleFor(s.out)
	tell(s.out, "\n%s\n", st.Bold(e.Title))
	for _, part := range []struct{ name, text string }{{"Why", e.Goal}, {"Given", e.Start}, {"Task", e.Task}} {
		tell(s.out, "\n%s\n", st.Bold(part.name))
		paragraphs(s.out, part.text)
	}
	answer := ""
	if e.Text {
		answer = " --answer FILE"
	}
	tell(s.out, "\n%s\n", st.Bold("Next"))
	if p.server != nil && !e.Text {
		tell(s.out, "  ddbseal serve --data-dir %s\n", p.dir)
		tell(s.out, "  # in another terminal, paste the exports that it prints: there the AWS CLI and\n"+
			"  # the commands below reach it. Do the task, and then:\n")
	}
	tell(s.out, "  ddbseal exercise check %s%s%s\n", e.ID, answer, p.flag)
	tell(s.out, "  ddbseal exercise hint %s%s      # %d hints\n", e.ID, p.flag, len(e.Hints))
	tell(s.err, "The access keys of its users are in %s: see 'ddbseal exercise env --help'.\n", p.principals.Path)
}

// textWidth is the width of the texts of exercises.
const textWidth = 76

// paragraphs tells a text of several paragraphs. Indented lines stay as they are.
func paragraphs(w io.Writer, text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, " ") || line == "" {
			tell(w, "  %s\n", line)
			continue
		}
		for _, l := range screen.Wrap(line, textWidth) {
			tell(w, "  %s\n", l)
		}
	}
}

type exerciseHint struct {
	exerciseFlags
	Number int `arg:"" optional:"" default:"1" help:"Which hint: each says more than the one before. (default: ${default})"`
}

// Help is the long help text.
func (c *exerciseHint) Help() string {
	return `Tells one hint of an exercise.

  ddbseal exercise hint one-server-table
  ddbseal exercise hint one-server-table 2`
}

// Run tells the hint. It makes no call.
func (c *exerciseHint) Run(s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	e, err := known(c.ID)
	if err != nil {
		return err
	}
	if c.Number < 1 || c.Number > len(e.Hints) {
		return usagef("exercise %s has hints 1 to %d", e.ID, len(e.Hints))
	}
	for _, line := range screen.Wrap(e.Hints[c.Number-1], textWidth) {
		if err := tell(s.out, "%s\n", line); err != nil {
			return err
		}
	}
	if c.Number < len(e.Hints) {
		tell(s.err, "The next one: ddbseal exercise hint %s %d%s\n", e.ID, c.Number+1, c.flags())
	}
	return nil
}

type exerciseCheck struct {
	exerciseFlags
	Answer string `placeholder:"FILE" help:"File with the answer of an exercise that is answered by a text; - is standard input."`
	JSON   bool   `name:"json" help:"Print the result as JSON."`
}

// Help is the long help text.
func (c *exerciseCheck) Help() string {
	return `Makes the calls that show whether the task is done, and whether the answer opens more than it should. The exit code is 0 only if all is as expected. It changes nothing that the answer consists of.

  ddbseal exercise check one-server-table
  ddbseal exercise check read-audit --answer answer.txt`
}

// Run checks.
func (c *exerciseCheck) Run(ctx context.Context, s streams) error {
	e, err := known(c.ID)
	if err != nil {
		return err
	}
	if e.Text != (c.Answer != "") {
		if e.Text {
			return usagef("exercise %s is answered by a text: give --answer FILE", e.ID)
		}
		return usagef("exercise %s is not answered by a text: leave out --answer", e.ID)
	}
	answer, err := readAnswer(s.in, c.Answer)
	if err != nil {
		return err
	}
	return withSet(ctx, s, &c.target, false, func(p *place, set *exercise.Set) error {
		result, err := set.Check(ctx, c.ID, answer)
		if err != nil {
			return startFirst(err, c.ID, p)
		}
		if c.JSON {
			err = printJSON(s.out, result)
		} else {
			err = c.print(s, result)
		}
		if err == nil && !result.Passed() {
			err = errChecks
		}
		return err
	})
}

// readAnswer reads the file of an answer, or nothing.
func readAnswer(in io.Reader, file string) (string, error) {
	const limit = 64 << 10
	if file != "" && file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	} else if file == "" {
		return "", nil
	}
	text, err := io.ReadAll(io.LimitReader(in, limit))
	return string(text), err
}

// startFirst says what to do about an exercise that was not started.
func startFirst(err error, id string, p *place) error {
	if errors.Is(err, exercise.ErrNotStarted) {
		return fmt.Errorf("%w on %s: run 'ddbseal exercise start %s%s' first", err, p.name, id, p.flag)
	}
	return err
}

func (c *exerciseCheck) print(s streams, r *exercise.Result) error {
	st := terminal.StyleFor(s.out)
	short := func(text string) string { return strings.ReplaceAll(text, "exercise-"+r.ID+"-", "…") }
	passed := 0
	for _, f := range r.Findings {
		mark := st.Bad("FAIL")
		if f.OK {
			mark = st.Good("ok  ")
			passed++
		}
		tell(s.out, "%s  %s: %s\n      expected %s, got %s\n", mark, short(f.Who), short(f.Tried), f.Expected, f.Got)
		if f.Why != "" {
			for _, line := range screen.Wrap(short(f.Why), textWidth-4) {
				tell(s.out, "      %s\n", line)
			}
		}
	}
	verdict := st.Bad(fmt.Sprintf("%d of %d as expected: not solved yet.", passed, len(r.Findings)))
	if r.Passed() {
		verdict = st.Good("Solved.")
	}
	return tell(s.out, "\n%s\n", verdict)
}

type exerciseSolution struct {
	exerciseFlags
	Apply bool `help:"Carry the solution out."`
	JSON  bool `name:"json" help:"Print the solution as JSON."`
}

// Help is the long help text.
func (c *exerciseSolution) Help() string {
	return `Tells one solution of an exercise that was started, as commands of the AWS CLI with the names and ARNs of what start made, or as the text of the answer. With --apply it is carried out.

  ddbseal exercise solution one-server-table
  ddbseal exercise solution one-server-table --apply`
}

// Run tells the solution.
func (c *exerciseSolution) Run(ctx context.Context, s streams) error {
	if _, err := known(c.ID); err != nil {
		return err
	}
	return withSet(ctx, s, &c.target, false, func(p *place, set *exercise.Set) error {
		get := set.Solution
		if c.Apply {
			get = set.Solve
		}
		solution, err := get(ctx, c.ID)
		if err != nil {
			return startFirst(err, c.ID, p)
		}
		if c.JSON {
			return printJSON(s.out, solution)
		}
		for _, text := range append(slices.Clone(solution.Commands), solution.Answer) {
			if text == "" {
				continue
			}
			for line := range strings.Lines(text + "\n") {
				if err := tell(s.out, "%s\n", strings.TrimRight(line, "\n")); err != nil {
					return err
				}
			}
		}
		for _, line := range screen.Wrap(solution.Why, textWidth) {
			tell(s.err, "%s\n", line)
		}
		return nil
	})
}

type exerciseEnv struct {
	target
	User string `arg:"" complete:"@principals" help:"A user of an exercise that was started, such as exercise-key-off-insider."`
}

// Help is the long help text.
func (c *exerciseEnv) Help() string {
	return `Prints exports of the access key of a user that 'exercise start' made, for the AWS CLI. It makes no call.

  eval "$(ddbseal exercise env exercise-key-off-insider)"

  ddbseal exercise env exercise-key-off-insider`
}

// Run prints the exports.
func (c *exerciseEnv) Run(s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	_, p, err := c.readKeys()
	if err != nil {
		return err
	}
	key, ok := p.Keys[c.User]
	if !ok {
		return usagef("%s has no access key of %q: 'ddbseal exercise start' makes one", p.Path, c.User)
	}
	return tell(s.out, "export AWS_ACCESS_KEY_ID=%s\nexport AWS_SECRET_ACCESS_KEY=%s\nunset AWS_SESSION_TOKEN\n",
		key.ID, key.Secret)
}

type exerciseRemove struct {
	target
	Yes bool     `name:"yes" help:"Do not ask (with --aws)."`
	IDs []string `arg:"" optional:"" name:"id" complete:"@exercises" help:"IDs of exercises; none means all."`
}

// Help is the long help text.
func (c *exerciseRemove) Help() string {
	return `Removes the tables and users of exercises, and schedules their keys for deletion in seven days. What lacks the exercise's tag is left alone. Repeating it is safe.

  ddbseal exercise remove one-server-table
  ddbseal exercise remove`
}

// Run removes.
func (c *exerciseRemove) Run(ctx context.Context, s streams) error {
	if len(c.IDs) == 0 {
		for _, e := range exercise.All() {
			c.IDs = append(c.IDs, e.ID)
		}
	}
	for _, id := range c.IDs {
		if _, err := known(id); err != nil {
			return err
		}
	}
	return withSet(ctx, s, &c.target, false, func(p *place, set *exercise.Set) error {
		if c.billed() {
			if err := confirm(s, c.Yes, "This deletes the exercises' tables with their items and users in region "+
				p.current.Region+", and schedules the deletion of their keys.", "delete"); err != nil {
				return err
			}
		}
		for _, id := range c.IDs {
			if err := set.Remove(ctx, id); err != nil {
				return err
			}
			keys := p.principals.Keys
			for name := range keys {
				if strings.HasPrefix(name, "exercise-"+id+"-") {
					delete(keys, name)
				}
			}
		}
		tell(s.err, "Removed: %s.\n", strings.Join(c.IDs, ", "))
		return p.principals.Write()
	})
}
