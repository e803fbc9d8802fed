package main

import (
	"bytes"
	"net"
	"testing"
)

// TestPortInUse: the second one on an address takes a free port.
func TestPortInUse(t *testing.T) {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	taken := first.Addr().String()
	var narration bytes.Buffer
	second, err := listenAt(streams{err: &narration}, taken, func(addr string) (net.Listener, error) { return net.Listen("tcp", addr) })
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if second.Addr().String() == taken || narration.String() != taken+" is in use; taking a free port.\n" {
		t.Errorf("%s, %q", second.Addr(), &narration)
	}
}
