// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/logins"
	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// TestConsoleCommand opens the page, and that it ends with its context.
func TestConsoleCommand(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, narration bytes.Buffer
	started := make(chan string, 1)
	dir := t.TempDir()
	c := &consoleCommand{Listen: "127.0.0.1:0", DataDir: dir, ready: func(url string, people []logins.Login) {
		if len(people) != 3 {
			t.Errorf("%d can sign in", len(people))
		}
		started <- url
	}}
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, streams{out: &out, err: &narration}) }()
	var url string
	select {
	case url = <-started:
	case err := <-done:
		t.Fatal(err)
	}
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(body), "<h1>Sign in</h1>") {
		t.Errorf("%d, %v\n%s", answer.StatusCode, err, body)
	}
	if path, err := os.ReadFile(filepath.Join(dir, "console-path")); err != nil ||
		!strings.HasSuffix(url, strings.TrimSpace(string(path))) || !strings.Contains(url, "/c-") {
		t.Errorf("%s is kept as %q, %v", url, path, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{url, administrator.Name, "nextwork-kms-user", "root"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not printed:\n%s", want, &out)
		}
	}
	if !strings.Contains(narration.String(), "embedded AWS") {
		t.Error("the console does not say where it runs")
	}
	// The other commands go on with the same administrator.
	for _, command := range []string{"up", "get 1", "down"} {
		narration.Reset()
		if code := run(append(strings.Fields(command), "--data-dir", dir),
			streams{out: io.Discard, err: &narration}); code != exitOK {
			t.Errorf("%s after the console: code %d\n%s", command, code, &narration)
		}
	}
}

func TestConsoleRefuses(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	for name, c := range map[string]*consoleCommand{
		"--write alone": {Write: true},
		"no region":     {connection: connection{EndpointURL: "http://127.0.0.1:1"}},
		"both":          {connection: connection{AWS: true, EndpointURL: "http://127.0.0.1:1"}},
	} {
		c.Listen = "127.0.0.1:0"
		c.ready = func(string, []logins.Login) { t.Errorf("%s: it started", name) }
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if err := c.Run(ctx, streams{out: io.Discard, err: io.Discard}); err == nil {
			t.Error(name)
		}
		cancel()
	}
}

func TestConsoleOnLoopbackOnly(t *testing.T) {
	c := &consoleCommand{Listen: "0.0.0.0:0"}
	if err := c.Run(t.Context(), streams{out: io.Discard, err: io.Discard}); !errors.Is(err, localaws.ErrNotLoopback) {
		t.Error(err)
	}
}

// TestConsoleAttached opens the page on a server elsewhere.
func TestConsoleAttached(t *testing.T) {
	server := localawstest.New(t).Server
	listener, err := server.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_REGION", "us-east-1")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, narration bytes.Buffer
	started := make(chan string, 1)
	c := &consoleCommand{connection: connection{EndpointURL: listener.URL()}, Listen: "127.0.0.1:0",
		ready: func(url string, people []logins.Login) {
			if len(people) != 0 {
				t.Errorf("%d can sign in", len(people))
			}
			started <- url
		}}
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, streams{out: &out, err: &narration}) }()
	var url string
	select {
	case url = <-started:
	case err := <-done:
		t.Fatal(err)
	}
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil || !strings.Contains(string(body), "Access key ID") ||
		!strings.Contains(string(body), listener.URL()) {
		t.Errorf("%v\n%s", err, body)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(narration.String(), "only reads") {
		t.Errorf("%s", &narration)
	}
}

func TestRootTokensAreFresh(t *testing.T) {
	var tokens []string
	for range fresh.Draws {
		tokens = append(tokens, newRootToken())
	}
	fresh.Text(t, "root token", nil, tokens)
}
