// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/servername"
)

// services are the variables that send one service elsewhere.
var services = []string{"AWS_ENDPOINT_URL_CLOUDTRAIL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_IAM",
	"AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL_STS"}

// refusing is a server that refuses every call.
func refusing(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"AccessDeniedException","message":"no"}`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// remoteCommands are the arguments for each command that can talk to a server.
func remoteCommands(t *testing.T) map[string][]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.json")
	text := `{"table": "t", "partitionKey": "id", "attributeActions": {"id": "SIGN_ONLY"}, "plaintextPolicy": "FORBID_PLAINTEXT_WRITE_ALLOW_PLAINTEXT_READ",
		"keyring": {"type": "aws-kms", "keyId": "arn:aws:kms:us-east-1:111122223333:key/0f5b2f5e-6d4f-4d9c-8a53-6f0a3b1f7c11"}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	arguments := map[string]string{
		"lab": "--yes", "up": "--yes", "down": "--yes", "console": "--listen 127.0.0.1:none", "doctor": "", "access": "Orders", "policy": "Orders --for reader",
		"put": "1 --name n --diagnosis d", "get": "1", "scan": "", "raw": "1", "grant": "alice", "revoke": "alice",
		"item encrypt": "--config " + file, "item decrypt": "--config " + file,
		"changes":        "t --idle 1ms",
		"migrate":        "--table t --id x --dry-run --to " + file,
		"beacon length":  "--table t --attribute a",
		"exercise start": "one-server-table --yes", "exercise check": "one-server-table",
		"exercise solution": "one-server-table", "exercise remove": "one-server-table --yes",
		"keystore create": "", "keystore rotate": "--branch-key-id b", "keystore list": "",
	}
	noCall := []string{"exercise list", "exercise hint", "exercise env"} // they take the flags of the others
	commands := map[string][]string{}
	parser, err := kong.New(&command{}, kong.Name("ddbseal"))
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(true) {
		path := strings.TrimPrefix(leaf.FullPath(), "ddbseal ")
		if slices.Contains(noCall, path) || !slices.ContainsFunc(slices.Concat(leaf.AllFlags(true)...),
			func(f *kong.Flag) bool { return f.Name == "endpoint-url" }) {
			continue
		}
		more, ok := arguments[path]
		if !ok {
			t.Errorf("%s takes --endpoint-url: add its arguments to this test", path)
		}
		commands[path] = append(strings.Fields(path), strings.Fields(more)...)
	}
	if len(commands) != len(arguments) {
		t.Errorf("%d commands, %d arguments", len(commands), len(arguments))
	}
	return commands
}

// TestFirstLine: the first line of every command says which server it talks to,
// before it talks.
func TestFirstLine(t *testing.T) {
	url := refusing(t)
	for _, c := range []struct {
		name  string
		env   map[string]string
		flags []string
		says  []string
	}{
		{"flag", nil, []string{"--endpoint-url", url, "--region", "eu-west-1"}, []string{url}},
		{"variable", map[string]string{"AWS_ENDPOINT_URL": url, "AWS_REGION": "eu-west-1"}, nil, []string{url, "AWS_ENDPOINT_URL"}},
		{"AWS", map[string]string{"AWS_REGION": "eu-west-1", services[1]: url, services[2]: url, services[3]: url, services[4]: url},
			[]string{"--aws"}, []string{"AWS in region eu-west-1 (DynamoDB, IAM, KMS, STS at " + url + ")"}},
		{"services", map[string]string{"AWS_REGION": "eu-west-1", services[0]: url, services[1]: url, services[2]: url, services[3]: url, services[4]: url},
			[]string{"--aws"}, []string{url}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("DDBSEAL_DATA_DIR", t.TempDir())
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIA1")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			for path, args := range remoteCommands(t) {
				var narration bytes.Buffer
				run(append(slices.Clone(args), c.flags...),
					streams{strings.NewReader(`{"id":{"S":"1"}}`), io.Discard, &narration})
				first, _, _ := strings.Cut(narration.String(), "\n")
				for _, want := range c.says {
					if !strings.Contains(first, want) || strings.HasPrefix(first, "ddbseal:") {
						t.Errorf("%s: the first line lacks %q:\n%s", path, want, &narration)
					}
				}
			}
		})
	}
}

// TestFirstLineEmbedded: credentials and a profile alone lead to no server.
func TestFirstLineEmbedded(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DDBSEAL_DATA_DIR", dir)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_PROFILE": "none",
		"AWS_ENDPOINT_URL_KMS": "http://127.0.0.1:1",
		"AWS_ENDPOINT_URL":     "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
	} {
		t.Setenv(name, value)
	}
	var narration bytes.Buffer
	if code := run([]string{"up"}, streams{nil, io.Discard, &narration}); code != exitOK ||
		!strings.HasPrefix(narration.String(), "Running on the embedded AWS in "+dir) {
		t.Fatalf("up: exit code %d\n%s", code, &narration)
	}
	// An empty address beats the variable.
	t.Setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "")
	for path, args := range remoteCommands(t) {
		if path == "lab" || path == "up" || path == "down" { // TestLabCommand and the scripts run them
			continue
		}
		narration.Reset()
		run(append(slices.Clone(args), "--endpoint-url="),
			streams{strings.NewReader(`{"id":{"S":"1"}}`), io.Discard, &narration})
		if first, _, _ := strings.Cut(narration.String(), "\n"); !strings.Contains(first, " the embedded AWS") {
			t.Errorf("%s:\n%s", path, &narration)
		}
	}
}

func TestServerName(t *testing.T) {
	for _, c := range []struct{ region, endpoint, name string }{
		{"eu-central-1", "", "AWS in region eu-central-1"},
		{"eu-central-1", "http://127.0.0.1:4566", "http://127.0.0.1:4566"},
	} {
		cfg := aws.Config{Region: c.region}
		if c.endpoint != "" {
			cfg.BaseEndpoint = &c.endpoint
		}
		if got := servername.Of(cfg); got != c.name {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
