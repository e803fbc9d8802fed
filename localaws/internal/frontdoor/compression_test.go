// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// zip returns the gzip file of text.
func zip(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// deflate returns the zlib stream of text.
func deflate(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// sized returns a gzip file that says that it holds size bytes.
func sized(file string, size uint32) string {
	b := []byte(file)
	binary.LittleEndian.PutUint32(b[len(b)-4:], size)
	return string(b)
}

// The signature of a compressed request covers the compressed bytes. What they
// hold is bounded, and unpacked for callers with a right signature only.
func TestCompressedRequests(t *testing.T) {
	object := "{" + strings.Repeat(" ", 300<<10) + "}"
	bomb := zip(t, strings.Repeat(" ", 1<<20+1))
	form := "Action=Write&Version=1&Text=" + strings.Repeat("x", 100<<10)
	served := []string{"credentials", "used", "interrupt", "failed", "serve items eu-west-1", "record"}
	unknown := func(w *world) { w.identityError = io.EOF }
	for _, c := range []struct {
		name, target, body, key string
		as                      encoding // zero: gzip
		set                     func(*world)
		status                  int
		code, want              string
		steps                   []string
	}{
		{name: "JSON", target: "Items_1.Read", body: zip(t, object), status: 200, want: object, steps: served},
		{name: "empty object", target: "Items_1.Read", body: zip(t, "{}"), status: 200, want: "{}", steps: served},
		{name: "form", body: zip(t, form), status: 200, want: form,
			steps: []string{"credentials", "used", "interrupt", "failed", "serve people global", "settle", "record"}},
		{name: "wrong signature", target: "Items_1.Read", body: bomb, key: "wrong", status: 400, code: "InvalidSignature",
			steps: []string{"credentials", "record unauthenticated"}},
		{name: "unknown operation", target: "Items_1.Other", body: zip(t, "{}"), status: 400, code: "UnknownOperation",
			steps: []string{"credentials", "used"}},
		{name: "bomb", target: "Items_1.Read", body: bomb, status: 413, code: "RequestEntityTooLarge", steps: []string{"credentials", "used"}},
		{name: "bomb of a form", body: zip(t, strings.Repeat("x", 1<<20)), status: 413, code: "RequestEntityTooLarge",
			steps: []string{"credentials"}},
		{name: "bomb of a stranger's form", body: zip(t, strings.Repeat("x", 1<<20)), set: unknown, status: 403,
			code: "InvalidClientTokenId", steps: []string{"credentials", "credentials"}},
		{name: "bomb that says less", target: "Items_1.Read", body: sized(bomb, 100), status: 500, code: "InternalFailure",
			steps: []string{"credentials", "used"}},
		{name: "says more", target: "Items_1.Read", body: sized(zip(t, "{}"), 1<<20), status: 500, code: "InternalFailure",
			steps: []string{"credentials", "used"}},
		{name: "two files", target: "Items_1.Read", body: zip(t, "{") + zip(t, "}"), status: 200, want: "{}", steps: served},
		{name: "two large files", target: "Items_1.Read", body: zip(t, object[:200<<10]) + zip(t, object[200<<10:]),
			status: 200, want: object, steps: served},
		{name: "two files that are a bomb", target: "Items_1.Read", body: bomb + zip(t, "}"), status: 413,
			code: "RequestEntityTooLarge", steps: []string{"credentials", "used"}},
		{name: "bytes behind", target: "Items_1.Read", body: zip(t, "{}") + "\x00\x00\x00\x00", status: 500,
			code: "InternalFailure", steps: []string{"credentials", "used"}},
		{name: "deflate", target: "Items_1.Read", body: deflate(t, object), as: deflated, status: 200, want: object,
			steps: served},
		{name: "deflate: bomb", target: "Items_1.Read", body: deflate(t, strings.Repeat(" ", 1<<20+1)), as: deflated,
			status: 413, code: "RequestEntityTooLarge", steps: []string{"credentials", "used"}},
		{name: "deflate: two", target: "Items_1.Read", body: deflate(t, "{") + deflate(t, "}"), as: deflated,
			status: 500, code: "InternalFailure", steps: []string{"credentials", "used"}},
		{name: "deflate: cut off", target: "Items_1.Read", body: deflate(t, object)[:15], as: deflated, status: 500,
			code: "InternalFailure", steps: []string{"credentials", "used"}},
		{name: "not deflate", target: "Items_1.Read", body: "{}", as: deflated, status: 500, code: "InternalFailure",
			steps: []string{"credentials", "used"}},
		{name: "not gzip", target: "Items_1.Read", body: "{" + strings.Repeat(" ", 40) + "\x01\x00\x00\x00", status: 500, code: "InternalFailure",
			steps: []string{"credentials", "used"}},
		{name: "cut off", target: "Items_1.Read", body: zip(t, object)[:15], status: 500, code: "InternalFailure",
			steps: []string{"credentials", "used"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			key, service := secret, "items"
			if c.key != "" {
				key = c.key
			}
			if c.target == "" {
				service = "people"
			}
			for _, connected := range []bool{false, true} {
				w, d := newWorld()
				if c.set != nil {
					c.set(w)
				}
				r := w.request(t, service, c.target, c.body, key)
				r.Header.Set("Content-Encoding", string(cmp.Or(c.as, gzipped)))
				recorder := httptest.NewRecorder()
				status, text := 0, ""
				if connected {
					d.ServeHTTP(recorder, r)
					status, text = recorder.Code, recorder.Body.String()
				} else {
					resp, err := d.Transport().Do(r)
					if err != nil {
						t.Fatal(err)
					}
					b, _ := io.ReadAll(resp.Body)
					status, text = resp.StatusCode, string(b)
				}
				if status != c.status || !strings.Contains(text, c.code) || w.body != c.want {
					t.Errorf("connected %v: %d %s, served %.40q; want %d %s", connected, status, text, w.body,
						c.status, c.code)
				}
				if !slices.Equal(w.steps, c.steps) && (c.want != "" || !connected) {
					t.Errorf("connected %v: steps %q, want %q", connected, w.steps, c.steps)
				}
				if !d.bodies.TryAcquire(maxInFlight) {
					t.Error("a finished request holds its reservation")
				}
			}
		})
	}
}

// A compressed body holds as much of the bound as it unpacks to.
func TestCompressedRequestsReserve(t *testing.T) {
	w, d := newWorld()
	free := int64(-1)
	d.config.Failed = func() error {
		free = 0
		for d.bodies.TryAcquire(64 << 10) {
			free += 64 << 10
		}
		d.bodies.Release(free)
		return nil
	}
	r := w.request(t, "items", "Items_1.Read", zip(t, "{"+strings.Repeat(" ", 1<<20-2)+"}"), secret)
	r.Header.Set("Content-Encoding", "gzip")
	d.ServeHTTP(httptest.NewRecorder(), r)
	if want := int64(maxInFlight - 1<<20); free != want {
		t.Errorf("%d bytes are free while the request is served, want %d", free, want)
	}
}

// Large answers are compressed for connections whose client accepts gzip, and
// the checksum is of the compressed bytes.
func TestCompressedAnswers(t *testing.T) {
	large := strings.Repeat(`{"text": "value"}`, minCompressed)
	random := make([]byte, 2*minCompressed)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random)
	for _, c := range []struct {
		name, accepts, answer string
		want                  encoding
	}{
		{"accepted", "gzip", large, gzipped},
		{"accepted among others", "br;q=1.0, GZIP;q=0.5, *;q=0", large, gzipped},
		{"not asked for", "", large, ""},
		{"identity", "identity", large, ""},
		{"refused", "gzip;q=0", large, ""},
		{"refused at length", "gzip;q=0.000", large, ""},
		{"deflate", "deflate, gzip;q=0.000", large, deflated},
		{"small", "gzip", large[:minCompressed-1], ""},
		{"random", "gzip", string(random), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, d := newWorld()
			w.answer = c.answer
			for range 3 { // the compressor is used again
				r := w.request(t, "items", "Items_1.Read", "{}", secret)
				if c.accepts != "" {
					r.Header.Set("Accept-Encoding", c.accepts)
				}
				recorder := httptest.NewRecorder()
				d.ServeHTTP(recorder, r)
				sent := recorder.Body.Bytes()
				h := recorder.Header()
				if h.Get("X-Amz-Crc32") != strconv.FormatUint(uint64(crc32.ChecksumIEEE(sent)), 10) ||
					h.Get("Content-Length") != strconv.Itoa(len(sent)) {
					t.Errorf("%d bytes have headers %v", len(sent), h)
				}
				if got := encoding(h.Get("Content-Encoding")); got != c.want {
					t.Fatalf("encoding %q, want %q", got, c.want)
				}
				text := unpacked(t, recorder.Body, c.want)
				if string(text) != c.answer {
					t.Errorf("got %.80q", text)
				}
			}
			r := w.request(t, "items", "Items_1.Read", "{}", secret)
			r.Header.Set("Accept-Encoding", "gzip")
			resp, err := d.Transport().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if resp.Header.Get("Content-Encoding") != "" || resp.StatusCode != http.StatusOK {
				t.Errorf("inside the process: %d %v", resp.StatusCode, resp.Header)
			}
		})
	}
}

// unpacked returns what a body of that encoding holds.
func unpacked(t *testing.T, r io.Reader, as encoding) []byte {
	t.Helper()
	var err error
	switch as {
	case gzipped:
		r, err = gzip.NewReader(r)
	case deflated:
		r, err = zlib.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
