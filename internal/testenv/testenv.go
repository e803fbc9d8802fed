// SPDX-License-Identifier: Apache-2.0

// Package testenv keeps tests away from the machine that runs them: from its
// credentials, endpoints, profiles and proxies, and from its home directory.
//
// A package whose tests link an HTTP client or read the environment calls Main
// or Isolate in its TestMain. The test of this package finds the packages that
// do not.
package testenv

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// kept are the variables that .ci, interop/run and benchmarks hand to tests on
// purpose. Every other variable of the project is cleared.
var kept = []string{
	"DDBSEAL_ACCESS_WORLDS",
	"DDBSEAL_CHROMIUM",
	"DDBSEAL_DYNALITE",
	"DDBSEAL_DYNALITE_SEED",
	"DDBSEAL_DYNALITE_TEXTS",
	"DDBSEAL_HEAVY",
	"DDBSEAL_INTEROP_JAVA",
	"DDBSEAL_INTEROP_REQUIRED",
	"DDBSEAL_INTEROP_RUST",
	"DDBSEAL_MOTO",
	"DDBSEAL_MOTO_SEED",
	"DDBSEAL_SCREENSHOTS",
	"DDBSEAL_VECTORS",
}

// prefixes begin the names of variables that AWS clients, this project's
// commands, and programs that look for their files read.
var prefixes = []string{"AWS_", "DDBSEAL_", "XDG_", "_X_AMZN_"}

// cleared are further variables that change what a test does: proxies and trust
// of HTTP clients, the share of a migration, and the shell's question for a
// completion.
var cleared = []string{
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
	"SSL_CERT_FILE", "SSL_CERT_DIR",
	"JOB_COMPLETION_INDEX", "JOB_COMPLETION_COUNT",
	"COMP_LINE", "COMP_POINT", "NO_COLOR", "SHELL",
}

// goVariables tell the go command where its files are, which follow from the
// home directory when they are not set.
var goVariables = []string{"GOCACHE", "GOENV", "GOMODCACHE", "GOPATH"}

// marker holds the process ID of an isolated test binary. Its children inherit
// it, and so know that their environment was made for them.
const marker = "DDBSEAL_TEST_ISOLATED"

// Main isolates the process, runs the tests and exits.
func Main(m *testing.M) {
	remove := Isolate()
	code := m.Run()
	remove()
	os.Exit(code)
}

// Isolate removes from the process's environment what could lead a test to the
// developer's servers and files, and gives it an empty home directory, which
// the returned function removes. The go command still finds its cache and its
// settings. In a process that an isolated test started, Isolate changes
// nothing: what that test put into the environment stays. It panics if no home
// directory can be made.
func Isolate() (remove func()) {
	if os.Getenv(marker) == strconv.Itoa(os.Getppid()) {
		return func() {}
	}
	found := goSettings()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); leads(name) {
			set(os.Unsetenv(name))
		}
	}
	home, err := os.MkdirTemp("", "ddbseal-test-home-")
	set(err)
	for name, value := range found {
		set(os.Setenv(name, value))
	}
	for name, value := range homeVariables(home) {
		set(os.Setenv(name, value))
	}
	set(os.Setenv(marker, strconv.Itoa(os.Getpid())))
	return func() { _ = os.RemoveAll(home) } // what stays lies in the folder for temporary files
}

// leads reports whether a variable can lead a test out of its own world.
func leads(name string) bool {
	name = strings.ToUpper(name) // proxies have names in lower case too
	if slices.Contains(kept, name) {
		return false
	}
	prefixed := func(p string) bool { return strings.HasPrefix(name, p) }
	return slices.Contains(cleared, name) || slices.ContainsFunc(prefixes, prefixed)
}

// homeVariables returns what makes dir the home directory for Go, for AWS
// clients and for programs that a test starts.
func homeVariables(dir string) map[string]string {
	v := map[string]string{
		"HOME": dir,
		// The AWS configuration loader takes the paths of these two files from
		// the home directory when the program starts, before TestMain runs.
		"AWS_CONFIG_FILE":             filepath.Join(dir, ".aws", "config"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, ".aws", "credentials"),
		// Without credentials the loader would ask the machine's metadata server.
		"AWS_EC2_METADATA_DISABLED": "true",
	}
	if runtime.GOOS == "windows" {
		v["USERPROFILE"] = dir
		v["APPDATA"] = filepath.Join(dir, "AppData", "Roaming")
		v["LOCALAPPDATA"] = filepath.Join(dir, "AppData", "Local")
	}
	return v
}

// goSettings asks the go command for its folders. Without a go command it
// returns nothing: then no test can start it either.
func goSettings() map[string]string {
	out, err := exec.Command("go", append([]string{"env", "-json"}, goVariables...)...).Output()
	if err != nil {
		return nil
	}
	settings := map[string]string{}
	set(json.Unmarshal(out, &settings))
	return settings
}

// set panics on an error of the environment: tests must not run in the
// developer's.
func set(err error) {
	if err != nil {
		panic(fmt.Errorf("testenv: the environment of the tests cannot be made: %w", err))
	}
}
