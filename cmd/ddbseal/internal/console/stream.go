// SPDX-License-Identifier: Apache-2.0

package console

import (
	"fmt"
	"net/http"
	"time"

	"github.com/ddbseal/ddbseal/localaws"
)

const (
	heartbeat    = 10 * time.Second
	streamBuffer = 256
)

// sender writes one server-sent event.
type sender func(id string, data []byte) error

// stream keeps a response of server-sent events open: begin is called first, and
// then each with every event of live. It ends with the request, the session or the
// console, when live is closed, and when a function fails. A user has a limited
// number of streams.
func (c *Console) stream(w http.ResponseWriter, r *http.Request, s *session, live <-chan *localaws.Event,
	begin func(sender) error, each func(sender, *localaws.Event) error) {
	if !c.streams.open(s.owner()) {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "too many live pages of this user are open: close some", http.StatusTooManyRequests)
		return
	}
	defer c.streams.close(s.owner())
	c.running.Add(1)
	defer c.running.Done()
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(id string, data []byte) error {
		_, err := fmt.Fprintf(w, "id: %s\ndata: %s\n\n", id, data)
		return err
	}
	flush := func() error {
		_ = control.SetWriteDeadline(time.Now().Add(2 * heartbeat)) // not every server has deadlines
		return control.Flush()
	}
	if begin(send) != nil || flush() != nil {
		return
	}
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-s.ctx.Done():
			return
		case <-c.ctx.Done():
			return
		case e, open := <-live:
			if !open || each(send, e) != nil || flush() != nil {
				return
			}
		case <-tick.C:
			if c.sessions.expired(s) {
				c.sessions.remove(s)
				return
			}
			if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil || flush() != nil {
				return
			}
		}
	}
}

// newestSeen returns the ID of the newest event that the browser knows.
func newestSeen(r *http.Request) string {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		return id
	}
	return r.URL.Query().Get("after")
}
