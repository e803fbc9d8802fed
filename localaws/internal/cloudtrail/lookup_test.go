// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// allow decides every call the same way.
type allow bool

func (a allow) Authorize(_ context.Context, _ *request.Call, k request.Check) policy.Decision {
	if k.Action != "cloudtrail:LookupEvents" {
		return policy.Decision{}
	}
	return policy.Decision{Allowed: bool(a), Outcome: policy.ImplicitDeny, Cause: policy.LayerIdentity}
}

func lookup(l *Log, permission allow, region, body string) (lookupOutput, error) {
	c := newCall(root, "cloudtrail", "LookupEvents")
	c.Region, c.Body = region, []byte(body)
	text, err := NewService(l, permission).Serve(context.Background(), c)
	if err != nil {
		return lookupOutput{}, err
	}
	var out lookupOutput
	return out, json.Unmarshal(text, &out)
}

func TestLookup(t *testing.T) {
	l := NewLog(0)
	add := func(caller request.Caller, service, name string, o request.Operation, after time.Duration,
		err error) *Event {
		c := newCall(caller, service, name)
		c.Time = start.Add(after)
		if service == "kms" {
			c.Trail.Resources = keyTouched
		}
		l.Record(c, o, err)
		return last(t, l)
	}
	first := add(root, "kms", "CreateKey", write, 0, nil)
	add(user, "kms", "Decrypt", read, time.Minute, nil)
	add(user, "kms", "Decrypt", read, 2*time.Minute, request.Errorf("AccessDeniedException", "no"))
	add(user, "dynamodb", "GetItem", data, 3*time.Minute, nil)
	add(role, "dynamodb", "CreateTable", write, 4*time.Minute, nil)
	l.RecordUnauthenticated(newCall(user, "kms", "Encrypt"), read, errors.New("x"))
	elsewhere := newCall(user, "kms", "ListKeys")
	elsewhere.Region = "eu-west-1"
	l.Record(elsewhere, read, nil)

	attribute := func(key, value string) string {
		return fmt.Sprintf(`{"LookupAttributes":[{"AttributeKey":%q,"AttributeValue":%q}]}`, key, value)
	}
	at := func(d time.Duration) int64 { return start.Add(d).Unix() }
	for _, c := range []struct {
		name, region, body, want string
	}{
		{"all of the region, newest first, without data events", "us-east-1", `{}`, "CreateTable Decrypt Decrypt CreateKey"},
		{"another region", "eu-west-1", `{}`, "ListKeys"},
		{"insight events", "us-east-1", `{"EventCategory":"insight"}`, ""},
		{"EventName", "us-east-1", attribute("EventName", "Decrypt"), "Decrypt Decrypt"},
		{"EventId", "us-east-1", attribute("EventId", first.EventID), "CreateKey"},
		{"EventSource", "us-east-1", attribute("EventSource", "dynamodb.amazonaws.com"), "CreateTable"},
		{"ReadOnly true", "us-east-1", attribute("ReadOnly", "true"), "Decrypt Decrypt"},
		{"ReadOnly false", "us-east-1", attribute("ReadOnly", "false"), "CreateTable CreateKey"},
		{"Username of a user", "us-east-1", attribute("Username", "alice"), "Decrypt Decrypt"},
		{"Username of a session", "us-east-1", attribute("Username", "job"), "CreateTable"},
		{"Username of root", "us-east-1", attribute("Username", "root"), "CreateKey"},
		{"AccessKeyId", "us-east-1", attribute("AccessKeyId", "ASIAJOB"), "CreateTable"},
		{"ResourceName; a denied call has none", "us-east-1", attribute("ResourceName", keyARN), "Decrypt CreateKey"},
		{"ResourceType", "us-east-1", attribute("ResourceType", "AWS::KMS::Key"), "Decrypt CreateKey"},
		{"from", "us-east-1", fmt.Sprintf(`{"StartTime":%d}`, at(2*time.Minute)), "CreateTable Decrypt"},
		{"until", "us-east-1", fmt.Sprintf(`{"EndTime":%d}`, at(time.Minute)), "Decrypt CreateKey"},
		{"between", "us-east-1", fmt.Sprintf(`{"StartTime":%d,"EndTime":%d}`, at(time.Minute), at(2*time.Minute)), "Decrypt Decrypt"},
		{"far future", "us-east-1", `{"StartTime":1e300}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := lookup(l, true, c.region, c.body)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, e := range out.Events {
				names = append(names, e.EventName)
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	out, err := lookup(l, true, "us-east-1", attribute("EventId", first.EventID))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(first)
	want := []lookupEvent{{EventID: first.EventID, EventName: "CreateKey", ReadOnly: "false", AccessKeyID: "AKIAROOT",
		EventTime: start.Unix(), EventSource: "kms.amazonaws.com",
		Username: "root", Resources: []lookupResource{{"AWS::KMS::Key", keyARN}}, CloudTrailEvent: string(text)}}
	if diff := cmp.Diff(want, out.Events); diff != "" {
		t.Error(diff)
	}
}

func TestLookupPages(t *testing.T) {
	l := NewLog(0)
	for i := range 120 {
		l.Record(newCall(user, "kms", fmt.Sprint("Op", i)), read, nil)
	}
	var names []string
	token := ""
	for page := 0; ; page++ {
		body := fmt.Sprintf(
			`{"NextToken":%q,"LookupAttributes":[{"AttributeKey":"Username","AttributeValue":"alice"}]}`, token)
		out, err := lookup(l, true, "us-east-1", body)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out.Events {
			names = append(names, e.EventName)
		}
		// What arrives between pages must not shift them.
		l.Record(newCall(user, "kms", "Later"), read, nil)
		if token = out.NextToken; token == "" {
			break
		}
		if page == 0 {
			_, err := lookup(l, true, "us-east-1", fmt.Sprintf(`{"NextToken":%q}`, token))
			refused(t, err, "InvalidNextTokenException")
			_, err = lookup(l, true, "eu-west-1", body)
			if err != nil {
				t.Error(err)
			}
		}
	}
	if len(names) != 120 || names[0] != "Op119" || names[119] != "Op0" {
		t.Errorf("got %d events from %s to %s", len(names), names[0], names[len(names)-1])
	}
	out, err := lookup(l, true, "us-east-1", `{"MaxResults":3}`)
	if err != nil || len(out.Events) != 3 || out.NextToken == "" {
		t.Errorf("got %d events, %v", len(out.Events), err)
	}
}

func refused(t *testing.T, err error, code string) {
	t.Helper()
	var e *request.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestLookupRefusals(t *testing.T) {
	l := NewLog(0)
	for body, code := range map[string]string{
		`[`:                           "SerializationException",
		`{"MaxResults":"x"}`:          "SerializationException",
		`{"MaxResults":0}`:            "InvalidMaxResultsException",
		`{"MaxResults":51}`:           "InvalidMaxResultsException",
		`{"StartTime":2,"EndTime":1}`: "InvalidTimeRangeException",
		`{"EventCategory":"data"}`:    "InvalidEventCategoryException",
		`{"NextToken":"x"}`:           "InvalidNextTokenException",
		`{"LookupAttributes":[{"AttributeKey":"Colour","AttributeValue":"x"}]}`:                                                    "InvalidLookupAttributesException",
		`{"LookupAttributes":[{"AttributeKey":"EventName","AttributeValue":""}]}`:                                                  "InvalidLookupAttributesException",
		`{"LookupAttributes":[{"AttributeKey":"EventName","AttributeValue":"x"},{"AttributeKey":"EventId","AttributeValue":"x"}]}`: "InvalidLookupAttributesException",
	} {
		_, err := lookup(l, true, "us-east-1", body)
		t.Run(body, func(t *testing.T) { refused(t, err, code) })
	}
	_, err := lookup(l, false, "us-east-1", `{}`)
	refused(t, err, "AccessDeniedException")
	if !strings.Contains(err.Error(),
		"is not authorized to perform: cloudtrail:LookupEvents because no identity-based policy allows") {
		t.Errorf("got %v", err)
	}
	c := newCall(root, "cloudtrail", "CreateTrail")
	_, err = NewService(l, allow(true)).Serve(context.Background(), c)
	refused(t, err, "UnsupportedOperationException")
	if !strings.Contains(err.Error(), "not supported by this server") {
		t.Error(err)
	}
}
