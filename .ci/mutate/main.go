// Command mutate changes one thing at a time in security-critical packages and
// runs their tests: a change that no test notices is a fault that could land.
//
//	go run -C .ci/mutate . guards            the functions in guards; every change must be noticed
//	go run -C .ci/mutate . all               all packages in targets
//	go run -C .ci/mutate . internal/policy   one package
//
// It compiles a package once, with all mutants in an overlay and each behind a
// switch, and runs for a mutant the tests that reach it. The folder accepted
// has the survivors that are not faults. It needs a Unix system.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// target is a line of targets or guards: a package, its files or functions to
// change, and the packages whose tests run.
type target struct {
	folder  string
	chosen  []string
	testers []string
}

// readTargets parses lines of the form
//
//	PACKAGE: FILES OR FUNCTIONS; FURTHER PACKAGES WITH TESTS
func readTargets(path string) (list []target, err error) {
	text, err := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		if folder, rest, ok := strings.Cut(line, ":"); ok && line[0] != '#' {
			chosen, testers, _ := strings.Cut(rest, ";")
			list = append(list, target{folder, strings.Fields(chosen), append([]string{folder}, strings.Fields(testers)...)})
		}
	}
	return list, err
}

// readAccepted returns the keys in a file of accepted survivors, which are lines
// without a tab in front. An indented reason follows one or more of them.
func readAccepted(path string) (keys []string, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	reason := true
	for line := range strings.Lines(string(text) + "\n") {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "\t"):
			reason = true
		case line != "" && slices.Contains(keys, line):
			return nil, fmt.Errorf("%s has twice: %s", path, line)
		case line != "":
			keys, reason = append(keys, line), false
		case !reason:
			return nil, fmt.Errorf("%s gives no reason for: %s", path, keys[len(keys)-1])
		}
	}
	return keys, err
}

// command is what the command line asks for.
type command struct {
	root   string
	procs  int
	match  *regexp.Regexp
	list   bool
	guards bool
}

func main() {
	var c command
	flag.StringVar(&c.root, "root", "../..", "`folder` of the module to change")
	flag.IntVar(&c.procs, "p", runtime.NumCPU(), "how many mutants run at the same time")
	only := flag.String("run", "", "run only the mutants that match this `expression`")
	flag.BoolVar(&c.list, "list", false, "list the mutants and run nothing")
	flag.Parse()
	var err error
	if c.match, err = regexp.Compile(*only); err == nil {
		err = c.run(flag.Args())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func (c *command) run(args []string) (err error) {
	if c.root, err = filepath.Abs(c.root); err != nil {
		return err
	}
	file := "targets"
	if c.guards = slices.Equal(args, []string{"guards"}); c.guards {
		file = "guards"
	}
	targets, err := readTargets(filepath.Join(c.root, ".ci/mutate", file))
	if err != nil {
		return err
	}
	if !c.guards && !slices.Equal(args, []string{"all"}) {
		targets = slices.DeleteFunc(targets, func(t target) bool { return !slices.Contains(args, t.folder) })
		if len(targets) != len(args) {
			return fmt.Errorf("name guards, all, or packages of .ci/mutate/targets")
		}
	}
	survived := 0
	for _, t := range targets {
		n, err := c.target(t)
		if err != nil {
			return fmt.Errorf("%s: %w", t.folder, err)
		}
		survived += n
	}
	if survived > 0 {
		return fmt.Errorf("no test notices %d changes: write one, or accept the change in .ci/mutate/accepted with a reason", survived)
	}
	return nil
}

// target runs the mutants of one package and returns how many survive that are
// not accepted.
func (c *command) target(t target) (survived int, err error) {
	start := time.Now()
	unseen := slices.Clone(t.chosen)
	p, err := load(c.root, t.folder, func(file, function string) bool {
		i := slices.IndexFunc(t.chosen, func(name string) bool {
			matches, _ := filepath.Match(name, file)
			return c.guards && name == function || !c.guards && matches
		})
		if i >= 0 {
			unseen = slices.DeleteFunc(unseen, func(name string) bool { return name == t.chosen[i] })
		}
		return i >= 0
	})
	if err == nil && len(unseen) > 0 {
		err = fmt.Errorf("there is no %s", strings.Join(unseen, ", "))
	}
	if err != nil {
		return 0, err
	}
	accepted, err := readAccepted(filepath.Join(c.root, ".ci/mutate/accepted", strings.ReplaceAll(t.folder, "/", "-")+".txt"))
	if err != nil {
		return 0, err
	}
	for _, key := range accepted {
		function, _, _ := strings.Cut(key, ": ")
		if !slices.ContainsFunc(p.mutants, func(m *mutant) bool { return m.key == key }) && (!c.guards || slices.Contains(t.chosen, function)) {
			return 0, fmt.Errorf("accepted, but there is no such mutant: %s", key)
		}
	}
	mutants := map[int]*mutant{}
	var run []*mutant
	for _, m := range p.mutants {
		if c.match.MatchString(m.key) {
			run = append(run, m)
			mutants[m.id] = m
		}
	}
	if c.list {
		for _, m := range run {
			fmt.Printf("%s:%d: %s\n", m.file, m.line, m.key)
		}
		return 0, nil
	}
	work, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, err
	}
	defer func() { err = cmp.Or(err, os.RemoveAll(work)) }()
	r := &runner{work: work, root: c.root, procs: c.procs}
	for _, folder := range t.testers {
		binary, err := r.build(folder, p.overlay)
		if err == nil {
			err = r.record(binary, filepath.Join(c.root, folder), mutants)
		}
		if err != nil {
			return 0, err
		}
	}
	// An accepted one of guards need not run: the run by hand shows whether a
	// test notices it.
	killed := make([]bool, len(run))
	r.each(len(run), func(i int) { killed[i] = !(c.guards && slices.Contains(accepted, run[i].key)) && r.killed(run[i]) })
	dead, excused, unreached := 0, 0, 0
	for i, m := range run {
		accept := slices.Contains(accepted, m.key)
		switch {
		case killed[i] && accept:
			return 0, fmt.Errorf("accepted, but a test notices it: %s", m.key)
		case killed[i]:
			dead++
		case accept:
			excused++
		case len(m.tests) == 0:
			unreached++
			fmt.Printf("%s:%d: %s (no test reaches it)\n", m.file, m.line, m.key)
		default:
			survived++
			fmt.Printf("%s:%d: %s\n", m.file, m.line, m.key)
		}
	}
	fmt.Printf("%s: %d mutants, %d killed, %d survived, %d unreached, %d accepted: %.1f %% in %.0f s\n", t.folder, len(run), dead, survived,
		unreached, excused, 100*float64(dead)/float64(max(1, len(run)-excused)), time.Since(start).Seconds())
	return survived + unreached, nil
}
