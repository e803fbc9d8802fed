// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/cloudtrail"
)

// Event is one audited call in the form of a CloudTrail record: who called what
// from where, and with which result. Callers must not change it.
type Event = cloudtrail.Event

// Reason says how one statement or grant applied to a denied call.
// Event.Explanation returns the reasons of an event.
type Reason = cloudtrail.Reason

// UserIdentity identifies the caller in an Event.
type UserIdentity = cloudtrail.UserIdentity

// Audit is the record of every call to a Server, allowed or denied. It has
// management events, which CloudTrail's LookupEvents returns too, and data
// events (calls on items), which LookupEvents does not return.
// Options.AuditLimit bounds the number of events that it keeps. With
// Options.DataDir it survives a restart: the server writes events there,
// encrypted, within a second of the call, and Server.Close writes all that are
// left. A server that is killed loses the events of its last second, even if
// the changes that the calls made are kept.
type Audit struct{ log *cloudtrail.Log }

// Audit returns the server's record of calls.
func (s *Server) Audit() *Audit { return &Audit{s.log} }

// Events returns the events that the audit keeps, of all accounts and Regions,
// oldest first.
func (a *Audit) Events() []*Event { return a.log.Events() }

// Since returns the events at or after t, by Options.Clock, oldest first.
// Events have whole seconds, so it ignores the fraction of a second in t.
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

// Subscribe returns a channel of the events from now on, and a function that
// ends the subscription and closes the channel. An event that does not fit into
// the channel's buffer is dropped, so that a slow reader does not delay
// requests.
func (a *Audit) Subscribe(buffer int) (events <-chan *Event, cancel func()) {
	return a.log.Subscribe(buffer)
}
