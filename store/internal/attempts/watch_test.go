// SPDX-License-Identifier: Apache-2.0

package attempts_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/ddbseal/ddbseal/internal/testenv"
	"github.com/ddbseal/ddbseal/store/internal/attempts"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// read consumes a request as a server that executes it does.
func read(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }

// put sends a put to a server through the transport that applications use.
func put(t *testing.T, w *attempts.Watch, handle http.HandlerFunc, option func(*dynamodb.Options)) error {
	t.Helper()
	s := httptest.NewServer(handle)
	defer s.Close()
	o := dynamodb.Options{
		Region: "us-east-1", Retryer: aws.NopRetryer{}, BaseEndpoint: &s.URL,
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	}
	option(&o)
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		return s.Deserialize.Add(w, middleware.After)
	})
	_, err := dynamodb.New(o).PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: aws.String("t"),
		Item:      map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "a"}},
	})
	return err
}

// TestWatch: an attempt is open unless no server can have its request, or a
// server refused it.
func TestWatch(t *testing.T) {
	transport := func(edit func(*http.Transport)) func(*dynamodb.Options) {
		return func(o *dynamodb.Options) {
			tr := &http.Transport{}
			edit(tr)
			o.HTTPClient = &http.Client{Transport: tr}
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { read(r); w.WriteHeader(code) }
	}
	asIs := func(*dynamodb.Options) {}
	for _, c := range []struct {
		name   string
		open   bool
		handle http.HandlerFunc
		option func(*dynamodb.Options)
	}{
		{"HTTP 500 without a body", true, status(500), asIs},
		{"HTTP 503 without a body", true, status(503), asIs},
		{"HTTP 408", true, status(408), asIs},
		{"HTTP 400", false, status(400), asIs},
		{"HTTP 413", false, status(413), asIs},
		{"an answer that ends in its body", true, func(w http.ResponseWriter, r *http.Request) {
			read(r)
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
			panic(http.ErrAbortHandler)
		}, asIs},
		{"no answer in time", true, func(_ http.ResponseWriter, r *http.Request) {
			read(r)
			<-r.Context().Done()
		}, transport(func(tr *http.Transport) { tr.ResponseHeaderTimeout = 20 * time.Millisecond })},
		{"a connection that breaks while dialing", false, status(200), transport(func(tr *http.Transport) {
			tr.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNRESET }
		})},
		{"an error of another client that read the request", true, status(200), func(o *dynamodb.Options) {
			o.HTTPClient = client(func(r *http.Request) (*http.Response, error) {
				read(r)
				return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED} // of its second attempt
			})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w attempts.Watch
			if err := put(t, &w, c.handle, c.option); err == nil || w.Open() != c.open || w.Repeated() {
				t.Errorf("open %t, repeated %t: %v", w.Open(), w.Repeated(), err)
			}
		})
	}
}

type client func(*http.Request) (*http.Response, error)

func (f client) Do(r *http.Request) (*http.Response, error) { return f(r) }

// TestWatchOnce: an attempt after an open one is not sent, and one after a
// refused one is.
func TestWatchOnce(t *testing.T) {
	for answer, want := range map[int]int{500: 1, 429: 3} {
		sent := 0
		w := attempts.Watch{Once: true}
		err := put(t, &w, func(out http.ResponseWriter, r *http.Request) {
			read(r)
			sent++
			out.WriteHeader(answer)
		}, func(o *dynamodb.Options) { o.Retryer = always{} })
		if sent != want || errors.Is(err, attempts.ErrNotRepeated) != (want == 1) {
			t.Errorf("HTTP %d: %d sent: %v", answer, sent, err)
		}
	}
}

// always repeats every failure twice, at once.
type always struct{ aws.NopRetryer }

func (always) IsErrorRetryable(error) bool                  { return true }
func (always) MaxAttempts() int                             { return 3 }
func (always) RetryDelay(int, error) (time.Duration, error) { return 0, nil }
func (always) GetRetryToken(context.Context, error) (func(error) error, error) {
	return func(error) error { return nil }, nil
}
