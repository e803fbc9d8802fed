package main

import (
	"bytes"
	"net"
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
