// SPDX-License-Identifier: Apache-2.0

// Command mutate changes one thing at a time in security-critical packages and
// runs their tests: a change that no test notices is a fault that could land.
//
//	go run -C .ci/mutate . guards            the functions in guards
//	go run -C .ci/mutate . all               all packages in targets
//	go run -C .ci/mutate . internal/policy   one package of targets
//
// It compiles a package once, with all mutants in an overlay and each behind a
// switch, and runs for a mutant the tests that reach it. It fails if one survives
// that the folder accepted does not list. It needs a Unix system.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// command is what the command line asks for.
type command struct {
	root  string // of the module to change
	work  string // a temporary folder
	procs int
	match *regexp.Regexp
	list  bool
	out   io.Writer
}

func main() {
	c := command{out: os.Stdout}
	flag.StringVar(&c.root, "root", "../..", "`folder` of the module to change")
	flag.IntVar(&c.procs, "p", runtime.NumCPU(), "how many mutants run at the same time")
	flag.BoolVar(&c.list, "list", false, "list the mutants and run nothing")
	only := flag.String("run", "", "run only the mutants that match this `expression`")
	flag.Parse()
	c.match = regexp.MustCompile(*only)
	if err := c.run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// must returns v. It panics with a failure, which run returns, if err is not nil.
func must[T any](v T, err error) T {
	if err != nil {
		panic(failure{err})
	}
	return v
}

type failure struct{ error }

func fail(format string, args ...any) { must(0, fmt.Errorf(format, args...)) }

func (c *command) run(args []string) (err error) {
	defer func() {
		if f, ok := recover().(failure); ok {
			err = f.error
		}
	}()
	c.root = must(filepath.Abs(c.root))
	c.work = must(os.MkdirTemp("", "mutate"))
	defer os.RemoveAll(c.work)
	guards := slices.Equal(args, []string{"guards"})
	file := map[bool]string{true: "guards", false: "targets"}[guards]
	run, survived := 0, 0
	for line := range strings.Lines(string(must(os.ReadFile(filepath.Join(c.root, ".ci/mutate", file))))) {
		folder, rest, ok := strings.Cut(line, ":")
		if ok && line[0] != '#' && (guards || slices.Equal(args, []string{"all"}) || slices.Contains(args, folder)) {
			chosen, testers, _ := strings.Cut(rest, ";")
			survived += c.target(folder, strings.Fields(chosen), append(strings.Fields(testers), folder), guards)
			run++
		}
	}
	if run < len(args) || run == 0 {
		return errors.New("name guards, all, or packages in .ci/mutate/targets")
	}
	if survived > 0 {
		return fmt.Errorf("no test notices %d changes: write one, or accept the change in .ci/mutate/accepted with a reason",
			survived)
	}
	return nil
}

// readAccepted returns the keys in a file of accepted survivors, which are lines
// without a tab in front. An indented reason follows one or more of them.
func readAccepted(path string) (keys []string) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	reason := true
	for line := range strings.SplitSeq(string(must(text, err))+"\n", "\n") {
		switch {
		case strings.HasPrefix(line, "\t"):
			reason = true
		case line == "" && !reason:
			fail("%s gives no reason for: %s", path, keys[len(keys)-1])
		case line != "" && slices.Contains(keys, line):
			fail("%s has twice: %s", path, line)
		case line != "":
			keys, reason = append(keys, line), false
		}
	}
	return keys
}

// target runs the mutants of the package in a folder, in its chosen files or,
// for guards, functions. It returns how many survive that are not accepted.
func (c *command) target(folder string, chosen, testers []string, guards bool) int {
	start := time.Now()
	seen := map[string]bool{}
	p := load(c.root, folder, func(file, function string) bool {
		i := slices.IndexFunc(chosen, func(name string) bool {
			matches := must(filepath.Match(name, file))
			return guards && name == function || !guards && matches
		})
		if i >= 0 {
			seen[chosen[i]] = true
		}
		return i >= 0
	})
	if missing := slices.DeleteFunc(slices.Clone(chosen), func(name string) bool { return seen[name] }); len(missing) > 0 {
		fail("%s has no %s", folder, strings.Join(missing, ", "))
	}
	accepted := readAccepted(filepath.Join(c.root, ".ci/mutate/accepted", strings.ReplaceAll(folder, "/", "-")+".txt"))
	stale := slices.DeleteFunc(slices.Clone(accepted), func(key string) bool {
		function, _, _ := strings.Cut(key, ": ")
		other := guards && !slices.Contains(chosen, function)
		return other || slices.ContainsFunc(p.mutants, func(m *mutant) bool { return m.key == key })
	})
	if len(stale) > 0 {
		fail("%s: accepted, but there is no such mutant: %s", folder, strings.Join(stale, "\n\t"))
	}
	mutants := slices.DeleteFunc(p.mutants, func(m *mutant) bool { return !c.match.MatchString(m.key) })
	if c.list {
		for _, m := range mutants {
			fmt.Fprintf(c.out, "%s:%d: %s\n", m.file, m.line, m.key)
		}
		return 0
	}
	for _, tester := range testers {
		c.record(c.build(tester, p.overlay), filepath.Join(c.root, tester), mutants)
	}
	// For guards an accepted mutant need not run: the run by hand shows whether a
	// test notices it.
	killed := make([]bool, len(mutants))
	c.each(len(mutants), func(i int) {
		killed[i] = !(guards && slices.Contains(accepted, mutants[i].key)) && c.killed(mutants[i])
	})
	count := map[string]int{}
	for i, m := range mutants {
		accept := slices.Contains(accepted, m.key)
		state := "survived"
		switch {
		case killed[i] && accept:
			fail("%s: accepted, but a test notices it: %s", folder, m.key)
		case killed[i]:
			state = "killed"
		case accept:
			state = "accepted"
		case len(m.tests) == 0:
			state = "unreached"
		}
		if count[state]++; state == "survived" || state == "unreached" {
			fmt.Fprintf(c.out, "%s:%d: %s (%s)\n", m.file, m.line, m.key, state)
		}
	}
	fmt.Fprintf(c.out, "%s: %d mutants, %d killed, %d survived, %d unreached, %d accepted: %.1f %% in %.0f s\n",
		folder, len(mutants), count["killed"], count["survived"], count["unreached"], count["accepted"],
		100*float64(count["killed"])/float64(max(1, len(mutants)-count["accepted"])), time.Since(start).Seconds())
	return count["survived"] + count["unreached"]
}
