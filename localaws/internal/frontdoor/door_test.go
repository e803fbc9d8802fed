// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

const secret = "a secret of the test"

var errExplained = errors.New("/a/path that clients must not see")

// world is a door with one JSON and one Query endpoint, and notes the steps of
// every request. Interrupt, Failed and Settle answer what it holds.
type world struct {
	steps                      []string
	interrupt, failed, settle  error
	served                     error
	identityError, recordedErr error
	now                        time.Time
	body                       string // of the last call that was served
	answer                     string // in place of the usual one
}

func (w *world) Credentials(id, _ string) (string, request.Caller, error) {
	w.steps = append(w.steps, "credentials")
	root := policy.Principal{Type: policy.Root, AccountID: "111122223333"}
	return secret, request.Caller{Principal: root, AccessKeyID: id}, w.identityError
}

func (w *world) Used(string, string, string) { w.steps = append(w.steps, "used") }

func (w *world) Record(_ *request.Call, _ request.Operation, err error) {
	w.steps, w.recordedErr = append(w.steps, "record"), err
}

func (w *world) RecordUnauthenticated(*request.Call, request.Operation, error) {
	w.steps = append(w.steps, "record unauthenticated")
}

func (w *world) Describe(name string) (request.Operation, bool) {
	read := strings.HasPrefix(name, "Read")
	return request.Operation{ReadOnly: read}, read || strings.HasPrefix(name, "Write")
}

func (w *world) Serve(_ context.Context, c *request.Call) ([]byte, error) {
	w.steps, w.body = append(w.steps, "serve "+c.Service+" "+c.Region), string(c.Body)
	if w.answer != "" {
		return []byte(w.answer), w.served
	}
	return []byte("served " + c.Operation), w.served
}

func newWorld() (*world, *Door) {
	w := &world{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	d := New(Config{Identity: w, Log: w, Clock: clock, SigningClock: clock,
		Interrupt: func(context.Context, *request.Call, request.Operation) error {
			w.steps = append(w.steps, "interrupt")
			return w.interrupt
		},
		Failed: func() error { w.steps = append(w.steps, "failed"); return w.failed },
		Settle: func() error { w.steps = append(w.steps, "settle"); return w.settle },
		Report: func(*request.Call, error) { w.steps = append(w.steps, "report") },
		Explain: func(err error) string {
			if errors.Is(err, errExplained) {
				return "explained"
			}
			return ""
		}, Logger: slog.New(slog.DiscardHandler)})
	d.Mount(Endpoint{Name: "items", Service: w, Targets: []string{"Items_1"}, ContentType: "application/x-amz-json-1.0",
		MaxBody: 1 << 20, Server: "Server", Checksum: true})
	d.Mount(Endpoint{Name: "people", Service: w, Version: "1", Namespace: "urn:people", ContentType: "text/xml",
		MaxBody: 200 << 10, Region: "global"})
	return w, d
}

// request makes a request signed with key at the world's time.
func (w *world) request(t *testing.T, service, target, body, key string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "https://door.invalid/", strings.NewReader(body))
	r.RequestURI = ""
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	} else {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w.sign(t, r, service, body, key)
	return r
}

// sign signs r with key at the world's time.
func (w *world) sign(t *testing.T, r *http.Request, service, body, key string) {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	creds := aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: key}
	err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hex.EncodeToString(sum[:]), service, "eu-west-1",
		w.now)
	if err != nil {
		t.Fatal(err)
	}
}

// The steps of a request are the same for every protocol, and each refusal ends
// them where it stands.
func TestSteps(t *testing.T) {
	broken := errors.New("broken")
	all := []string{"credentials", "used", "interrupt", "failed"}
	after := func(steps ...string) []string { return append(slices.Clone(all), steps...) }
	const read, write = "Items_1.Read", "Items_1.Write"
	for _, c := range []struct {
		name, service, target, body, key string
		set                              func(*world)
		status                           int
		want                             []string
	}{
		{name: "a JSON read", service: "items", target: read, body: "{}",
			status: 200, want: after("serve items eu-west-1", "record")},
		{name: "a JSON write settles", service: "items", target: write, body: "{}",
			status: 200, want: after("serve items eu-west-1", "settle", "record")},
		{name: "a Query write of a global service", service: "people", body: "Action=Write&Version=1",
			status: 200, want: after("serve people global", "settle", "record")},
		{name: "too large", service: "items", target: read, body: strings.Repeat(" ", 1<<20+1), status: 413},
		{name: "unknown operation", service: "items", target: "Items_1.Other", body: "{}",
			status: 400, want: []string{"credentials", "used"}},
		{name: "unknown operation, wrong signature", service: "items", target: "Items_1.Other", body: "{}", key: "wrong",
			status: 400, want: []string{"credentials"}},
		{name: "wrong signature", service: "items", target: read, body: "{}", key: "wrong",
			status: 400, want: []string{"credentials", "record unauthenticated"}},
		{name: "unknown client", service: "items", target: read, body: "{}",
			set: func(w *world) { w.identityError = broken }, status: 400, want: []string{"credentials"}},
		{name: "a fault", service: "items", target: write, body: "{}",
			set: func(w *world) { w.interrupt = request.Errorf("Fault", "") }, status: 400,
			want: []string{"credentials", "used", "interrupt", "record", "report"}},
		{name: "a store that failed", service: "items", target: write, body: "{}",
			set: func(w *world) { w.failed = broken }, status: 500,
			want: after("record", "report")},
		{name: "an answer that cannot settle", service: "items", target: write, body: "{}",
			set: func(w *world) { w.settle = broken }, status: 500,
			want: after("serve items eu-west-1", "settle", "record", "report")},
		{name: "a refusal settles too", service: "items", target: write, body: "{}",
			set: func(w *world) { w.served = request.Errorf("Exists", "") }, status: 400,
			want: after("serve items eu-west-1", "settle", "record", "report")},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := c.key
			if key == "" {
				key = secret
			}
			w, d := newWorld()
			if c.set != nil {
				c.set(w)
			}
			resp, err := d.Transport().Do(w.request(t, c.service, c.target, c.body, key))
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != c.status || !slices.Equal(w.steps, c.want) {
				t.Errorf("status %d, steps %q, want %d, %q", resp.StatusCode, w.steps, c.status, c.want)
			}
		})
	}
}

// What comes over a connection and what comes inside the process get the same
// answer, but for the connection that an unread body spoils.
func TestAdaptersAnswerAlike(t *testing.T) {
	for name, edit := range map[string]func(*http.Request){
		"served":     func(*http.Request) {},
		"unsigned":   func(r *http.Request) { r.Header.Del("Authorization") },
		"compressed": func(r *http.Request) { r.Header.Set("Content-Encoding", "br") },
		"too large": func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat(" ", 2<<20))), 2<<20
		},
		"unannounced": func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat(" ", 2<<20))), -1
		},
		"stray":     func(r *http.Request) { r.Header.Set("X-Amz-Target", "Nothing.Do") },
		"no target": func(r *http.Request) { r.Header.Del("X-Amz-Target"); r.Method = http.MethodDelete },
	} {
		t.Run(name, func(t *testing.T) {
			w, d := newWorld()
			inside := w.request(t, "items", "Items_1.Read", "{}", secret)
			edit(inside)
			resp, err := d.Transport().Do(inside)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			outside := w.request(t, "items", "Items_1.Read", "{}", secret)
			edit(outside)
			recorder := httptest.NewRecorder()
			d.ServeHTTP(recorder, outside)
			if recorder.Code != resp.StatusCode || recorder.Body.String() != string(body) {
				t.Errorf("over HTTP %d %s, inside %d %s", recorder.Code, recorder.Body, resp.StatusCode, body)
			}
			want, got := maps.Clone(resp.Header), maps.Clone(recorder.Header())
			delete(want, "X-Amzn-Requestid")
			delete(got, "X-Amzn-Requestid")
			if name == "stray" || name == "no target" {
				want.Set("Connection", "close")
			}
			if !maps.EqualFunc(want, got, slices.Equal[[]string]) {
				t.Errorf("headers over HTTP %v, inside %v", got, want)
			}
		})
	}
}

// A client that no longer waits gets no answer, and one that cuts its body
// short loses its connection.
func TestNoAnswer(t *testing.T) {
	w, d := newWorld()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	cancelled := w.request(t, "items", "Items_1.Read", "{}", secret).WithContext(ctx)
	if _, err := d.Transport().Do(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled request: %v", err)
	}
	short := w.request(t, "items", "Items_1.Read", "{}", secret)
	short.ContentLength = 50
	if _, err := d.Transport().Do(short); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a short body: %v", err)
	}
	defer func() {
		if r := recover(); r != http.ErrAbortHandler {
			t.Errorf("the handler ended with %v", r)
		}
	}()
	short = w.request(t, "items", "Items_1.Read", "{}", secret)
	short.ContentLength = 50
	d.ServeHTTP(httptest.NewRecorder(), short)
}
