// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"

	"github.com/ddbseal/ddbseal/localaws"
)

// eventView is one call, as the page and its live updates show it.
type eventView struct {
	ID      string   `json:"id"`
	Time    string   `json:"time"` // UTC
	Event   string   `json:"event"`
	Service string   `json:"service"`
	Who     string   `json:"who"`
	Via     string   `json:"via"`
	Context string   `json:"context"`
	Outcome string   `json:"outcome"`
	Error   string   `json:"error"`
	Reasons []string `json:"reasons,omitempty"`
}

// filter chooses events.
type filter struct {
	Text    string // in who, event or context
	Outcome string // "", "allowed", "denied", "failed"
	All     bool   // other services too, else key uses
}

func filterOf(q url.Values) filter {
	return filter{Text: strings.TrimSpace(q.Get("q")), Outcome: q.Get("outcome"), All: q.Get("all") == "yes"}
}

// Query is the filter as it stands in links.
func (f filter) Query() string {
	q := url.Values{}
	if f.Text != "" {
		q.Set("q", f.Text)
	}
	if f.Outcome != "" {
		q.Set("outcome", f.Outcome)
	}
	if f.All {
		q.Set("all", "yes")
	}
	return q.Encode()
}

// keyUses are the operations that use a key, as opposed to managing it.
func keyUses() []string {
	return []string{"Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
		"GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateMac", "VerifyMac", "Sign", "Verify"}
}

func (f filter) keeps(e *localaws.Event, v *eventView) bool {
	if !f.All && (e.EventSource != "kms.amazonaws.com" || !slices.Contains(keyUses(), e.EventName)) {
		return false
	}
	if f.Outcome != "" && f.Outcome != v.Outcome {
		return false
	}
	text := strings.ToLower(f.Text)
	return text == "" || strings.Contains(strings.ToLower(v.Who+"\n"+v.Event+"\n"+v.Context+"\n"+v.Via), text)
}

func viewEvent(e *localaws.Event) eventView {
	v := eventView{ID: e.EventID, Time: e.EventTime.Format(time.DateTime), Event: e.EventName,
		Service: strings.TrimSuffix(e.EventSource, ".amazonaws.com"),
		Via:     strings.TrimSuffix(e.UserIdentity.InvokedBy, ".amazonaws.com"), Outcome: "allowed",
		Error: e.ErrorMessage, Reasons: e.Reasons()}
	switch {
	case e.UserIdentity.UserName != "":
		v.Who = e.UserIdentity.UserName
	case e.UserIdentity.ARN != "":
		v.Who = shortARN(e.UserIdentity.ARN)
	default:
		v.Who = e.UserIdentity.InvokedBy
	}
	switch {
	case e.Denied():
		v.Outcome = "denied"
	case e.ErrorCode != "":
		v.Outcome = "failed"
	}
	var parameters struct {
		EncryptionContext map[string]string `json:"encryptionContext"`
	}
	if json.Unmarshal(e.RequestParameters, &parameters) == nil {
		var parts []string
		for k, x := range parameters.EncryptionContext {
			parts = append(parts, k+" = "+x)
		}
		slices.Sort(parts)
		v.Context = strings.Join(parts, "\n")
	}
	return v
}

const maxEvents = 300

type auditView struct {
	Filter  filter
	Events  []eventView
	Last    string // id of the newest, where live updates go on
	Delayed bool   // CloudTrail shows calls some minutes later
}

// mayLook asks CloudTrail as the user: the page has the audit from elsewhere,
// but only a user who may look up events gets to see it.
func (s *session) mayLook(r *http.Request) error {
	_, err := s.trail.LookupEvents(r.Context(), &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(1)})
	return err
}

// recorded are the account's events that the filter keeps, oldest first, and
// the id of the newest of all.
func (c *Console) recorded(ctx context.Context, s *session, f filter) (kept []*localaws.Event, last string, err error) {
	var all []*localaws.Event
	if c.cfg.Server != nil {
		all = c.cfg.Server.Audit().Events()
	} else if all, err = s.lookup(ctx, f, lookupPages); err != nil {
		return nil, "", err
	}
	for _, e := range all {
		if !s.own(e) {
			continue
		}
		last = e.EventID
		if v := viewEvent(e); f.keeps(e, &v) {
			kept = append(kept, e)
		}
	}
	return kept, last, nil
}

// own reports whether an event is one of the user's account.
func (s *session) own(e *localaws.Event) bool {
	return e.RecipientAccountID == s.account && !e.Unauthenticated
}

func (c *Console) auditPage(w http.ResponseWriter, r *http.Request, s *session) {
	v := auditView{Filter: filterOf(r.URL.Query()), Delayed: c.cfg.Server == nil}
	events, last, err := c.lookAt(r, s, v.Filter)
	if err != nil {
		c.failed(w, r, s, "audit", "Audit", err)
		return
	}
	v.Last = last
	for _, e := range slices.Backward(events[max(0, len(events)-maxEvents):]) {
		v.Events = append(v.Events, viewEvent(e))
	}
	c.render(w, r, s, http.StatusOK, "audit", page{Title: "Audit", Section: "audit", Body: v})
}

// lookAt is recorded for a user who may look up events.
func (c *Console) lookAt(r *http.Request, s *session, f filter) ([]*localaws.Event, string, error) {
	if err := s.mayLook(r); err != nil {
		return nil, "", err
	}
	return c.recorded(r.Context(), s, f)
}

// auditEvents sends events as they happen. It begins after the event that the
// browser had last, so that nothing is lost in between.
func (c *Console) auditEvents(w http.ResponseWriter, r *http.Request, s *session) {
	if err := s.mayLook(r); err != nil {
		http.Error(w, "not allowed", http.StatusForbidden)
		return
	}
	f := filterOf(r.URL.Query())
	sent := map[string]bool{} // missed ones may be in the channel too
	each := func(send sender, e *localaws.Event) error {
		if sent[e.EventID] || !s.own(e) {
			return nil
		}
		v := viewEvent(e)
		if !f.keeps(e, &v) {
			return nil
		}
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		return send(v.ID, text)
	}
	after := newestSeen(r)
	if c.cfg.Server == nil {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		c.stream(w, r, s, s.poll(ctx, f, after), func(sender) error { return nil }, each)
		return
	}
	live, cancel := c.cfg.Server.Audit().Subscribe(streamBuffer)
	defer cancel()
	c.stream(w, r, s, live, func(send sender) error {
		for _, e := range c.missed(after) {
			if err := each(send, e); err != nil {
				return err
			}
			sent[e.EventID] = true
		}
		return nil
	}, each)
}

// missed are the events after one that the browser knows.
func (c *Console) missed(after string) []*localaws.Event {
	events := c.cfg.Server.Audit().Events()
	i := slices.IndexFunc(events, func(e *localaws.Event) bool { return e.EventID == after })
	if i < 0 {
		return nil
	}
	return events[i+1:]
}

// auditExport gives the filtered events as CSV or as CloudTrail's own records,
// one a line.
func (c *Console) auditExport(w http.ResponseWriter, r *http.Request, s *session) {
	events, _, err := c.lookAt(r, s, filterOf(r.URL.Query()))
	if err != nil {
		c.failed(w, r, s, "audit", "Audit", err)
		return
	}
	if r.URL.Query().Get("format") == "csv" {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="audit.csv"`)
		out := csv.NewWriter(w)
		_ = out.Write([]string{"time", "service", "event", "who", "via", "encryption context", "outcome", "error"})
		for _, e := range events {
			v := viewEvent(e)
			_ = out.Write([]string{v.Time, v.Service, v.Event, cell(v.Who), v.Via, cell(v.Context), v.Outcome,
				cell(v.Error)})
		}
		out.Flush()
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Content-Disposition", `attachment; filename="audit.jsonl"`)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, event := range events {
		if e.Encode(event) != nil {
			return
		}
	}
}

// cell keeps a spreadsheet from taking a value for a formula.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
