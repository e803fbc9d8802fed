// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// maxFailures bounds what Failures remembers.
const maxFailures = 20

// quiet is how long a problem that repeats is not logged again.
const quiet = 10 * time.Second

// problems are the operations that failed lately. There are only as many as the
// services have.
type problems map[string]*problem

type problem struct {
	logged   time.Time
	repeated int
}

// news reports whether a failure of operation is to be logged at now, and how
// many were not since the last one.
func (p *problems) news(operation string, now time.Time) (repeated int, news bool) {
	if *p == nil {
		*p = problems{}
	}
	known := (*p)[operation]
	if known != nil && now.Sub(known.logged) < quiet {
		known.repeated++
		return 0, false
	}
	if known != nil {
		repeated = known.repeated
	}
	(*p)[operation] = &problem{logged: now}
	return repeated, true
}

// note remembers and logs an error that is this server's own fault.
func (s *Server) note(c *request.Call, err error) {
	var known *request.Error
	if errors.As(err, &known) && known.HTTPStatus() < 500 || errors.Is(err, errFault) ||
		errors.Is(err, request.ErrMistake) {
		return
	}
	if known != nil && known.Cause != nil {
		err = known.Cause
	}
	operation := c.Service + ":" + c.Operation
	var unwritten *storage.Problem
	stored := errors.As(err, &unwritten) // the store has logged it
	failure := fmt.Errorf("%s (request %s): %w", operation, c.ID, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failures) < maxFailures {
		s.failures = append(s.failures, failure)
	}
	if stored {
		return
	}
	if repeated, news := s.problems.news(operation, time.Now()); news {
		attrs := []slog.Attr{slog.String("operation", operation), slog.String("request", c.ID), slog.Any("error", err)}
		if repeated > 0 {
			attrs = append(attrs, slog.Int("repeated", repeated))
		}
		s.options.Logger.LogAttrs(context.Background(), slog.LevelError, "internal failure", attrs...)
	}
}

// Failures returns the errors behind the first 20 answers with HTTP status 500
// that no fault asked for: defects of this server, or a data directory that
// cannot be written. It is empty in a healthy server.
func (s *Server) Failures() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]error(nil), s.failures...)
}

// Err returns the reason if the server answers every request with an internal
// failure now. The error matches ErrDiskFull, ErrReadOnly or ErrDisk while the
// data directory cannot be written; the server recovers by itself once it can.
// Any other error means that only a new server helps. Err returns nil for a
// server that works, and always for one without a data directory.
func (s *Server) Err() error {
	if err := s.store.Failed(); err != nil {
		return fmt.Errorf("localaws: %w", err)
	}
	return nil
}

// Wait blocks until ctx ends and returns nil, or until only a new server helps
// and returns the error of Err.
func (s *Server) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.store.Down():
		return s.Err()
	}
}
