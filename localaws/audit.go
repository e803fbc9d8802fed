// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/cloudtrail"
)

// Event is one audited call in the shape of a CloudTrail record: who called
// what from where, with which result. It must not be changed.
type Event = cloudtrail.Event

// Reason is how one statement or grant bore on a denied call, as
// Event.Explanation returns it.
type Reason = cloudtrail.Reason

// UserIdentity is who made the call of an Event.
type UserIdentity = cloudtrail.UserIdentity

// Audit is the record of every call to a Server, allowed or denied: management
// events, which CloudTrail's LookupEvents answers too, and data events (item
// calls), which it does not. It is bounded by Options.AuditLimit. With a
// DataDir it survives a new start: events are filed there, sealed, a second
// after the call at the latest, and Close files them all. A server that is
// killed loses the events of its last second, even where the calls' own
// changes are kept.
type Audit struct{ log *cloudtrail.Log }

// Audit returns the server's record of calls.
func (s *Server) Audit() *Audit { return &Audit{s.log} }

// Events returns the events that are kept, of all accounts and regions, oldest
// first.
func (a *Audit) Events() []*Event { return a.log.Events() }

// Since returns the events at or after t, by Options.Clock, oldest first.
func (a *Audit) Since(t time.Time) []*Event {
	t = t.Truncate(time.Second) // the precision of events
	var out []*Event
	for _, e := range a.log.Events() {
		if !e.EventTime.Before(t) {
			out = append(out, e)
		}
	}
	return out
}

// Subscribe returns a channel of the events from now on and a function that
// ends the subscription and closes the channel. What does not fit into the
// channel's buffer is dropped: a slow reader holds up no request.
func (a *Audit) Subscribe(buffer int) (events <-chan *Event, cancel func()) {
	return a.log.Subscribe(buffer)
}
