// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// test is a test function of a compiled test binary.
type test struct {
	binary, dir, name string
	took              time.Duration // without any mutant
}

// build compiles the tests of the package in a folder with an overlay.
func (c *command) build(folder string, overlay map[string][]byte) (binary string) {
	replace := map[string]string{}
	for path, text := range overlay {
		replace[path] = filepath.Join(c.work, filepath.Base(path))
		must(0, os.WriteFile(replace[path], text, 0o600))
	}
	config := filepath.Join(c.work, "overlay.json")
	must(0, os.WriteFile(config, must(json.Marshal(map[string]any{"Replace": replace})), 0o600))
	binary = filepath.Join(c.work, strings.ReplaceAll(folder, "/", "-")+".test")
	cmd := exec.Command("go", "test", "-c", "-overlay", config, "-o", binary, "./"+folder)
	cmd.Dir = c.root
	if out, err := cmd.CombinedOutput(); err != nil {
		fail("%s: go test: %w\n%s", folder, err, out)
	}
	return binary
}

// start runs tests of one binary. It bounds what a mutant allocates, how long it
// computes and waits, where it writes, and what it leaves running.
func (c *command) start(tests []*test, usual time.Duration, env string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*usual+5*time.Second)
	defer cancel()
	limits := fmt.Sprintf(`ulimit -v 8388608; ulimit -t %d; exec "$0" "$@"`, int(5*usual.Seconds())+3)
	var names []string
	for _, t := range tests {
		names = append(names, t.name)
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", limits, tests[0].binary, "-test.failfast",
		"-test.run", "^("+strings.Join(names, "|")+")$")
	cmd.Dir = tests[0].dir
	cmd.Env = append(os.Environ(), env, "TMPDIR="+c.work)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd.CombinedOutput()
}

// record runs each test of the binary alone and enters it with the mutants that
// it reaches.
func (c *command) record(binary, dir string, mutants []*mutant) {
	cmd := exec.Command(binary, "-test.list", "^(Test|Fuzz|Example)")
	cmd.Dir = dir
	names := strings.Fields(string(must(cmd.Output())))
	tests, outs, errs := make([]*test, len(names)), make([][]byte, len(names)), make([]error, len(names))
	hits := func(i int) string { return filepath.Join(c.work, "hits-"+names[i]) }
	c.each(len(names), func(i int) {
		tests[i] = &test{binary: binary, dir: dir, name: names[i]}
		if errs[i] = os.WriteFile(hits(i), nil, 0o600); errs[i] == nil {
			start := time.Now()
			outs[i], errs[i] = c.start(tests[i:i+1], time.Minute, "MUTATE_HITS="+hits(i))
			tests[i].took = time.Since(start)
		}
	})
	for i, t := range tests {
		if errs[i] != nil { // then it cannot tell anything
			fail("%s fails without a mutant: %w\n%s", t.name, errs[i], outs[i])
		}
		reached := strings.Fields(string(must(os.ReadFile(hits(i)))))
		slices.Sort(reached)
		for _, m := range mutants {
			if _, ok := slices.BinarySearch(reached, fmt.Sprint(m.id)); ok {
				m.tests = append(m.tests, t)
			}
		}
	}
}

// killed reports whether a test that reaches the mutant fails. The fastest run
// first, many of them in one process.
func (c *command) killed(m *mutant) bool {
	slices.SortFunc(m.tests, func(a, b *test) int { return int(a.took - b.took) })
	for rest := m.tests; len(rest) > 0; {
		n, took := 1, rest[0].took
		for ; n < len(rest) && rest[n].binary == rest[0].binary && took+rest[n].took < 300*time.Millisecond; n++ {
			took += rest[n].took
		}
		if _, err := c.start(rest[:n], took, fmt.Sprintf("MUTATE_ACTIVE=%d", m.id)); err != nil {
			return true
		}
		rest = rest[n:]
	}
	return false
}

// each calls f for the numbers below n, several at a time.
func (c *command) each(n int, f func(i int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range c.procs {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}
