// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"encoding/json"
	"errors"
	"fmt"
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
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	user  = request.Caller{Principal: policy.Principal{Type: policy.User, AccountID: account,
		ARN: "arn:aws:iam::111122223333:user/app/alice", UniqueID: "AIDAALICE"}, UserName: "alice",
		AccessKeyID: "AKIAALICE"}
	root = request.Caller{Principal: policy.Principal{Type: policy.Root, AccountID: account,
		ARN: "arn:aws:iam::111122223333:root", UniqueID: account}, AccessKeyID: "AKIAROOT"}
	role = request.Caller{Principal: policy.Principal{Type: policy.AssumedRole, AccountID: account,
		ARN: "arn:aws:sts::111122223333:assumed-role/reader/job", UniqueID: "AROAREADER:job",
		RoleARN: "arn:aws:iam::111122223333:role/x/reader", RoleUniqueID: "AROAREADER"}, UserName: "job",
		AccessKeyID: "ASIAJOB"}
	read       = request.Operation{ReadOnly: true}
	write      = request.Operation{}
	data       = request.Operation{ReadOnly: true, Data: true}
	keyTouched = []request.Resource{{ARN: keyARN, AccountID: account, Type: "AWS::KMS::Key"}}
)

func newCall(caller request.Caller, service, operation string) *request.Call {
	return &request.Call{ID: "request", Time: start, Service: service, Operation: operation, Region: "us-east-1",
		AccountID: caller.Principal.AccountID,
		Caller:    caller, SourceIP: "127.0.0.1", UserAgent: "test"}
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
	for i := range 4 { // two more than fit: no call waits
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
	if mine.RecipientAccountID != other || owners.RecipientAccountID != account || mine.SharedEventID == "" ||
		mine.SharedEventID != owners.SharedEventID || mine.EventID == owners.EventID {
		t.Errorf("got %+v\nand %+v", mine, owners)
	}
	if diff := cmp.Diff(UserIdentity{Type: "AWSAccount", PrincipalID: "AIDAALICE", AccountID: other},
		owners.UserIdentity); diff != "" {
		t.Error(diff)
	}
}

// TestRefusedCallsMakeNoAccounts names many accounts that do not exist.
func TestRefusedCallsMakeNoAccounts(t *testing.T) {
	const limit = 10
	l := NewLog(limit)
	for i := range 100 {
		c := newCall(user, "dynamodb", "GetItem")
		c.Trail.Resources = []request.Resource{{ARN: "arn", AccountID: fmt.Sprintf("%012d", i),
			Type: "AWS::DynamoDB::Table"}}
		l.Record(c, data, errors.New("refused"))
	}
	if n := len(l.Events()); n != limit || len(l.accounts) != 1 {
		t.Errorf("%d events in %d accounts are kept, want %d in one", n, len(l.accounts), limit)
	}
}
