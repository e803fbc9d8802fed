// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// sample copies the package of testdata to a module with the given targets,
// guards and accepted survivors, and returns a command for it.
func sample(t *testing.T, files map[string]string) (*command, *strings.Builder) {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"go.mod": "module sample.test\n\ngo 1.26.0\n", ".ci/mutate/targets": "sample: *.go\n"}
	for name, text := range files {
		all[".ci/mutate/"+name] = text
	}
	for _, name := range []string{"token.go", "token_test.go"} {
		text, err := os.ReadFile(filepath.Join("testdata/sample", name))
		if err != nil {
			t.Fatal(err)
		}
		all["sample/"+name] = string(text)
	}
	for name, text := range all {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	out := &strings.Builder{}
	return &command{root: root, procs: runtime.NumCPU(), match: regexp.MustCompile(""), out: out}, out
}

// states returns the state of each reported mutant, and the line of numbers.
func states(out string) (survivors map[string]string, numbers string) {
	survivors = map[string]string{}
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if at := strings.LastIndex(line, " ("); strings.HasPrefix(line, "token.go:") && at > 0 {
			_, key, _ := strings.Cut(line[:at], ": ")
			survivors[key] = strings.Trim(line[at:], " ()")
		} else {
			numbers = line
		}
	}
	return survivors, numbers
}

// TestSurvivors: the changes that the sample's tests miss are reported, and no
// others.
func TestSurvivors(t *testing.T) {
	want := map[string]string{
		"Loose: +1 for `10` in `n > 10`":                   "survived",
		"Loose: >= in place of > in `n > 10`":              "survived",
		"Loose: true for `!strict` in `n > 10 && !strict`": "survived",
		"Unreached: true for `return bytes.Equal(a, b)`":   "unreached",
		"Unreached: false for `return bytes.Equal(a, b)`":  "unreached",
		"Nonce: drop `defer clear(b[:0])`":                 "survived",
		"Nonce: drop `_, _ = rand.Read(b)`":                "survived",
		"Nonce: not random: `rand.Read(b)`":                "survived",
		"Kind: no case `\"b\"`":                            "survived",
	}
	c, out := sample(t, nil)
	err := c.run([]string{"all"})
	got, numbers := states(out.String())
	for key, state := range want {
		if got[key] != state {
			t.Errorf("%s: %q, want %s", key, got[key], state)
		}
	}
	for key, state := range got {
		if want[key] == "" {
			t.Errorf("%s is reported as %s", key, state)
		}
	}
	if err == nil || !strings.Contains(err.Error(), "no test notices 9 changes") {
		t.Errorf("error %v", err)
	}
	t.Log(numbers)
}

// TestMutants: each kind of change is made where it can be.
func TestMutants(t *testing.T) {
	c, out := sample(t, nil)
	c.list = true
	if err := c.run([]string{"sample"}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"Check: true for `len(token) < 4`", "Check: false for `len(token) < 4`",
		"Check: <= in place of < in `len(token) < 4`", "Check: -1 for `4` in `len(token) < 4`",
		"Check: nil for error `ErrShort`", "Loose: true for `n > 10` in `n > 10 && !strict`",
		"Nonce: -1 for `0` in `b[:0]`", "Last: drop `i++`", "Last: - in place of + in `sum*10 + list[i]`",
		"Last: false for `i < len(list)`", "(*pair[T]).add: drop `p.list = append(p.list, v)`",
		"Joined: no field `list: []string{a}`", "Joined: drop `p.add(b)`", "Kind: no case `\"a\"`",
	} {
		key = strings.Replace(key, "[T]", "", 1)
		if !strings.Contains(out.String(), ": "+key+"\n") {
			t.Errorf("there is no %s", key)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

// TestAccepted: an accepted survivor is not reported. An entry without a reason,
// without a mutant, or with a mutant that a test notices is an error.
func TestAccepted(t *testing.T) {
	const kept = "Kind: no case `\"b\"`\n"
	for name, test := range map[string]struct{ accepted, want string }{
		"reason":  {kept + "\tThe sample shows a case without a test.\n", ""},
		"none":    {kept + "\n", "gives no reason for: Kind"},
		"twice":   {kept + kept + "\tReason.\n", "has twice: Kind"},
		"gone":    {"Kind: drop `it`\n\tReason.\n", "accepted, but there is no such mutant: Kind: drop `it`"},
		"noticed": {"Kind: no case `\"a\"`\n\tReason.\n", "accepted, but a test notices it: Kind"},
	} {
		t.Run(name, func(t *testing.T) {
			c, out := sample(t, map[string]string{"accepted/sample.txt": test.accepted})
			c.match = regexp.MustCompile("^Kind: no case")
			err := c.run([]string{"all"})
			switch {
			case name == "reason" && err != nil:
				t.Errorf("%v\n%s", err, out)
			case name != "reason" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

// TestGuards: guards changes the functions that it names, and each must exist.
func TestGuards(t *testing.T) {
	c, out := sample(t, map[string]string{"guards": "# comment\nsample: Check Joined\n"})
	if err := c.run([]string{"guards"}); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if _, numbers := states(out.String()); !strings.Contains(numbers, " 0 survived, 0 unreached, 0 accepted: 100.0 %") {
		t.Error(numbers)
	}
	c, _ = sample(t, map[string]string{"guards": "sample: Check Missing\n"})
	if err := c.run([]string{"guards"}); err == nil || !strings.Contains(err.Error(), "Missing") {
		t.Errorf("error %v", err)
	}
	c, _ = sample(t, map[string]string{"guards": ""})
	if err := c.run([]string{"guards"}); err == nil {
		t.Error("an empty list of guards passes")
	}
}

// TestFailing: without a mutant all tests must pass, or they tell nothing.
func TestFailing(t *testing.T) {
	c, _ := sample(t, nil)
	path := filepath.Join(c.root, "sample", "token_test.go")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "!= 123", "!= 321", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := c.run([]string{"all"}); err == nil || !strings.Contains(err.Error(), "TestLast fails without a mutant") {
		t.Errorf("error %v", err)
	}
}

// TestFolders: the targets and guards of this module name what is there, and
// every file of accepted survivors belongs to a target.
func TestFolders(t *testing.T) {
	targets, err := os.ReadFile("targets")
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := filepath.Glob("accepted/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range accepted {
		found := false
		for line := range strings.Lines(string(targets)) {
			folder, _, _ := strings.Cut(line, ":")
			found = found || strings.ReplaceAll(folder, "/", "-")+".txt" == filepath.Base(path)
		}
		if !found {
			t.Errorf("%s belongs to no package of targets", path)
		}
	}
	for _, args := range [][]string{{"all"}, {"guards"}} {
		out := &strings.Builder{}
		c := &command{root: "../..", match: regexp.MustCompile(""), list: true, out: out}
		if err := c.run(args); err != nil {
			t.Errorf("%v: %v", args, err)
		}
		if n := strings.Count(out.String(), "\n"); n < 300 {
			t.Errorf("%v: only %d mutants", args, n)
		}
	}
}
