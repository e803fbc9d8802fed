// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRunFailsWithoutATool: interop/run never passes over a library that it
// was asked for.
func TestRunFailsWithoutATool(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("interop/run is a bash script: ", err)
	}
	// A path with all that the script needs except the tool.
	have := func(t *testing.T, tools ...string) string {
		dir := t.TempDir()
		for _, tool := range append(tools, "dirname") {
			path, err := exec.LookPath(tool)
			if err != nil {
				t.Skip(err)
			}
			if err := os.Symlink(path, filepath.Join(dir, tool)); err != nil {
				t.Skip(err)
			}
		}
		return dir
	}
	for _, c := range []struct {
		name  string
		tools []string
		args  []string
		says  string
	}{
		{"no cargo", []string{"go"}, []string{"rust"}, "cargo is not installed; NOT RUN: rust"},
		{"no java", []string{"go"}, nil, "java is not installed; NOT RUN: java"},
		{"no go", nil, []string{"rust"}, "go is not installed"},
		{"unknown", []string{"go"}, []string{"cobol"}, "unknown peer cobol"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command(bash, append([]string{"run"}, c.args...)...)
			cmd.Env = []string{"PATH=" + have(t, c.tools...)}
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), c.says) {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}

// TestARequiredProgramMustStart: a program that is named but not there is a
// failure, not a skip, and so is one that is required but not named.
func TestARequiredProgramMustStart(t *testing.T) {
	for _, env := range [][]string{
		{"DDBSEAL_INTEROP_REQUIRED= java rust"},
		{"DDBSEAL_INTEROP_REQUIRED= rust", "DDBSEAL_INTEROP_RUST=/does/not/exist"},
		{"DDBSEAL_INTEROP_RUST=/does/not/exist"},
	} {
		t.Run(strings.Join(env, " "), func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestTheyOpenOurs$/^rust$", "-test.v")
			for _, e := range os.Environ() {
				if !strings.HasPrefix(e, "DDBSEAL_INTEROP_") {
					cmd.Env = append(cmd.Env, e)
				}
			}
			cmd.Env = append(cmd.Env, env...)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestTheyOpenOurs/rust") {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}
