// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/access"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

const readTable = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}}`

// seed is a table under a key, and principals with different rights.
func seed() localawstest.Seed {
	return localawstest.Seed{
		Keys: []localawstest.Key{{Name: "orders"}},
		Users: []localawstest.User{
			{Name: "admin", Attach: []string{"AdministratorAccess"}},
			{Name: "reader", Policies: map[string]any{"read": readTable, "key": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}}`}},
			{Name: "keyless", Attach: []string{"AmazonDynamoDBFullAccess"}},
			{Name: "absent"},
		},
		Roles: []localawstest.Role{{Name: "app",
			Trust:  `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::{{account}}:user/absent"},"Action":"sts:AssumeRole"}}`,
			Attach: []string{"AdministratorAccess"}}},
		Tables: []localawstest.Table{{Name: "Orders", PartitionKey: "id", Key: "orders"}},
	}
}

func load(t *testing.T, server *localawstest.Server, tables ...access.Table) *access.Snapshot {
	t.Helper()
	s, err := access.Load(context.Background(), server.Root(), tables...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func analyze(t testing.TB, s *access.Snapshot) *access.Analysis {
	t.Helper()
	a, err := access.Analyze(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestLoad(t *testing.T) {
	server := localawstest.New(t, localawstest.WithSeed(seed()))
	s := load(t, server, access.Table{Name: "Orders"})
	if len(s.NotRead) > 0 {
		t.Errorf("not read: %v", s.NotRead)
	}
	var b bytes.Buffer
	if err := s.Save(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	again, err := access.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	b.Reset()
	if err := again.Save(&b); err != nil || b.String() != text {
		t.Errorf("%v, read %s\nsaved %s", err, b.String(), text)
	}
	got := analyze(t, again).Text(access.TextOptions{Why: true})
	for _, want := range []string{"\nThe key alone keeps 1 principal from reading Orders, and a principal can take",
		"user/reader   yes         yes              no     no", "user/absent   no *",
		"user/absent assumes the role arn:aws:iam::111122223333:role/app (sts:AssumeRole)",
		"unknown: arn:aws:iam::111122223333:user/keyless takes the table off its key"} {
		if !strings.Contains(got, want) {
			t.Errorf("the text lacks %q:\n%s", want, got)
		}
	}
}

// foreign is a server that answers some operations with a page in HTML.
type foreign struct {
	next   aws.HTTPClient
	status int
	lacks  []string // operations
}

func (f *foreign) Do(r *http.Request) (*http.Response, error) {
	operation := r.Header.Get("X-Amz-Target")
	if operation == "" && r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, err
		}
		operation = form.Get("Action")
	}
	if slices.Contains(f.lacks, operation[strings.IndexByte(operation, '.')+1:]) {
		return &http.Response{StatusCode: f.status, Header: http.Header{"Content-Type": {"text/html"}},
			Body: io.NopCloser(strings.NewReader("<!doctype html>\n<title>500</title>"))}, nil
	}
	return f.next.Do(r)
}

// TestForeignServer: an answer that is not in the form of AWS is a gap, and the
// answers that depend on it are unknown.
func TestForeignServer(t *testing.T) {
	for _, status := range []int{400, 404, 500, 501} {
		server := localawstest.New(t, localawstest.WithSeed(seed()))
		cfg := server.Root()
		cfg.RetryMaxAttempts = 1
		cfg.HTTPClient = &foreign{cfg.HTTPClient, status, []string{"GetAccountAuthorizationDetails", "GetKeyPolicy",
			"ListGrants", "GetResourcePolicy", "GetUserPolicy"}}
		s, err := access.Load(context.Background(), cfg, access.Table{Name: "Orders"})
		if err != nil {
			t.Errorf("HTTP %d: %v", status, err)
			continue
		}
		text := analyze(t, s).Text(access.TextOptions{})
		for _, want := range []string{"Not read: kms:GetKeyPolicy of ", "Not read: dynamodb:GetResourcePolicy of ",
			"Not read: iam:GetUserPolicy of ", fmt.Sprintf("the server answers HTTP %d and no error of AWS", status),
			"user/keyless  unknown", "user/reader   unknown"} {
			if !strings.Contains(text, want) {
				t.Errorf("HTTP %d: the text lacks %q:\n%s", status, want, text)
			}
		}
	}
}

// throttling is a server that answers the first calls of each kind that they are
// too many.
type throttling struct {
	next  aws.HTTPClient
	calls map[string]int
	first int // how many are refused
}

func (f *throttling) Do(r *http.Request) (*http.Response, error) {
	kind := r.URL.Host + r.Header.Get("X-Amz-Target")
	if f.calls[kind]++; f.calls[kind] > f.first {
		return f.next.Do(r)
	}
	body := `{"__type":"ThrottlingException","message":"Rate exceeded"}`
	if r.Header.Get("X-Amz-Target") == "" {
		body = `<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`
	}
	return &http.Response{StatusCode: 400, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// TestThrottled: calls that are too many are repeated, and what stays throttled is
// an error, not an answer.
func TestThrottled(t *testing.T) {
	server := localawstest.New(t, localawstest.WithSeed(seed()))
	try := func(first int) (*access.Snapshot, error) {
		cfg := server.Root()
		cfg.HTTPClient = &throttling{cfg.HTTPClient, map[string]int{}, first}
		cfg.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts, o.MaxBackoff, o.RateLimiter = 4, time.Millisecond, ratelimit.None
			})
		}
		return access.Load(t.Context(), cfg, access.Table{Name: "Orders"})
	}
	s, err := try(2)
	if err != nil || len(s.NotRead) > 0 {
		t.Errorf("%v, %+v", err, s)
	}
	var api smithy.APIError
	if s, err := try(1 << 30); !errors.As(err, &api) || !strings.HasPrefix(api.ErrorCode(), "Throttling") {
		t.Errorf("%v, %+v", err, s)
	}
}
