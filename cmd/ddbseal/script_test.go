package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ddbseal/ddbseal/internal/testenv"
)

func TestMain(m *testing.M) {
	testscript.Main(isolated{m}, map[string]func(){"ddbseal": main})
}

// isolated runs the tests apart from the developer's environment. A script's
// command has an environment of its own, which stays as it is.
type isolated struct{ m *testing.M }

// Run isolates the process and runs the tests.
func (i isolated) Run() int {
	defer testenv.Isolate()()
	return i.m.Run()
}

// TestScripts runs testdata/*.txt: each reads like documentation of a command.
func TestScripts(t *testing.T) {
	found, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(found) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("DDBSEAL_DATA_DIR", filepath.Join(e.WorkDir, "aws"))
			e.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"background-serve": serveInBackground, "expand": expand, "mode": checkMode},
	})
}

// serveInBackground runs `ddbseal serve` with the arguments until the script
// ends, and sets what it exports, AWS_ENDPOINT_URL under the name SERVER.
func serveInBackground(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("background-serve cannot be negated")
	}
	path := ""
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if found, err := exec.LookPath(filepath.Join(dir, "ddbseal")); err == nil {
			path = found
			break
		}
	}
	cmd := exec.Command(path, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("WORK"))
	cmd.Dir = ts.Getenv("WORK")
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		ts.Check(cmd.Process.Signal(os.Interrupt))
		ts.Check(cmd.Wait())
	})
	lines := bufio.NewScanner(out)
	for {
		if !lines.Scan() {
			ts.Fatalf("serve ended early")
		}
		if name, ok := strings.CutPrefix(lines.Text(), "unset "); ok { // the last line
			ts.Setenv(name, "")
			return
		}
		name, value, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		if name == "AWS_ENDPOINT_URL" {
			name = "SERVER"
		}
		ts.Setenv(name, value)
	}
}

// expand replaces $KEY in a file by the ARN of the lab's key in the data
// directory.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: expand FILE")
	}
	var p principals
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(filepath.Join(ts.Getenv("DDBSEAL_DATA_DIR"), "principals.json"))), &p))
	text := strings.ReplaceAll(ts.ReadFile(args[0]), "$KEY", p.KeyARN)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// checkMode compares the mode of files: mode -rw------- FILE...
func checkMode(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args[1:] {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if (info.Mode().String() == args[0]) == neg {
			ts.Fatalf("%s has mode %s", name, info.Mode())
		}
	}
}
