// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// maxResults is the largest page.
const maxResults = 50

// Service answers CloudTrail's operations: LookupEvents.
type Service struct {
	log        *Log
	authorizer request.Authorizer
}

var _ request.Service = (*Service)(nil)

// operations is the table of what is served.
var operations = wire.NewTable(new(wire.JSON),
	wire.Op[*Service, lookupInput, []byte]{Name: "LookupEvents", Kind: wire.Read,
		Authorize: (*Service).allowLookup, Serve: (*Service).lookupEvents},
).Absent(wire.NoOperation, absent)

// NewService returns the service over log.
func NewService(log *Log, authorizer request.Authorizer) *Service {
	return &Service{log, authorizer}
}

// Describe implements request.Service.
func (s *Service) Describe(operation string) (request.Operation, bool) {
	return operations.Describe(operation)
}

// Serve implements request.Service.
func (s *Service) Serve(ctx context.Context, c *request.Call) ([]byte, error) {
	return operations.Serve(ctx, s, c)
}

type lookupInput struct {
	LookupAttributes []lookupAttribute `json:"LookupAttributes,omitempty"`
	StartTime        *float64          `json:"StartTime,omitempty"` // seconds
	EndTime          *float64          `json:"EndTime,omitempty"`
	EventCategory    string            `json:"EventCategory,omitempty"`
	MaxResults       *int              `json:"MaxResults,omitempty"`
	NextToken        string            `json:"NextToken,omitempty"`
}

type lookupAttribute struct {
	AttributeKey   string `json:"AttributeKey"`
	AttributeValue string `json:"AttributeValue"`
}

type lookupOutput struct {
	Events    []lookupEvent `json:"Events"`
	NextToken string        `json:"NextToken,omitempty"`
}

type lookupEvent struct {
	EventID         string           `json:"EventId"`
	EventName       string           `json:"EventName"`
	ReadOnly        string           `json:"ReadOnly"`
	AccessKeyID     string           `json:"AccessKeyId,omitempty"`
	EventTime       int64            `json:"EventTime"`
	EventSource     string           `json:"EventSource"`
	Username        string           `json:"Username,omitempty"`
	Resources       []lookupResource `json:"Resources"`
	CloudTrailEvent string           `json:"CloudTrailEvent"`
}

type lookupResource struct {
	ResourceType string `json:"ResourceType"`
	ResourceName string `json:"ResourceName"`
}

func (s *Service) allowLookup(ctx context.Context, c *request.Call, in *lookupInput) error {
	c.Trail.RequestParameters = trail(in)
	return request.Require(ctx, s.authorizer, c,
		request.Check{Action: "cloudtrail:LookupEvents", ResourceAccountID: c.AccountID})
}

func (s *Service) lookupEvents(_ context.Context, c *request.Call, in *lookupInput) ([]byte, error) {
	keep, err := in.filter(c.Region)
	if err != nil {
		return nil, err
	}
	limit := maxResults
	if in.MaxResults != nil {
		if limit = *in.MaxResults; limit < 1 || limit > maxResults {
			return nil, request.Errorf("InvalidMaxResultsException",
				"A max results value of %d is invalid. Specify max results between 1 and %d.", limit, maxResults)
		}
	}
	below := uint64(math.MaxUint64)
	if in.NextToken != "" {
		var ok bool
		if below, ok = in.openToken(c); !ok {
			return nil, request.Errorf("InvalidNextTokenException",
				"The NextToken is not valid or was made for other parameters.")
		}
	}
	out := lookupOutput{Events: []lookupEvent{}}
	if in.EventCategory == "" {
		if err := s.log.ready(); err != nil {
			return nil, err
		}
		events := s.log.management(c.AccountID, below, limit+1, keep)
		if len(events) > limit {
			events = events[:limit]
			out.NextToken = in.token(c, events[limit-1].seq)
		}
		for _, e := range events {
			view, err := e.lookupView()
			if err != nil {
				return nil, err
			}
			out.Events = append(out.Events, view)
		}
	}
	return request.JSON(out)
}

func trail(in *lookupInput) map[string]any {
	out := map[string]any{}
	if len(in.LookupAttributes) > 0 {
		var list []map[string]string
		for _, a := range in.LookupAttributes[:min(len(in.LookupAttributes), 1)] {
			list = append(list, map[string]string{"attributeKey": a.AttributeKey, "attributeValue": a.AttributeValue})
		}
		out["lookupAttributes"] = list
	}
	if in.MaxResults != nil {
		out["maxResults"] = *in.MaxResults
	}
	for name, t := range map[string]*float64{"startTime": in.StartTime, "endTime": in.EndTime} {
		if t != nil {
			out[name] = seconds(*t).Format(time.RFC3339)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// seconds converts a JSON timestamp; absurd ones become the ends of the range
// that time.Time can print.
func seconds(f float64) time.Time {
	f = min(max(f, 0), 253402300799) // the year 9999
	return time.UnixMilli(int64(f * 1000)).UTC()
}

// filter returns the test for events that in asks for, in one region.
func (in *lookupInput) filter(region string) (func(*Event) bool, error) {
	switch in.EventCategory {
	case "", "insight":
	default:
		return nil, request.Errorf("InvalidEventCategoryException", "The event category %q is invalid.",
			in.EventCategory)
	}
	start, end := time.Time{}, seconds(math.MaxFloat64)
	if in.StartTime != nil {
		start = seconds(*in.StartTime)
	}
	if in.EndTime != nil {
		end = seconds(*in.EndTime)
	}
	if start.After(end) {
		return nil, request.Errorf("InvalidTimeRangeException", "The start time of the query is after the end time.")
	}
	matches := func(*Event) bool { return true }
	if len(in.LookupAttributes) > 1 {
		return nil, request.Errorf("InvalidLookupAttributesException", "You can specify only one lookup attribute.")
	}
	if len(in.LookupAttributes) == 1 {
		a := in.LookupAttributes[0]
		if matches = a.matcher(); matches == nil || a.AttributeValue == "" || len(a.AttributeValue) > 2000 {
			return nil, request.Errorf("InvalidLookupAttributesException",
				"The lookup attribute %.64q with the given value is invalid.", a.AttributeKey)
		}
	}
	return func(e *Event) bool {
		return e.AWSRegion == region && !e.EventTime.Before(start.Truncate(time.Second)) && !e.EventTime.After(end) &&
			matches(e)
	}, nil
}

func (a lookupAttribute) matcher() func(*Event) bool {
	value := a.AttributeValue
	switch a.AttributeKey {
	case "EventId":
		return func(e *Event) bool { return e.EventID == value }
	case "EventName":
		return func(e *Event) bool { return e.EventName == value }
	case "EventSource":
		return func(e *Event) bool { return e.EventSource == value }
	case "ReadOnly":
		return func(e *Event) bool { return strconv.FormatBool(e.ReadOnly) == value }
	case "Username":
		return func(e *Event) bool { return e.userName() == value }
	case "AccessKeyId":
		return func(e *Event) bool { return e.UserIdentity.AccessKeyID == value }
	case "ResourceName":
		return func(e *Event) bool { return e.hasResource(func(r request.Resource) bool { return r.ARN == value }) }
	case "ResourceType":
		return func(e *Event) bool { return e.hasResource(func(r request.Resource) bool { return r.Type == value }) }
	}
	return nil
}

func (e *Event) hasResource(is func(request.Resource) bool) bool {
	for _, r := range e.Resources {
		if is(r) {
			return true
		}
	}
	return false
}

func (e *Event) lookupView() (lookupEvent, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return lookupEvent{}, err
	}
	v := lookupEvent{EventID: e.EventID, EventName: e.EventName, ReadOnly: strconv.FormatBool(e.ReadOnly),
		AccessKeyID: e.UserIdentity.AccessKeyID,
		EventTime:   e.EventTime.Unix(), EventSource: e.EventSource, Username: e.userName(),
		Resources: []lookupResource{}, CloudTrailEvent: string(text)}
	for _, r := range e.Resources {
		v.Resources = append(v.Resources, lookupResource{r.Type, r.ARN})
	}
	return v, nil
}

// token names the last event of a page and the question it belongs to. It is
// no secret and no permission: every page is authorized on its own.
func (in *lookupInput) token(c *request.Call, last uint64) string {
	digest := in.digest(c)
	return base64.URLEncoding.EncodeToString(binary.BigEndian.AppendUint64(digest[:16:16], last))
}

func (in *lookupInput) openToken(c *request.Call) (below uint64, ok bool) {
	raw, err := base64.URLEncoding.DecodeString(in.NextToken)
	digest := in.digest(c)
	if err != nil || len(raw) != 24 || string(raw[:16]) != string(digest[:16]) {
		return 0, false
	}
	return binary.BigEndian.Uint64(raw[16:]), true
}

func (in *lookupInput) digest(c *request.Call) [32]byte {
	same := *in
	same.NextToken, same.MaxResults = "", nil
	text, _ := json.Marshal(same)
	return sha256.Sum256(append(text, c.AccountID+c.Region...))
}
