// Command mutate changes one thing at a time in security-critical packages and
// runs their tests: a change that no test notices is a fault that could land.
//
//	go run -C .ci/mutate . guards            every mutant of the functions in guards; all must be killed
//	go run -C .ci/mutate . all               every mutant of the packages in targets
//	go run -C .ci/mutate . internal/policy   those of one package
//
// A package is compiled once, with all mutants in an overlay and each behind a
// switch; nothing in the repository changes. A mutant runs only the tests that
// reach it. The folder accepted lists the survivors that are no fault, each with
// its reason; an entry is an error when its mutant is gone or killed.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

//go:embed switch.go.txt
var switchText string

func switchFile(name string, count int) []byte {
	return []byte(strings.NewReplacer("PACKAGE", name, "COUNT", fmt.Sprint(count)).Replace(switchText))
}

// target is a line of targets or guards.
type target struct {
	path    string   // of the package, below the root
	chosen  []string // files or functions
	testers []string // the packages whose tests run
}

// readTargets parses lines such as
//
//	envelope/internal/format: header.go footer.go; envelope
//
// with further packages whose tests run after the semicolon.
func readTargets(path string) (list []target, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		pkg, rest, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("%s: %q is not PACKAGE: NAMES", path, line)
		}
		chosen, testers, _ := strings.Cut(rest, ";")
		list = append(list, target{pkg, strings.Fields(chosen), append([]string{pkg}, strings.Fields(testers)...)})
	}
	return list, nil
}

func main() {
	root := flag.String("root", "../..", "`folder` of the module to change")
	procs := flag.Int("p", runtime.NumCPU(), "how many mutants run at the same time")
	only := flag.String("run", "", "run only the mutants whose `function: change` matches this expression")
	show := flag.Bool("list", false, "list the mutants and do not run them")
	out := flag.String("o", "", "write the survivors of each package to a file in this `folder`")
	flag.Parse()
	if err := run(*root, *out, *only, *procs, *show, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(root, out, only string, procs int, show bool, args []string) error {
	match, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	if root, err = filepath.Abs(root); err != nil {
		return err
	}
	file, guards := "targets", slices.Equal(args, []string{"guards"})
	if guards {
		file = "guards"
	}
	targets, err := readTargets(filepath.Join(root, ".ci/mutate", file))
	if err != nil {
		return err
	}
	if !guards && !slices.Equal(args, []string{"all"}) {
		for _, path := range args {
			if !slices.ContainsFunc(targets, func(t target) bool { return t.path == path }) {
				return fmt.Errorf("%s does not list %s", file, path)
			}
		}
		targets = slices.DeleteFunc(targets, func(t target) bool { return !slices.Contains(args, t.path) })
	}
	if len(targets) == 0 {
		return fmt.Errorf("name guards, all, or packages of %s", file)
	}
	failed := false
	fmt.Printf("%-28s %7s %7s %8s %9s %8s %7s %7s\n", "package", "mutants", "killed", "survived", "unreached", "accepted", "score", "seconds")
	for _, t := range targets {
		work, err := os.MkdirTemp("", "mutate")
		if err != nil {
			return err
		}
		r := &runner{work: work, root: root, procs: procs}
		ok, err := r.target(t, guards, show, match, out)
		if err := os.RemoveAll(work); err != nil {
			return err
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.path, err)
		}
		failed = failed || !ok
	}
	if failed {
		return fmt.Errorf("no test notices these changes: write one, or accept them with a reason in .ci/mutate/accepted")
	}
	return nil
}

// target runs the mutants of a package and reports whether no survivor is new.
func (r *runner) target(t target, guards, show bool, match *regexp.Regexp, out string) (ok bool, err error) {
	start := time.Now()
	p, exports, err := list(r.root, t.path)
	if err != nil {
		return false, err
	}
	found := map[string]bool{}
	in, err := instrument(p, exports, func(file, function string) bool {
		for _, name := range t.chosen {
			matches, _ := filepath.Match(name, file)
			if matches && !guards || guards && name == function {
				found[name] = true
				return true
			}
		}
		return false
	})
	if err != nil {
		return false, err
	}
	for _, name := range t.chosen {
		if !found[name] {
			return false, fmt.Errorf("there is no %s", name)
		}
	}
	accepted, err := readAccepted(filepath.Join(r.root, ".ci/mutate/accepted", strings.ReplaceAll(t.path, "/", "-")+".txt"))
	if err != nil {
		return false, err
	}
	mutants := slices.DeleteFunc(slices.Clone(in.mutants), func(m *mutant) bool { return !match.MatchString(m.key()) })
	if show {
		for _, m := range mutants {
			fmt.Printf("%s:%d: %s\n", m.file, m.line, m.key())
		}
		return true, nil
	}
	reach := map[int]*mutant{}
	for _, m := range mutants {
		reach[m.id] = m
	}
	for _, path := range t.testers {
		binary, err := r.build(path, in.overlay)
		if err != nil {
			return false, err
		}
		if err := r.record(binary, filepath.Join(r.root, path), reach); err != nil {
			return false, err
		}
	}
	// In guards, only what may not survive runs.
	killed := make([]bool, len(mutants))
	r.each(len(mutants), func(i int) {
		killed[i] = !(guards && accepted[mutants[i].key()]) && r.killed(mutants[i])
	})
	var report strings.Builder
	var dead, alive, unreached, excused int
	for i, m := range mutants {
		key := m.key()
		switch {
		case killed[i] && accepted[key]:
			return false, fmt.Errorf("accepted, but a test fails on it: %s", key)
		case killed[i]:
			dead++
		case accepted[key]:
			excused++
		case len(m.tests) == 0:
			unreached++
			fmt.Fprintf(&report, "%s:%d: %s (unreached)\n", m.file, m.line, key)
		default:
			alive++
			fmt.Fprintf(&report, "%s:%d: %s\n", m.file, m.line, key)
		}
	}
	for key := range accepted {
		function, _, _ := strings.Cut(key, ": ")
		of := slices.ContainsFunc(in.mutants, func(m *mutant) bool { return m.key() == key })
		if !of && (!guards || slices.Contains(t.chosen, function)) {
			return false, fmt.Errorf("accepted, but there is no such mutant: %s", key)
		}
	}
	fmt.Printf("%-28s %7d %7d %8d %9d %8d %6.1f%% %7.0f\n", t.path, len(mutants), dead, alive, unreached, excused,
		100*float64(dead)/float64(max(1, len(mutants)-excused)), time.Since(start).Seconds())
	if out == "" {
		fmt.Print(report.String())
	} else if err := os.WriteFile(filepath.Join(out, strings.ReplaceAll(t.path, "/", "-")+".txt"), []byte(report.String()), 0o666); err != nil {
		return false, err
	}
	return alive+unreached == 0, nil
}
