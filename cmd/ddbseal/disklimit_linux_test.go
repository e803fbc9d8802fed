// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// serverFiles limits the size of the server's files, which then has no room to
// write, or lifts the limit: server-files limited|unlimited.
func serverFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: server-files limited|unlimited")
	}
	var limit unix.Rlimit
	pid := serverOf(ts).pid
	ts.Check(unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &limit))
	limit.Cur = limit.Max
	if args[0] == "limited" {
		limit.Cur = 0
	}
	ts.Check(unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil))
}
