// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

// serverFiles is for Linux: the scripts that use it skip elsewhere.
func serverFiles(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("the size of another process's files can be limited on Linux only")
}
