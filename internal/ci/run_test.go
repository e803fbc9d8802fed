// SPDX-License-Identifier: Apache-2.0

// Package ci_test checks .ci/run itself: it must not pass without having
// looked, and must name what it did not show.
package ci_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv"
)

const root = "../.."

func TestMain(m *testing.M) { testenv.Main(m) }

// stubs are the programs that the sections call, so quick that a whole run
// takes a second.
var stubs = map[string]string{
	"bin/go":    "#!/bin/sh\nexit 0\n",
	"bin/gofmt": "#!/bin/sh\nexit 0\n",
	".ci/fuzz":  "#!/bin/sh\nexit 0\n",
	".ci/gotest": "#!/bin/sh\nprintf 'skip\\tm/a\\tTestLater\\tno tool yet\\nskip\\tm/a\\tTestNever\\tno tool\\n' " +
		">>\"$DDBSEAL_CI_RESULTS\"\n",
	".ci/suite-ok": "#!/bin/sh\nprintf 'pass\\tm/a\\tTestLater\\n' >>\"$DDBSEAL_CI_RESULTS\"\n",
	".ci/suite-no": "#!/bin/sh\necho 'SKIPPED: Cobol is not installed'\nexit 77\n",
	"a.go":         "package a\n",
	"sub/go.mod":   "module m/sub\n",

	"envelope/internal/p384/a.s": "TEXT\n",
}

// project is a folder with .ci/run and the stubs, and with a repository if
// wanted.
func project(t *testing.T, repository bool) string {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip(".ci/run is a bash script: ", err)
	}
	dir := t.TempDir()
	run, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, ".ci/run", string(run))
	for path, text := range stubs {
		write(t, dir, path, text)
	}
	if repository {
		git(t, dir, "init", "-q")
		git(t, dir, "add", ".")
	}
	return dir
}

func write(t *testing.T, dir, path, text string) {
	t.Helper()
	path = filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
}

// run runs .ci/run and returns whether it passed.
func run(t *testing.T, dir string, env []string, args ...string) (passed bool, out string) {
	t.Helper()
	cmd := exec.Command("bash", append([]string{".ci/run"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"),
		"GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	cmd.Env = append(cmd.Env, env...)
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	err := cmd.Run()
	return err == nil, printed.String()
}

// TestGitsError: a section that lists files by git fails where git answers with
// an error, as in an archive or in another owner's checkout, and where it lists
// nothing.
func TestGitsError(t *testing.T) {
	archive := project(t, false)
	empty := project(t, false)
	git(t, empty, "init", "-q")
	for _, section := range []string{"format", "nested", "generated"} {
		for dir, says := range map[string]string{archive: "git does not list the files", empty: "git lists no file"} {
			if passed, out := run(t, dir, nil, section); passed || !strings.Contains(out, says) ||
				!strings.Contains(out, "FAILED: "+section) {
				t.Errorf("%s: passed %v, want %q\n%s", section, passed, says, out)
			}
		}
	}
}

func TestWholeRun(t *testing.T) {
	dir := project(t, true)
	passed, out := run(t, dir, nil)
	if !passed {
		t.Fatalf("it fails:\n%s", out)
	}
	_, end, _ := strings.Cut(out, "\nNOT SHOWN:\n")
	for _, want := range []string{
		"- suite-no: Cobol is not installed\n", "- m/a TestNever: no tool\n", "- windows/amd64: ", "- darwin/arm64: ",
		"- linux/arm64: ", "- AWS itself: ",
	} {
		if !strings.Contains(end, want) {
			t.Errorf("the end lacks %q:\n%s", want, end)
		}
	}
	if strings.Contains(end, "TestLater") {
		t.Errorf("a test that passed in another section is named:\n%s", end)
	}
	for _, row := range []string{`(?m)^race +ok +\d+ +\d+$`, `(?m)^suite-no +SKIPPED +\d+ +\d+$`,
		`(?m)^total +\d+ +\d+$`} {
		if !regexp.MustCompile(row).MatchString(out) {
			t.Errorf("the table lacks %s:\n%s", row, out)
		}
	}

	if passed, out := run(t, dir, []string{"DDBSEAL_CI_LIMIT=-1"}); passed ||
		!strings.Contains(out, "more than the limit of -1 s") {
		t.Errorf("over the limit: passed %v\n%s", passed, out)
	}
	write(t, dir, ".ci/suite-no", "#!/bin/sh\nexit 3\n")
	if passed, out := run(t, dir, nil, "suite-"); passed || !strings.Contains(out, "FAILED: suite-no\n") ||
		!strings.Contains(out, "- every section whose name does not begin with suite-\n") {
		t.Errorf("a suite that fails: passed %v\n%s", passed, out)
	}
	if passed, out := run(t, dir, nil, "no-such-section"); passed {
		t.Errorf("no section passes:\n%s", out)
	}
	if passed, out := run(t, dir, []string{"DDBSEAL_CI_TEST_LIMIT=-1"}, "test"); passed ||
		!strings.Contains(out, "more than -1 s") {
		t.Errorf("tests over their limit: passed %v\n%s", passed, out)
	}
}

// TestIgnored: what property tests leave behind is ignored in every folder.
func TestIgnored(t *testing.T) {
	dir := project(t, true)
	text, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, ".gitignore", string(text))
	for _, path := range []string{"testdata/rapid/x", "store/testdata/rapid/x",
		"envelope/internal/format/testdata/rapid/TestX/y.fail"} {
		git(t, dir, "check-ignore", path) // an error if the path is not ignored
	}
}
