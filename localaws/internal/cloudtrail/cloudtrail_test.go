package cloudtrail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

const (
	account = "111122223333"
	other   = "444455556666"
	keyARN  = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
)

var (
	start      = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	user       = request.Caller{Principal: policy.Principal{Type: policy.User, AccountID: account, ARN: "arn:aws:iam::111122223333:user/app/alice", UniqueID: "AIDAALICE"}, UserName: "alice", AccessKeyID: "AKIAALICE"}
	root       = request.Caller{Principal: policy.Principal{Type: policy.Root, AccountID: account, ARN: "arn:aws:iam::111122223333:root", UniqueID: account}, AccessKeyID: "AKIAROOT"}
	role       = request.Caller{Principal: policy.Principal{Type: policy.AssumedRole, AccountID: account, ARN: "arn:aws:sts::111122223333:assumed-role/reader/job", UniqueID: "AROAREADER:job", RoleARN: "arn:aws:iam::111122223333:role/x/reader", RoleUniqueID: "AROAREADER"}, UserName: "job", AccessKeyID: "ASIAJOB"}
	read       = request.Operation{ReadOnly: true}
	write      = request.Operation{}
	data       = request.Operation{ReadOnly: true, Data: true}
	keyTouched = []request.Resource{{ARN: keyARN, AccountID: account, Type: "AWS::KMS::Key"}}
)

func newCall(caller request.Caller, service, operation string) *request.Call {
	return &request.Call{ID: "request", Time: start, Service: service, Operation: operation, Region: "us-east-1", AccountID: caller.Principal.AccountID,
		Caller: caller, SourceIP: "127.0.0.1", UserAgent: "test"}
}

// fields is the event's JSON without what is random.
func fields(t *testing.T, e *Event) map[string]any {
	t.Helper()
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if len(m["eventID"].(string)) != 36 {
		t.Errorf("event id %v", m["eventID"])
	}
	delete(m, "eventID")
	return m
}

func last(t *testing.T, l *Log) *Event {
	t.Helper()
	events := l.Events()
	if len(events) == 0 {
		t.Fatal("no event was filed")
	}
	return events[len(events)-1]
}

func TestShape(t *testing.T) {
	throughDynamoDB := newCall(user, "kms", "Decrypt")
	throughDynamoDB.ViaService = "dynamodb.us-east-1.amazonaws.com"
	throughDynamoDB.Trail = request.Trail{Resources: keyTouched, RequestParameters: map[string]any{
		"encryptionContext": map[string]string{"aws:dynamodb:tableName": "Notes"}, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}}
	byRole := newCall(role, "dynamodb", "GetItem")
	byRole.Trail.RequestParameters = map[string]any{"tableName": "Notes"}
	service := newCall(request.Caller{Principal: policy.Principal{Type: policy.Service, ARN: "dynamodb.us-east-1.amazonaws.com"}}, "kms", "RetireGrant")

	common := func(more map[string]any) map[string]any {
		m := map[string]any{"eventVersion": "1.11", "eventTime": "2026-03-01T12:00:00Z", "awsRegion": "us-east-1", "sourceIPAddress": "127.0.0.1", "userAgent": "test",
			"requestParameters": nil, "responseElements": nil, "requestID": "request", "readOnly": true, "eventType": "AwsApiCall", "managementEvent": true,
			"recipientAccountId": account, "eventCategory": "Management"}
		for k, v := range more {
			m[k] = v
		}
		return m
	}
	alice := map[string]any{"type": "IAMUser", "principalId": "AIDAALICE", "arn": "arn:aws:iam::111122223333:user/app/alice", "accountId": account, "accessKeyId": "AKIAALICE", "userName": "alice"}
	for _, c := range []struct {
		name string
		call *request.Call
		o    request.Operation
		err  error
		want map[string]any
	}{
		{"decrypt through DynamoDB", throughDynamoDB, read, nil, common(map[string]any{
			"userIdentity": map[string]any{"type": "IAMUser", "principalId": "AIDAALICE", "arn": "arn:aws:iam::111122223333:user/app/alice", "accountId": account, "accessKeyId": "AKIAALICE", "userName": "alice", "invokedBy": "dynamodb.amazonaws.com"},
			"eventSource":  "kms.amazonaws.com", "eventName": "Decrypt", "sourceIPAddress": "dynamodb.amazonaws.com", "userAgent": "dynamodb.amazonaws.com",
			"requestParameters": map[string]any{"encryptionContext": map[string]any{"aws:dynamodb:tableName": "Notes"}, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
			"resources":         []any{map[string]any{"ARN": keyARN, "accountId": account, "type": "AWS::KMS::Key"}}})},
		{"denied by KMS", throughDynamoDB, read, &request.Error{Code: "AccessDeniedException", Message: "User: x is not authorized", Decision: &policy.Decision{}}, common(map[string]any{
			"userIdentity": map[string]any{"type": "IAMUser", "principalId": "AIDAALICE", "arn": "arn:aws:iam::111122223333:user/app/alice", "accountId": account, "accessKeyId": "AKIAALICE", "userName": "alice", "invokedBy": "dynamodb.amazonaws.com"},
			"eventSource":  "kms.amazonaws.com", "eventName": "Decrypt", "sourceIPAddress": "dynamodb.amazonaws.com", "userAgent": "dynamodb.amazonaws.com",
			"errorCode": "AccessDenied", "errorMessage": "User: x is not authorized"})},
		{"disabled key", newCall(user, "kms", "Decrypt"), read, request.Errorf("DisabledException", "it is disabled."), common(map[string]any{
			"userIdentity": alice, "eventSource": "kms.amazonaws.com", "eventName": "Decrypt", "errorCode": "DisabledException", "errorMessage": "it is disabled."})},
		{"IAM's short code", newCall(user, "iam", "GetUser"), read, request.Errorf("NoSuchEntity", "who?"), common(map[string]any{
			"userIdentity": alice, "eventSource": "iam.amazonaws.com", "eventName": "GetUser", "errorCode": "NoSuchEntityException", "errorMessage": "who?"})},
		{"IAM's denial", newCall(user, "iam", "GetUser"), read, &request.Error{Code: "AccessDenied", Message: "no", Status: http.StatusForbidden}, common(map[string]any{
			"userIdentity": alice, "eventSource": "iam.amazonaws.com", "eventName": "GetUser", "errorCode": "AccessDenied", "errorMessage": "no"})},
		{"internal failure tells nothing", newCall(root, "kms", "CreateKey"), write, errors.New("disk full of secrets"), common(map[string]any{
			"userIdentity": map[string]any{"type": "Root", "principalId": account, "arn": "arn:aws:iam::111122223333:root", "accountId": account, "accessKeyId": "AKIAROOT"},
			"eventSource":  "kms.amazonaws.com", "eventName": "CreateKey", "readOnly": false, "errorCode": "InternalFailure", "errorMessage": "An internal failure occurred."})},
		{"data event of a role", byRole, data, nil, common(map[string]any{
			"userIdentity": map[string]any{"type": "AssumedRole", "principalId": "AROAREADER:job", "arn": "arn:aws:sts::111122223333:assumed-role/reader/job", "accountId": account, "accessKeyId": "ASIAJOB",
				"sessionContext": map[string]any{"sessionIssuer": map[string]any{"type": "Role", "principalId": "AROAREADER", "arn": "arn:aws:iam::111122223333:role/x/reader", "accountId": account, "userName": "reader"}}},
			"eventSource": "dynamodb.amazonaws.com", "eventName": "GetItem", "managementEvent": false, "eventCategory": "Data", "requestParameters": map[string]any{"tableName": "Notes"}})},
		{"a service for itself", service, write, nil, common(map[string]any{
			"userIdentity": map[string]any{"type": "AWSService", "invokedBy": "dynamodb.amazonaws.com"}, "recipientAccountId": "",
			"eventSource": "kms.amazonaws.com", "eventName": "RetireGrant", "readOnly": false})},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := NewLog(0)
			l.Record(c.call, c.o, c.err)
			if diff := cmp.Diff(c.want, fields(t, last(t, l))); diff != "" {
				t.Errorf("event differs (-want +got):\n%s", diff)
			}
		})
	}
}

// A parameter that changes after the call, one that cannot be shown and one of
// a megabyte.
func TestParameters(t *testing.T) {
	l := NewLog(0)
	parameters := map[string]string{"keyId": "before"}
	c := newCall(user, "kms", "DescribeKey")
	c.Trail.RequestParameters = parameters
	l.Record(c, read, nil)
	parameters["keyId"] = "after"
	if got := string(last(t, l).RequestParameters); got != `{"keyId":"before"}` {
		t.Errorf("parameters %s", got)
	}
	c.Trail.RequestParameters = strings.Repeat("x", 1<<20)
	l.Record(c, read, nil)
	if got := last(t, l).RequestParameters; len(got) > 200 || !strings.Contains(string(got), `"omitted":true`) {
		t.Errorf("%d bytes of parameters: %.100s", len(got), got)
	}
	c.Trail.RequestParameters = func() {}
	l.Record(c, read, nil)
	if got := string(last(t, l).RequestParameters); !strings.Contains(got, `"omitted":true`) {
		t.Errorf("parameters %s", got)
	}
}

func TestBounds(t *testing.T) {
	const limit = 10
	l := NewLog(limit)
	l.Record(newCall(user, "kms", "CreateKey"), write, nil)
	for range 5 * limit {
		l.Record(newCall(user, "dynamodb", "GetItem"), data, nil)
		l.RecordUnauthenticated(newCall(user, "iam", "GetUser"), read, errors.New("x"))
	}
	if n := len(l.Events()); n != 2*limit+1 {
		t.Errorf("%d events are kept, want %d", n, 2*limit+1)
	}
	if l.Events()[0].EventName != "CreateKey" {
		t.Error("data events pushed out a management event")
	}
	for i := range 3 * limit {
		l.Record(newCall(user, "kms", fmt.Sprint("Op", i)), read, nil)
	}
	got := l.management(account, 1<<62, 100, func(*Event) bool { return true })
	if len(got) != limit || got[0].EventName != "Op29" || got[limit-1].EventName != "Op20" {
		t.Errorf("kept %d events from %s to %s", len(got), got[0].EventName, got[len(got)-1].EventName)
	}
}

func TestSubscribe(t *testing.T) {
	l := NewLog(0)
	events, cancel := l.Subscribe(2)
	for i := range 4 { // two more than fit: nobody waits
		l.Record(newCall(user, "kms", fmt.Sprint("Op", i)), read, nil)
	}
	cancel()
	cancel()
	var got []string
	for e := range events {
		got = append(got, e.EventName)
	}
	if diff := cmp.Diff([]string{"Op0", "Op1"}, got); diff != "" {
		t.Error(diff)
	}
	l.Record(newCall(user, "kms", "Op"), read, nil)
}

// A call on another account's key is an event in both accounts.
func TestSharedEvent(t *testing.T) {
	l := NewLog(0)
	c := newCall(user, "kms", "Decrypt")
	c.AccountID = other
	c.Caller.Principal.AccountID = other
	c.Trail.Resources = keyTouched
	l.Record(c, read, nil)
	events := l.Events()
	if len(events) != 2 {
		t.Fatalf("%d events, want 2", len(events))
	}
	mine, owners := events[0], events[1]
	if mine.RecipientAccountID != other || owners.RecipientAccountID != account || mine.SharedEventID == "" || mine.SharedEventID != owners.SharedEventID || mine.EventID == owners.EventID {
		t.Errorf("got %+v\nand %+v", mine, owners)
	}
	if diff := cmp.Diff(UserIdentity{Type: "AWSAccount", PrincipalID: "AIDAALICE", AccountID: other}, owners.UserIdentity); diff != "" {
		t.Error(diff)
	}
}

// TestRefusedCallsMakeNoAccounts names many accounts that do not exist.
func TestRefusedCallsMakeNoAccounts(t *testing.T) {
	const limit = 10
	l := NewLog(limit)
	for i := range 100 {
		c := newCall(user, "dynamodb", "GetItem")
		c.Trail.Resources = []request.Resource{{ARN: "arn", AccountID: fmt.Sprintf("%012d", i), Type: "AWS::DynamoDB::Table"}}
		l.Record(c, data, errors.New("refused"))
	}
	if n := len(l.Events()); n != limit || len(l.accounts) != 1 {
		t.Errorf("%d events in %d accounts are kept, want %d in one", n, len(l.accounts), limit)
	}
}

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
	add := func(caller request.Caller, service, name string, o request.Operation, after time.Duration, err error) *Event {
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
	want := []lookupEvent{{EventID: first.EventID, EventName: "CreateKey", ReadOnly: "false", AccessKeyID: "AKIAROOT", EventTime: start.Unix(), EventSource: "kms.amazonaws.com",
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
		body := fmt.Sprintf(`{"NextToken":%q,"LookupAttributes":[{"AttributeKey":"Username","AttributeValue":"alice"}]}`, token)
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
	if !strings.Contains(err.Error(), "is not authorized to perform: cloudtrail:LookupEvents because no identity-based policy allows") {
		t.Errorf("got %v", err)
	}
	c := newCall(root, "cloudtrail", "CreateTrail")
	_, err = NewService(l, allow(true)).Serve(context.Background(), c)
	refused(t, err, "UnsupportedOperationException")
	if _, ok := NewService(l, allow(true)).Describe("CreateTrail"); ok {
		t.Error("CreateTrail is described")
	}
}
