// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/principal"
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"background-serve": serveInBackground,
			"server-log": serverLog, "server-files": serverFiles, "server-exit": serverExit,
			"once": once, "expand": expand, "mode": checkMode, "exit": checkExit},
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
	server := &scriptServer{}
	cmd.Stderr = server
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	server.pid = cmd.Process.Pid
	servers.Store(ts, server)
	ts.Defer(func() {
		if server.ended {
			return
		}
		ts.Check(cmd.Process.Signal(os.Interrupt))
		ts.Check(cmd.Wait())
	})
	server.wait = cmd.Wait
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

// scriptServer is the server of a script and what it has logged.
type scriptServer struct {
	pid   int
	wait  func() error
	ended bool
	mu    sync.Mutex
	log   bytes.Buffer
}

// servers are the servers of scripts by *testscript.TestScript.
var servers sync.Map

func (s *scriptServer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func serverOf(ts *testscript.TestScript) *scriptServer {
	s, ok := servers.Load(ts)
	if !ok {
		ts.Fatalf("there is no server: background-serve comes first")
	}
	return s.(*scriptServer)
}

// serverLog waits until a line of the server's standard error matches a regular
// expression, or checks that none does, or counts those: server-log [-count=N]
// PATTERN.
func serverLog(ts *testscript.TestScript, neg bool, args []string) {
	count := -1
	if n, ok := strings.CutPrefix(args[0], "-count="); ok {
		var err error
		count, err = strconv.Atoi(n)
		ts.Check(err)
		args = args[1:]
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	s := serverOf(ts)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		text := s.log.String()
		s.mu.Unlock()
		found := len(pattern.FindAllString(text, -1))
		switch {
		case neg && found > 0, count >= 0 && found > count, !neg && found == 0 && time.Now().After(end):
			ts.Fatalf("%d lines of the server match %s:\n%s", found, pattern, text)
		case neg, count < 0 && found > 0, count >= 0 && found == count:
			return
		}
	}
}

// serverExit waits until the server ends by itself: server-exit CODE.
func serverExit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: server-exit CODE")
	}
	s := serverOf(ts)
	s.ended = true
	var exit *exec.ExitError
	code := 0
	if err := s.wait(); errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("the server ended with code %d", code)
	}
}

// expand replaces $KEY in a file by the ARN of the lab's key in the data
// directory.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: expand FILE")
	}
	var p principal.Keys
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(filepath.Join(ts.Getenv("DDBSEAL_DATA_DIR"), "principals.json"))), &p))
	text := strings.ReplaceAll(ts.ReadFile(args[0]), "$KEY", p.KeyARN)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// once checks that a text is in a file exactly once: once TEXT FILE.
func once(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: once TEXT FILE")
	}
	text := ts.ReadFile(args[1])
	if n := strings.Count(text, args[0]); n != 1 {
		ts.Fatalf("%q is %d times in %s:\n%s", args[0], n, args[1], text)
	}
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

// checkExit runs a command that must end with an exit code: exit CODE COMMAND...
func checkExit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE COMMAND...")
	}
	var exit *exec.ExitError
	code := 0
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d", code)
	}
}
