// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// module is a module whose tests pass, fail, skip and do not compile.
var module = map[string]string{
	"go.mod": "module example.org/m\n\ngo 1.26.0\n",
	"good/good_test.go": `package good

import "testing"

func TestPasses(t *testing.T) { t.Log("quiet") }

func TestSkips(t *testing.T) { t.Skip("no such tool") }

func TestParts(t *testing.T) {
	t.Run("part", func(t *testing.T) { t.Skip("no such part") })
}
`,
	"bad/bad_test.go": `package bad

import "testing"

func TestPasses(t *testing.T) { t.Log("quiet") }

func TestFails(t *testing.T) {
	t.Run("part", func(t *testing.T) { t.Error("loud") })
}
`,
	"panics/panics_test.go": `package panics

import "testing"

func TestPanics(t *testing.T) { panic("a scream") }
`,
	"broken/broken_test.go": "package broken\n\nvar x int = \"text\"\n",
}

// gotest runs the command in a module of these files.
func gotest(t *testing.T, args ...string) (code int, out, results string) {
	t.Helper()
	dir := t.TempDir()
	for path, text := range module {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	var printed, diagnostics bytes.Buffer
	file := filepath.Join(dir, "results")
	code, err := run(args, file, &printed, &diagnostics)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return code, printed.String() + diagnostics.String(), string(text)
}

func TestResults(t *testing.T) {
	code, out, results := gotest(t, "./good", "./bad", "./panics", "./broken")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"ok  \texample.org/m/good", "--- FAIL: TestFails/part", "loud", "a scream",
		"FAIL\texample.org/m/broken", "cannot use \"text\""} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "quiet") || strings.Contains(out, `"Action"`) {
		t.Errorf("the output holds more than that of go test:\n%s", out)
	}
	for _, want := range []string{
		"pass\texample.org/m/good\tTestPasses\n", "skip\texample.org/m/good\tTestSkips\tno such tool\n",
		"skip\texample.org/m/good\tTestParts/part\tno such part\n", "pass\texample.org/m/bad\tTestPasses\n",
	} {
		if !strings.Contains(results, want) {
			t.Errorf("the results lack %q:\n%s", want, results)
		}
	}
	if strings.Contains(results, "TestFails") || strings.Contains(results, "TestPanics") {
		t.Errorf("a failure is among the results:\n%s", results)
	}
}

func TestVerbose(t *testing.T) {
	code, out, _ := gotest(t, "-v", "./good")
	if code != 0 || !strings.Contains(out, "--- PASS: TestPasses") || !strings.Contains(out, "quiet") ||
		!strings.Contains(out, "--- SKIP: TestSkips") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}
