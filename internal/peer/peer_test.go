// SPDX-License-Identifier: Apache-2.0

package peer_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/peer"
	"github.com/ddbseal/ddbseal/internal/testenv"
)

// program makes the test binary a peer that counts its requests, refuses some
// and dies of others.
const program = "DDBSEAL_PEER_PROGRAM"

func TestMain(m *testing.M) {
	remove := testenv.Isolate()
	if os.Getenv(program) == "" {
		code := m.Run()
		remove()
		os.Exit(code)
	}
	requests := bufio.NewScanner(os.Stdin)
	for n := 1; requests.Scan(); n++ {
		switch {
		case strings.Contains(requests.Text(), "die"):
			fmt.Print(`{"half`)
			os.Exit(3)
		case strings.Contains(requests.Text(), "refuse"):
			fmt.Println(`{"error":"no"}`)
		default:
			fmt.Printf("{\"n\":%d}\n", n)
		}
	}
}

// TestADeathIsNotTheNextRequests: a request that kills the program fails with
// an error that is not a refusal, and the next one meets a new program.
func TestADeathIsNotTheNextRequests(t *testing.T) {
	p, err := peer.Start("test", []string{program + "=1"}, os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	answers := func(want string) {
		t.Helper()
		got, err := p.Do(map[string]string{"op": "count"})
		if err != nil || string(got["n"]) != want {
			t.Fatalf("request %s of this program: %s, %v", got["n"], want, err)
		}
	}
	answers("1")
	var refusal *peer.Refusal
	if _, err := p.Do(map[string]string{"op": "refuse"}); !errors.As(err, &refusal) || refusal.Message != "no" {
		t.Fatalf("a refusal: %v", err)
	}
	answers("3")
	before := p.Pid()
	if _, err := p.Do(map[string]string{"op": "die"}); err == nil || errors.As(err, &refusal) ||
		!strings.Contains(err.Error(), "gave no answer") {
		t.Fatalf("a death: %v", err)
	}
	answers("1")
	if after := p.Pid(); after == before || after == 0 {
		t.Errorf("process %d after %d", after, before)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}
