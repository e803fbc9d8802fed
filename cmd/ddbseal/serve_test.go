package main

import (
	"bytes"
	"net"
	"strings"
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

// TestMistakes: what is wrong on the command line ends with exit code 2, one
// line that says what to do, and nothing made.
func TestMistakes(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "")
	t.Setenv("DDBSEAL_ROOT_SECRET_ACCESS_KEY", "")
	for _, c := range []struct{ args, says string }{
		{"serve --listen 127.0.0.1", "no address such as 127.0.0.1:4566"},
		{"serve --listen 127.0.0.1:here", "no address such as"},
		{"serve --listen 0.0.0.0:0", "add --public"},
		{"serve --account-id 12", "twelve digits"},
		{"serve --region nowhere", "not a region name"},
		{"console --listen 0.0.0.0:0", "this machine only, such as"},
		{"console --listen here", "no address such as"},
		{"get 1 --endpoint-url 127.0.0.1:4566", "no URL such as"},
		{"get 1 --region nowhere", "not a region name"},
		{"get 1 --aws --endpoint-url http://127.0.0.1:1", "contradict"},
	} {
		var out, narration bytes.Buffer
		if code := run(strings.Fields(c.args), streams{nil, &out, &narration}); code != exitUsage || out.Len() > 0 || !strings.Contains(narration.String(), c.says) {
			t.Errorf("%s: code %d\n%s%s", c.args, code, &out, &narration)
		}
	}
	t.Setenv("DDBSEAL_ROOT_ACCESS_KEY_ID", "AKIAHALF")
	var narration bytes.Buffer
	if code := run([]string{"serve"}, streams{err: &narration}); code != exitUsage || !strings.Contains(narration.String(), "set both or none") {
		t.Errorf("half of a root key: code %d\n%s", code, &narration)
	}
}
