// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"
	"log/slog"
	"time"

	"github.com/ddbseal/ddbseal/internal/display"
)

// handle is pass with a record of the request in the log, if that wants it.
func (d *Door) handle(ctx context.Context, r *exchange) (answer, error) {
	if !d.config.Logger.Enabled(ctx, slog.LevelDebug) {
		return d.pass(ctx, r)
	}
	began := time.Now()
	a, err := d.pass(ctx, r)
	d.logRequest(ctx, r, &a, err, time.Since(began))
	return a, err
}

// logRequest logs what was asked and answered, without any value of a client's:
// no body, no header, no query string, no access key.
func (d *Door) logRequest(ctx context.Context, r *exchange, a *answer, err error, took time.Duration) {
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs, slog.String("method", display.Text(r.Method)), slog.String("service", r.service),
		slog.String("operation", r.operation))
	if err != nil {
		// The client went away: nothing was answered.
		attrs = append(attrs, slog.String("unanswered", display.Text(err.Error())))
	} else {
		attrs = append(attrs, slog.Int("status", a.status))
	}
	if a.code != "" {
		attrs = append(attrs, slog.String("code", a.code))
	}
	attrs = append(attrs, slog.Duration("took", took))
	if a.requestID != "" {
		attrs = append(attrs, slog.String("request", a.requestID))
	}
	d.config.Logger.LogAttrs(ctx, slog.LevelDebug, "request", attrs...)
}
