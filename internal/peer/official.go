// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"errors"
	"os"
)

// Environment variables by which interop/run names the programs around the
// official libraries.
const (
	JavaVariable = "DDBSEAL_INTEROP_JAVA" // class path
	RustVariable = "DDBSEAL_INTEROP_RUST" // executable
)

// ErrNotBuilt means that the peer's program is not there.
var ErrNotBuilt = errors.New("the official library's program is not built: run interop/run")

// StartJava runs the program around the official Java library.
func StartJava(env ...string) (*Peer, error) {
	classPath := os.Getenv(JavaVariable)
	if classPath == "" {
		return nil, ErrNotBuilt
	}
	// Dafny's generated code recurses over long sequences.
	return Start("java", env, "java", "-Xss16m", "-cp", classPath, "interop.Item", "serve")
}

// StartRust runs the program around the official Rust library.
func StartRust(env ...string) (*Peer, error) {
	program := os.Getenv(RustVariable)
	if program == "" {
		return nil, ErrNotBuilt
	}
	return Start("rust", env, program, "serve")
}
