package peer

import (
	"errors"
	"os"
)

// ClassPathVariable holds the class path of the Java program, as interop/run
// builds it.
const ClassPathVariable = "DDBSEAL_INTEROP_JAVA"

// ErrNotBuilt: the peer's program is not there.
var ErrNotBuilt = errors.New("the official library's program is not built: run interop/run")

// StartJava runs the program around the official Java library.
func StartJava(env ...string) (*Peer, error) {
	classPath := os.Getenv(ClassPathVariable)
	if classPath == "" {
		return nil, ErrNotBuilt
	}
	return Start("java", env, "java", "-Xss16m", "-cp", classPath, "interop.Item", "serve")
}
