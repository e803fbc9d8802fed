// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Large bodies that come over connections share a bound, which a finished
// request gives back; requests inside the process do not use it.
func TestReserve(t *testing.T) {
	w, d := newWorld()
	if !d.bodies.TryAcquire(maxInFlight) {
		t.Fatal("a new door holds bodies")
	}
	body := "Action=Read&Version=1&Text=" + strings.Repeat("x", 100<<10)
	resp, err := d.Transport().Do(w.request(t, "people", "", body, secret))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("inside the process: %v %v", resp, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // ends the wait at once
	recorder := httptest.NewRecorder()
	d.ServeHTTP(recorder, w.request(t, "people", "", body, secret).WithContext(ctx))
	if recorder.Code != http.StatusServiceUnavailable || recorder.Header().Get("Connection") != "close" {
		t.Errorf("at the bound: %d %v", recorder.Code, recorder.Header())
	}
	d.bodies.Release(maxInFlight)
	recorder = httptest.NewRecorder()
	d.ServeHTTP(recorder, w.request(t, "people", "", body, secret))
	if recorder.Code != http.StatusOK {
		t.Errorf("below the bound: %d %s", recorder.Code, recorder.Body)
	}
	if !d.bodies.TryAcquire(maxInFlight) {
		t.Error("a finished request holds its reservation")
	}
}

// unread is a body that counts what is read of it.
type unread struct {
	io.Reader
	read int
}

func (u *unread) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	u.read += n
	return n, err
}

func (*unread) Close() error { return nil }

// A large body is read only for a caller that the headers identify, and, if they
// hold its hash, only if the signature is right.
func TestBodiesOfStrangersStayUnread(t *testing.T) {
	const large = 100 << 10
	text := "{" + strings.Repeat(" ", large-2) + "}"
	for _, c := range []struct {
		name string
		set  func(*world)
		key  string
		edit func(*http.Request)
		code string
		want []string
	}{
		{name: "unsigned", edit: func(r *http.Request) { r.Header.Del("Authorization") }, code: "MissingAuthenticationToken"},
		{name: "half signed", edit: func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x") },
			code: "IncompleteSignature"},
		{name: "old", set: func(w *world) { w.now = w.now.Add(time.Hour) }, code: "InvalidSignature"},
		{name: "unknown", set: func(w *world) { w.identityError = io.EOF }, code: "UnrecognizedClient", want: []string{"credentials"}},
		{name: "expired", set: func(w *world) { w.identityError = request.ErrExpiredToken }, code: "ExpiredToken",
			want: []string{"credentials"}},
		{name: "wrong for the announced hash", key: "wrong", edit: announce, code: "InvalidSignature",
			want: []string{"credentials", "record unauthenticated"}},
	} {
		for _, length := range []int64{large, -1} {
			w, d := newWorld()
			key := secret
			if c.key != "" {
				key = c.key
			}
			r := w.request(t, "items", "Items_1.Read", text, key)
			body := &unread{Reader: strings.NewReader(text)}
			r.Body, r.ContentLength = body, length
			if c.edit != nil {
				c.edit(r)
			}
			if c.set != nil {
				c.set(w)
			}
			recorder := httptest.NewRecorder()
			d.ServeHTTP(recorder, r)
			if recorder.Code != http.StatusBadRequest || !strings.Contains(recorder.Body.String(), c.code) {
				t.Errorf("%s: got %d %s, want %s", c.name, recorder.Code, recorder.Body, c.code)
			}
			if body.read != 0 || recorder.Header().Get("Connection") != "close" {
				t.Errorf("%s: %d bytes were read, headers %v", c.name, body.read, recorder.Header())
			}
			if !slices.Equal(w.steps, c.want) {
				t.Errorf("%s: steps %q, want %q", c.name, w.steps, c.want)
			}
		}
	}
}

// announce adds a hash under which the signature is wrong.
func announce(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", strings.Repeat("0", 64)) }

// The announced hash of a body decides nothing but whether the body is read.
func TestAnnouncedHash(t *testing.T) {
	text := "{" + strings.Repeat(" ", 100<<10) + "}"
	for _, c := range []struct {
		sent   string
		status int
	}{{text, http.StatusOK}, {strings.Replace(text, "  ", " \t", 1), http.StatusBadRequest}} {
		w, d := newWorld()
		r := w.request(t, "items", "Items_1.Read", text, secret)
		sum := sha256.Sum256([]byte(text))
		r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
		w.sign(t, r, "items", text, secret)
		r.Body = io.NopCloser(strings.NewReader(c.sent))
		recorder := httptest.NewRecorder()
		d.ServeHTTP(recorder, r)
		if recorder.Code != c.status || (w.body == text) != (c.status == http.StatusOK) {
			t.Errorf("got %d %s, want %d", recorder.Code, recorder.Body, c.status)
		}
	}
}

// A caller whose access key is deleted while its body arrives is refused.
func TestClaimsExpire(t *testing.T) {
	w, d := newWorld()
	text := "{" + strings.Repeat(" ", 100<<10) + "}"
	r := w.request(t, "items", "Items_1.Read", text, secret)
	r.Body = io.NopCloser(io.MultiReader(readerFunc(func([]byte) (int, error) {
		w.now, w.identityError = w.now.Add(claimLife), io.ErrNoProgress
		return 0, io.EOF
	}), strings.NewReader(text)))
	recorder := httptest.NewRecorder()
	d.ServeHTTP(recorder, r)
	if !strings.Contains(recorder.Body.String(), "UnrecognizedClient") {
		t.Errorf("got %d %s", recorder.Code, recorder.Body)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A stranger's small body decides the refusal if it is there, and is not waited
// for if it is not.
func TestRefusedBodies(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Items_1.Read\r\n" +
		"Content-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\n\r\n"
	for _, c := range []struct {
		body, code string
		within     time.Duration
		closes     bool
	}{
		{"{}", "MissingAuthenticationToken", 0, false},
		{"{{", "SerializationException", 0, false},
		{"{", "MissingAuthenticationToken", refusedWait, true},
		{"", "MissingAuthenticationToken", refusedWait, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			_, d := newWorld()
			client, server := net.Pipe()
			l := &oneConnection{c: server, ended: make(chan struct{})}
			s := &http.Server{Handler: d, ReadTimeout: time.Minute}
			go func() { _ = s.Serve(l) }()
			defer s.Close()
			began := time.Now()
			if _, err := io.WriteString(client, head+c.body); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(client), nil)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(resp.Body)
			if took := time.Since(began); took != c.within || !strings.Contains(string(text), c.code) ||
				resp.Close != c.closes {
				t.Errorf("%q: after %v %s, closed %v", c.body, took, text, resp.Close)
			}
			if c.closes {
				_, _ = io.Copy(io.Discard, client)
				if took := time.Since(began); took > 2*refusedWait {
					t.Errorf("%q: the connection ends after %v", c.body, took)
				}
			}
		})
	}
}

// oneConnection is a listener with one client.
type oneConnection struct {
	c     net.Conn
	ended chan struct{}
}

func (l *oneConnection) Accept() (net.Conn, error) {
	if c := l.c; c != nil {
		l.c = nil
		return c, nil
	}
	<-l.ended
	return nil, net.ErrClosed
}

func (l *oneConnection) Close() error   { close(l.ended); return nil }
func (l *oneConnection) Addr() net.Addr { return &net.TCPAddr{} }

// Chunked bodies are bounded as announced ones are, and reserve memory when they
// turn out to be large.
func TestBodiesOfUnknownLength(t *testing.T) {
	for _, c := range []struct{ size, status int }{
		{10, 200}, {smallBody, 200}, {smallBody + 1, 200}, {1 << 20, 200}, {1<<20 + 1, 413},
	} {
		w, d := newWorld()
		text := "{" + strings.Repeat(" ", c.size-2) + "}"
		r := w.request(t, "items", "Items_1.Read", text, secret)
		reserved := false
		r.ContentLength = -1
		r.Header.Set("Content-Length", strconv.Itoa(c.size)) // it is signed
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(text), readerFunc(func([]byte) (int, error) {
			reserved = !d.bodies.TryAcquire(maxInFlight)
			if !reserved {
				d.bodies.Release(maxInFlight)
			}
			return 0, io.EOF
		})))
		recorder := httptest.NewRecorder()
		d.ServeHTTP(recorder, r)
		if recorder.Code != c.status {
			t.Errorf("%d bytes: %d %s", c.size, recorder.Code, recorder.Body)
		}
		if c.size <= 1<<20 && reserved != (c.size > smallBody) {
			t.Errorf("%d bytes: reserved %v", c.size, reserved)
		}
		if !d.bodies.TryAcquire(maxInFlight) {
			t.Errorf("%d bytes: a finished request holds its reservation", c.size)
		}
	}
}
