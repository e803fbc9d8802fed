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

// runner compiles and runs tests. It keeps what it makes in the folder work.
type runner struct {
	work, root string
	procs      int
}

// build compiles the tests of the package in a folder with an overlay.
func (r *runner) build(folder string, overlay map[string][]byte) (binary string, err error) {
	replace := map[string]string{}
	for path, text := range overlay {
		replace[path] = filepath.Join(r.work, filepath.Base(path))
		if err := os.WriteFile(replace[path], text, 0o600); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	config := filepath.Join(r.work, "overlay.json")
	if err := os.WriteFile(config, list, 0o600); err != nil {
		return "", err
	}
	binary = filepath.Join(r.work, strings.ReplaceAll(folder, "/", "-")+".test")
	cmd := exec.Command("go", "test", "-c", "-overlay", config, "-o", binary, "./"+folder)
	cmd.Dir = r.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go test: %w\n%s", err, out)
	}
	return binary, nil
}

// run runs tests of one binary. It bounds what a mutant allocates, how long it
// computes and waits, where it writes, and what it leaves running.
func (r *runner) run(tests []*test, usual time.Duration, env string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*usual+5*time.Second)
	defer cancel()
	limits := fmt.Sprintf(`ulimit -v 8388608; ulimit -t %d; exec "$0" "$@"`, int(5*usual.Seconds())+3)
	var names []string
	for _, t := range tests {
		names = append(names, t.name)
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", limits, tests[0].binary, "-test.failfast", "-test.run", "^("+strings.Join(names, "|")+")$")
	cmd.Dir = tests[0].dir
	cmd.Env = append(os.Environ(), env, "TMPDIR="+r.work)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd.CombinedOutput()
}

// record runs each test of the binary alone and enters it with the mutants that
// it reaches.
func (r *runner) record(binary, dir string, mutants map[int]*mutant) error {
	cmd := exec.Command(binary, "-test.list", "^(Test|Fuzz|Example)")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	names := strings.Fields(string(out))
	var mu sync.Mutex
	r.each(len(names), func(i int) {
		t := &test{binary: binary, dir: dir, name: names[i]}
		path := filepath.Join(r.work, "hits-"+t.name)
		start := time.Now()
		failed := os.WriteFile(path, nil, 0o600)
		if failed == nil {
			out, failed = r.run([]*test{t}, time.Minute, "MUTATE_HITS="+path)
		}
		t.took = time.Since(start)
		hits, _ := os.ReadFile(path)
		mu.Lock()
		defer mu.Unlock()
		if failed != nil { // then it cannot tell anything
			err = fmt.Errorf("%s fails without a mutant: %w\n%s", t.name, failed, out)
		}
		for _, hit := range strings.Fields(string(hits)) {
			var id int
			if _, err := fmt.Sscan(hit, &id); err == nil && mutants[id] != nil {
				mutants[id].tests = append(mutants[id].tests, t)
			}
		}
	})
	return err
}

// killed reports whether a test that reaches the mutant fails. The fastest run
// first, many of them in one process.
func (r *runner) killed(m *mutant) bool {
	slices.SortFunc(m.tests, func(a, b *test) int { return int(a.took - b.took) })
	for rest := m.tests; len(rest) > 0; {
		n, took := 1, rest[0].took
		for n < len(rest) && rest[n].binary == rest[0].binary && took+rest[n].took < 300*time.Millisecond {
			took += rest[n].took
			n++
		}
		if _, err := r.run(rest[:n], took, fmt.Sprintf("MUTATE_ACTIVE=%d", m.id)); err != nil {
			return true
		}
		rest = rest[n:]
	}
	return false
}

// each calls f for the numbers below n, several at a time.
func (r *runner) each(n int, f func(i int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range r.procs {
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
