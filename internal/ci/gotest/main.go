// SPDX-License-Identifier: Apache-2.0

// Command gotest runs go test with its arguments and prints what go test
// prints. If DDBSEAL_CI_RESULTS names a file, it appends a line for each test
// that passed or was skipped, with the reason: go test without -v passes over a
// skipped test in silence.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
)

func main() {
	code, err := run(os.Args[1:], os.Getenv("DDBSEAL_CI_RESULTS"), os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
	}
	os.Exit(code)
}

// run returns the exit code of go test, or 1 and an error if the results cannot
// be read or written.
func run(args []string, results string, out, diagnostics io.Writer) (code int, err error) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = diagnostics
	events, err := cmd.StdoutPipe()
	if err != nil {
		return 1, err
	}
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	l := &log{out: out, verbose: slices.Contains(args, "-v")}
	reading := l.read(events)
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = max(exit.ExitCode(), 1) // -1 after a signal
	case err != nil:
		return 1, err
	}
	if err := errors.Join(reading, l.save(results)); err != nil {
		return 1, err
	}
	return code, nil
}
