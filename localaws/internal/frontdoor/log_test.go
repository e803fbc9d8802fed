// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// An internal failure whose cause is known is told as such, under the code that
// the endpoint has for it, and never with the text of the cause.
func TestExplainedFailure(t *testing.T) {
	for service, want := range map[string]string{"items": "InternalFailure", "people": "InternalFailure"} {
		w, d := newWorld()
		w.failed = fmt.Errorf("open: %w", errExplained)
		target, body := "Items_1.Read", "{}"
		if service == "people" {
			target, body = "", "Action=Read&Version=1"
		}
		answer, err := d.Transport().Do(w.request(t, service, target, body, secret))
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if _, err := text.ReadFrom(answer.Body); err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != http.StatusInternalServerError || !strings.Contains(text.String(), want) ||
			!strings.Contains(text.String(), "explained") ||
			strings.Contains(text.String(), "path") || strings.Contains(w.recordedErr.Error(), "path") {
			t.Errorf("%s: %d %s; recorded %v", service, answer.StatusCode, &text, w.recordedErr)
		}
	}
}

// A log that wants no requests costs no allocation.
func TestLogOff(t *testing.T) {
	w, d := newWorld()
	hr := w.request(t, "items", "", "", secret)
	hr.Header.Set("Content-Type", "text/plain")
	var r exchange
	r.take(hr, hr.Host)
	passing := testing.AllocsPerRun(100, func() { _, _ = d.pass(context.Background(), &r) })
	if handling := testing.AllocsPerRun(100, func() { _, _ = d.handle(context.Background(), &r) }); handling > passing {
		t.Errorf("%v allocations instead of %v", handling, passing)
	}
	var log bytes.Buffer
	d.config.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if _, err := d.handle(context.Background(), &r); err != nil ||
		!strings.Contains(log.String(),
			"method=POST service=\"\" operation=\"\" status=400 code=UnknownOperationException") {
		t.Errorf("%v, %s", err, &log)
	}
}
