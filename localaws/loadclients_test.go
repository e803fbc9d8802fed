// SPDX-License-Identifier: Apache-2.0

//go:build load

package localaws_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	slowClients  = 600
	idleClients  = 1500
	largeBodies  = 40
	largeSize    = 15 << 20
	callers      = 6
	callersTable = "Acknowledged"
)

// load is everything that works on a server at once.
type load struct {
	p       *program
	wg      sync.WaitGroup
	waiting atomic.Int64 // connections that are open and ask for nothing

	// running is held for reading by every call, and for writing while the server
	// is not there. A kill cuts off the calls that run.
	running sync.RWMutex
	down    atomic.Bool
	mu      sync.Mutex
	known   map[string]string // what was acknowledged last, by key
	maybe   map[string]string // what came after it and may have happened
	took    []time.Duration
	cut     int // calls that a kill cut off
	failed  []error
	large   map[string]int // answers to large bodies
}

func newLoad(p *program) *load {
	return &load{p: p, known: map[string]string{}, maybe: map[string]string{}, large: map[string]int{}}
}

func text(v dynamodbtypes.AttributeValue) string {
	s, _ := v.(*dynamodbtypes.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

func (l *load) client() *dynamodb.Client { return dynamodb.NewFromConfig(l.p.config) }

func (l *load) prepare(ctx context.Context) error {
	_, err := l.client().CreateTable(ctx, killTable(callersTable, ""))
	return err
}

// begin starts all clients. They end with ctx.
func (l *load) begin(ctx context.Context) {
	for i := range slowClients {
		l.wg.Go(func() { l.connect(ctx, func(c net.Conn) { l.dribble(ctx, c, i) }) })
	}
	for range idleClients {
		l.wg.Go(func() {
			l.connect(ctx, func(c net.Conn) {
				if healthCheck(c) == nil {
					l.silence(ctx, c)
				}
			})
		})
	}
	for i := range largeBodies {
		l.wg.Go(func() { l.sendLarge(ctx, i%2 == 0, i) })
	}
	for i := range callers {
		l.wg.Go(func() { l.call(ctx, i) })
	}
}

func (l *load) wait() { l.wg.Wait() }

// connect gives connection after connection to use.
func (l *load) connect(ctx context.Context, use func(net.Conn)) {
	for ctx.Err() == nil {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", l.p.addr)
		if err == nil {
			use(c)
			_ = c.Close()
		}
		rest(ctx, 100*time.Millisecond)
	}
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// dribble sends a header byte by byte until it is cut off.
func (l *load) dribble(ctx context.Context, c net.Conn, i int) {
	header := "POST / HTTP/1.1\r\nHost: load\r\nX-Slow: " + strings.Repeat("x", 1000)
	for _, b := range []byte(header) {
		if _, err := c.Write([]byte{b}); err != nil || ctx.Err() != nil {
			return
		}
		rest(ctx, time.Duration(200+i)*time.Millisecond)
	}
}

// silence waits until the connection is closed.
func (l *load) silence(ctx context.Context, c net.Conn) {
	l.waiting.Add(1)
	defer l.waiting.Add(-1)
	_ = c.SetDeadline(time.Time{})
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	_, _ = c.Read(make([]byte, 1))
}

// sendLarge sends a large body time after time, signed or not. A signed one is
// an item that is too large for DynamoDB.
func (l *load) sendLarge(ctx context.Context, signed bool, i int) {
	body := []byte(`{"TableName":"` + callersTable + `","Item":{"id":{"S":"large"},"v":{"S":"`)
	body = append(body, bytes.Repeat([]byte{'x'}, largeSize)...)
	body = append(body, `"}}}`...)
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	for ctx.Err() == nil {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+l.p.addr+"/", bytes.NewReader(body))
		if err != nil {
			panic(err) // the address is one
		}
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
		r.Header.Set("Content-Type", json10)
		if signed {
			creds, _ := l.p.config.Credentials.Retrieve(ctx)
			if err := v4.NewSigner().SignHTTP(ctx, creds, r, hash, "dynamodb", "us-east-1", time.Now()); err != nil {
				panic(err)
			}
		}
		answer := ""
		if resp, err := client.Do(r); err != nil {
			answer = fmt.Sprint("none: signed ", signed, ", ", errorKind(err))
		} else {
			text, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			_, kind, _ := strings.Cut(string(text), `"__type":"`)
			kind, _, _ = strings.Cut(kind, `"`)
			answer = fmt.Sprint(resp.StatusCode, " ", kind[strings.IndexByte(kind, '#')+1:])
		}
		l.mu.Lock()
		l.large[answer]++
		l.mu.Unlock()
		rest(ctx, time.Duration(2000+50*i)*time.Millisecond)
	}
}

// errorKind is the innermost error, without addresses.
func errorKind(err error) string {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err.Error()
}

// call puts items and reads them, in turn over kept and new connections.
func (l *load) call(ctx context.Context, i int) {
	for n := 0; ctx.Err() == nil; n++ {
		l.running.RLock()
		cfg := l.p.config
		if n%2 == 1 {
			cfg.HTTPClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		}
		client := dynamodb.NewFromConfig(cfg)
		key, value := fmt.Sprint(i, "-", n%50), fmt.Sprint("value ", n)
		l.mu.Lock()
		l.maybe[key] = value
		l.mu.Unlock()
		began := time.Now()
		_, err := client.PutItem(context.Background(),
			&dynamodb.PutItemInput{TableName: aws.String(callersTable), Item: textItem("id", key, "v", value)})
		wrote := time.Since(began)
		var out *dynamodb.GetItemOutput
		if err == nil {
			l.mu.Lock()
			l.known[key] = value
			l.mu.Unlock()
			out, err = client.GetItem(context.Background(),
				&dynamodb.GetItemInput{TableName: aws.String(callersTable), Key: textItem("id", key)})
		}
		read := time.Since(began) - wrote
		cut := l.down.Load()
		l.running.RUnlock()
		if err == nil && text(out.Item["v"]) != value {
			err = fmt.Errorf("%s is %q after %q was acknowledged", key, text(out.Item["v"]), value)
		}
		l.mu.Lock()
		switch {
		case cut:
			l.cut++
		case err == nil:
			l.took = append(l.took, wrote, read)
		default:
			l.failed = append(l.failed, err)
		}
		l.mu.Unlock()
		rest(ctx, 20*time.Millisecond)
	}
}

func (l *load) calls() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.took)
}

// kill is kill -9 under the calls that run, and starts the server again.
func (l *load) kill() (took time.Duration, err error) {
	l.down.Store(true)
	if err := l.p.kill(); err != nil {
		return 0, err
	}
	l.running.Lock() // the SDK's retries end
	defer l.running.Unlock()
	defer l.down.Store(false)
	return l.p.start()
}

// check compares the table with what was acknowledged.
func (l *load) check(ctx context.Context) error {
	l.running.Lock()
	defer l.running.Unlock()
	found, err := readAll(ctx, l.client(), callersTable)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) == 0 {
		return fmt.Errorf("nothing was acknowledged")
	}
	for key, value := range l.known {
		if found[key] == l.maybe[key] {
			l.known[key] = found[key]
		} else if found[key] != value {
			return fmt.Errorf("%s is %q, acknowledged was %q", key, found[key], value)
		}
	}
	return nil
}

// report asserts the latency of the calls, and that everything happened.
func (l *load) report(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, err := range l.failed[:min(3, len(l.failed))] {
		t.Errorf("one of %d failed calls: %v", len(l.failed), err)
	}
	slices.Sort(l.took)
	if len(l.took) < 500 {
		t.Fatalf("only %d calls were made", len(l.took))
	}
	at := func(share float64) time.Duration { return l.took[int(share*float64(len(l.took)-1))] }
	t.Logf("%d signed calls: median %v, p99 %v, longest %v", len(l.took), at(0.5), at(0.99), at(1))
	if p99 := at(0.99); p99 > maxLatency {
		t.Errorf("p99 is %v, more than %v", p99, maxLatency)
	}
	t.Logf("%d calls were cut off by kills, and large bodies answered: %v", l.cut, l.large)
	if l.cut == 0 {
		t.Error("no kill cut off a call")
	}
	for _, want := range []string{"400 ValidationException", "400 MissingAuthenticationTokenException"} {
		if l.large[want] < largeBodies/2 {
			t.Errorf("%d large bodies were answered %q, want at least %d", l.large[want], want, largeBodies/2)
		}
	}
}
