// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestPortInUse: the second one on the usual address takes a free port; on one
// that was asked for it fails, and says what to do.
func TestPortInUse(t *testing.T) {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	taken := first.Addr().String()
	var narration bytes.Buffer
	second, err := listenAt(streams{err: &narration}, "", taken,
		func(addr string) (net.Listener, error) { return net.Listen("tcp", addr) })
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if second.Addr().String() == taken || narration.String() != taken+" is in use; taking a free port.\n" {
		t.Errorf("%s, %q", second.Addr(), &narration)
	}
	narration.Reset()
	_, err = listenAt(streams{err: &narration}, taken, "127.0.0.1:0",
		func(addr string) (net.Listener, error) { return net.Listen("tcp", addr) })
	if err == nil || !strings.Contains(err.Error(),
		"listens on port "+first.Addr().String()[len("127.0.0.1:"):]+": stop it, choose another port") ||
		narration.Len() > 0 {
		t.Errorf("%v, %q", err, &narration)
	}
}

// TestServeCORS: the flag reaches the server.
func TestServeCORS(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	c := serveCommand{Listen: "127.0.0.1:0", CORS: []string{"http://localhost:3000"}}
	c.ready = func(url string) {
		defer stop()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Error(err)
			return
		}
		r.Header.Set("Origin", c.CORS[0])
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		if got := resp.Header.Get("Access-Control-Allow-Origin"); got != c.CORS[0] {
			t.Errorf("allowed is %q", got)
		}
	}
	var out, narration bytes.Buffer
	if err := c.Run(ctx, streams{out: &out, err: &narration}); err != nil {
		t.Error(err)
	}
}
