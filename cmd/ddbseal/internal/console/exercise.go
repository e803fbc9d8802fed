// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/ddbseal/ddbseal/labsetup/exercise"
)

// exerciseView is one exercise on the page, with what this session has seen of it.
type exerciseView struct {
	exercise.Exercise
	Paragraphs []string // of the task
	Lines      string   // of the task, as they stand
	Result     *exercise.Result
	Solution   *exercise.Solution
	Answer     string // as it was given last
	ReadOnly   bool
}

// Passed reports whether the last check of this session passed.
func (v exerciseView) Passed() bool { return v.Result != nil && v.Result.Passed() }

// viewExercise returns the view of an exercise in a session.
func (c *Console) viewExercise(s *session, e exercise.Exercise) exerciseView {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.exercises[e.ID]
	v.Exercise, v.ReadOnly = e, c.readOnly()
	text, table, _ := strings.Cut(e.Task, "\n\n")
	v.Paragraphs, v.Lines = []string{text}, table
	return v
}

func (c *Console) exercisesPage(w http.ResponseWriter, r *http.Request, s *session) {
	var all []exerciseView
	for _, e := range exercise.All() {
		all = append(all, c.viewExercise(s, e))
	}
	c.render(w, r, s, http.StatusOK, "exercises", page{Title: "Exercises", Section: "exercises", Body: all})
}

func (c *Console) exercisePage(w http.ResponseWriter, r *http.Request, s *session) {
	e, err := exercise.Find(r.PathValue("id"))
	if err != nil {
		c.notFound(w, r, s)
		return
	}
	c.render(w, r, s, http.StatusOK, "exercise", page{Title: e.Title, Section: "exercises",
		Body: c.viewExercise(s, e)})
}

// changeExercise starts, checks, solves or removes an exercise as the user.
func (c *Console) changeExercise(w http.ResponseWriter, r *http.Request, s *session) {
	e, err := exercise.Find(r.PathValue("id"))
	if err != nil {
		c.notFound(w, r, s)
		return
	}
	v := c.viewExercise(s, e)
	ctx, cancel := context.WithTimeout(r.Context(), runWait)
	defer cancel()
	// Two checks of one exercise would delete each other's access keys.
	c.exercising.Lock()
	err = c.exercise(ctx, s, &v, r.PathValue("action"), r.PostForm.Get("answer"))
	c.exercising.Unlock()
	switch {
	case err == nil:
	case errors.Is(err, errNoAction):
		http.NotFound(w, r)
		return
	case errors.Is(err, exercise.ErrNotStarted):
		s.say("Start the exercise first.")
	case errors.Is(err, exercise.ErrNoAnswer), errors.Is(err, exercise.ErrForm):
		s.say("Nothing was checked: " + err.Error() + ".")
	case errors.Is(err, exercise.ErrAudit), errors.Is(err, exercise.ErrNotOurs):
		s.say("Nothing was done: " + err.Error() + ".")
	default:
		c.failed(w, r, s, "exercises", e.Title, err)
		return
	}
	s.mu.Lock()
	s.exercises[e.ID] = v
	s.mu.Unlock()
	c.redirect(w, r, "/exercises/"+e.ID)
}

func (c *Console) exercise(ctx context.Context, s *session, v *exerciseView, action, answer string) error {
	cfg := exercise.Config{Administrator: s.cfg, As: c.as}
	if c.cfg.Attached != nil {
		cfg.Deadline = c.cfg.Attached.Deadline
	}
	set, err := exercise.New(cfg)
	if err != nil {
		return err
	}
	switch action {
	case "start":
		v.Result, v.Solution, v.Answer = nil, nil, ""
		if err = set.Start(ctx, v.ID); err == nil {
			s.say("The starting state is there.")
		}
	case "check":
		v.Answer = answer
		v.Result, err = set.Check(ctx, v.ID, answer)
	case "solution", "solve":
		get := set.Solution
		if action == "solve" {
			get = set.Solve
		}
		var solution exercise.Solution
		if solution, err = get(ctx, v.ID); err == nil {
			v.Solution = &solution
			if action == "solve" {
				s.say("The solution was carried out: check it.")
			}
		}
	case "remove":
		v.Result, v.Solution, v.Answer = nil, nil, ""
		if err = set.Remove(ctx, v.ID); err == nil {
			s.say("What the exercise made was removed.")
		}
	default:
		err = errNoAction
	}
	return err
}
