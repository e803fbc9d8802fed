// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ddbseal/ddbseal/store"
)

// TestLostAnswers: a write whose answer is lost is repeated by the SDK and its
// condition then fails because of itself. It must not be applied twice.
// guarantees: U3
func TestLostAnswers(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "returned items of failed conditions")
		ctx := t.Context()
		table := w.table(t, "id:S")
		client, l := w.wire()
		counters := open[counter](t, client, table, m)
		calm := open[counter](t, w.client, table, m)
		k := store.Key{Partition: "c"}
		add := func(c *counter) error { c.Count++; return nil }
		ok(t, calm.Put(ctx, counter{ID: "c"}))

		l.play("PutItem", lose, pass)
		_, err := counters.Update(ctx, k, add)
		if m.String() == "client" {
			ok(t, err) // the footer tells that the first attempt wrote
		} else if !errors.Is(err, store.ErrUncertain) {
			t.Fatalf("server mode: %v", err)
		}
		if got := must(calm.Get(ctx, k))(t); got.Count != 1 {
			t.Fatalf("count %d after one update", got.Count)
		}

		// Another writer hides the outcome: then it cannot be known.
		l.interfere = func() { _, err := calm.Update(ctx, k, add); ok(t, err) }
		l.play("PutItem", lose, pass)
		if _, err := counters.Update(ctx, k, add); !errors.Is(err, store.ErrUncertain) {
			t.Fatalf("hidden outcome: %v", err)
		}
		if got := must(calm.Get(ctx, k))(t); got.Count != 3 {
			t.Fatalf("count %d after three updates", got.Count)
		}

		// A refusal is a clear answer: the update goes on.
		l.interfere = nil
		l.play("PutItem", throttle, pass)
		ok(t, ignore(counters.Update(ctx, k, add)))
		if got := must(calm.Get(ctx, k))(t); got.Count != 4 {
			t.Fatalf("count %d after four updates", got.Count)
		}
	})
}

// TestLostAnswersOfUpdates: an update in place whose condition then fails
// because of itself was not refused.
func TestLostAnswersOfUpdates(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "conditions that lose their answer")
		ctx := t.Context()
		table := w.table(t, "id:S")
		client, l := w.wire()
		counters := open[counter](t, client, table, m)
		k := store.Key{Partition: "c"}
		ok(t, counters.Put(ctx, counter{ID: "c"}))
		l.play("UpdateItem", lose, pass)
		err := counters.UpdateAttributes(ctx, k, setHits, calmHits)
		if !errors.Is(err, store.ErrUncertain) || errors.Is(err, store.ErrConditionFailed) {
			t.Fatal(err)
		}
		if got := must(counters.Get(ctx, k))(t); got.Hits != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// TestLostOldItems: what a repeated write replaced or removed may be its own
// doing, and must not be taken for the old item.
// guarantees: P8, D6
func TestLostOldItems(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "answers to lose")
		ctx := t.Context()
		table := w.table(t, orderKeys)
		client, l := w.wire()
		orders := open[order](t, client, table, m)
		first, next := sample("ann", 1), sample("ann", 1)
		next.Secret = "next"
		ok(t, orders.Put(ctx, first))
		l.play("PutItem", lose, pass)
		if old, err := orders.PutOld(ctx, next); !errors.Is(err, store.ErrUncertain) {
			t.Errorf("replaced %+v, %v", old, err)
		}
		l.play("DeleteItem", lose, pass)
		if old, err := orders.DeleteOld(ctx, next.key()); !errors.Is(err, store.ErrUncertain) {
			t.Errorf("removed %+v, %v", old, err)
		}
	})
}

// TestUpdateMeetsTransactions: DynamoDB refuses a write of an item that is in a
// transaction, and the SDK does not repeat it.
func TestUpdateMeetsTransactions(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		client, l := w.wire()
		counters := open[counter](t, client, w.table(t, "id:S"), m)
		k := store.Key{Partition: "c"}
		ok(t, counters.Put(ctx, counter{ID: "c"}))
		add := func(c *counter) error { c.Count++; return nil }
		l.play("PutItem", conflict, conflict, pass)
		if got := must(counters.Update(ctx, k, add))(t); got.Count != 1 {
			t.Errorf("%+v", got)
		}
		l.play("PutItem", conflict)
		var met *types.TransactionConflictException
		if _, err := counters.Update(ctx, k, add); !errors.Is(err, store.ErrConflict) || !errors.As(err, &met) {
			t.Errorf("endless transactions: %v", err)
		}
		l.play("PutItem", conflict, pass)
		if err := counters.Put(ctx, counter{ID: "d"}); !errors.Is(err, store.ErrConflict) || !errors.As(err, &met) {
			t.Errorf("put: %v", err)
		}
	})
}

// TestAttempts: an attempt that sent nothing leaves nothing open, over the
// transport that applications use.
// guarantees: A4
func TestAttempts(t *testing.T) {
	t.Parallel()
	errCredentials := errors.New("no credentials today")
	closed := httptest.NewServer(nil)
	closed.Close()
	strange := httptest.NewUnstartedServer(nil)
	strange.Config.ErrorLog = log.New(io.Discard, "", 0)
	strange.StartTLS()
	t.Cleanup(strange.Close)
	server := func(o *dynamodb.Options, handle http.HandlerFunc) {
		s := httptest.NewServer(handle)
		t.Cleanup(s.Close)
		o.BaseEndpoint = &s.URL
	}
	dial := func(o *dynamodb.Options, f func(context.Context) error) {
		o.HTTPClient = &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return nil, f(ctx) },
		}}
	}
	credential := func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errCredentials }
	untrusted := func(err error) bool {
		var e *tls.CertificateVerificationError
		return errors.As(err, &e)
	}
	unnamed := func(err error) bool {
		var e *net.DNSError
		return errors.As(err, &e)
	}
	for _, c := range []struct {
		name    string
		unclear bool
		cause   func(error) bool
		option  func(o *dynamodb.Options, cancel func())
	}{
		{"no credentials", false, is(errCredentials), func(o *dynamodb.Options, _ func()) {
			o.Credentials = aws.CredentialsProviderFunc(credential)
		}},
		{"no signature", false, is(errCredentials), func(o *dynamodb.Options, _ func()) {
			o.HTTPSignerV4 = unsigned{errCredentials}
		}},
		{"no endpoint", false, nil, func(o *dynamodb.Options, _ func()) {
			o.BaseEndpoint = aws.String("http://a..b")
		}},
		{"no name", false, unnamed, func(o *dynamodb.Options, _ func()) {
			dial(o, func(context.Context) error { return &net.DNSError{Err: "no such host", IsNotFound: true} })
		}},
		{"no server", false, is(syscall.ECONNREFUSED), func(o *dynamodb.Options, _ func()) {
			o.BaseEndpoint = &closed.URL
		}},
		{"no trust", false, untrusted, func(o *dynamodb.Options, _ func()) {
			o.BaseEndpoint = &strange.URL
		}},
		{"cancelled while connecting", false, is(context.Canceled), func(o *dynamodb.Options, cancel func()) {
			dial(o, func(ctx context.Context) error { cancel(); <-ctx.Done(); return ctx.Err() })
		}},
		{"cancelled while signing", false, is(context.Canceled), func(o *dynamodb.Options, cancel func()) {
			o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				cancel()
				return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
			})
			o.HTTPClient = smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
				_, _ = io.Copy(io.Discard, r.Body) // as a client that buffers requests does
				return nil, r.Context().Err()
			})
		}},
		{"refused", false, code("AccessDeniedException"), func(o *dynamodb.Options, _ func()) {
			server(o, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, `{"__type":"com.amazon.coral.service#AccessDeniedException"}`)
			})
		}},
		{"hung up", true, nil, func(o *dynamodb.Options, _ func()) {
			server(o, func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				panic(http.ErrAbortHandler)
			})
		}},
		{"timed out", true, nil, func(o *dynamodb.Options, _ func()) {
			server(o, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestTimeout) })
		}},
		{"cancelled while waiting", true, is(context.Canceled), func(o *dynamodb.Options, cancel func()) {
			server(o, func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				cancel()
				<-r.Context().Done()
			})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			o := dynamodb.Options{
				Region: "us-east-1", Retryer: aws.NopRetryer{},
				Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
			}
			c.option(&o, cancel)
			err := open[tally](t, dynamodb.New(o), "t", store.ServerSide{}).Put(ctx, tally{ID: "a"})
			if err == nil || errors.Is(err, store.ErrUncertain) != c.unclear || c.cause != nil && !c.cause(err) {
				t.Error(err)
			}
		})
	}
}

// unsigned is a signer that cannot sign.
type unsigned struct{ err error }

func (u unsigned) SignHTTP(
	context.Context, aws.Credentials, *http.Request, string, string, string, time.Time, ...func(*v4.SignerOptions),
) error {
	return u.err
}
