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

// listed is what go list says about a package.
type listed struct {
	ImportPath, Name, Dir, Export string
	GoFiles                       []string
}

// list returns a package and the export data of its dependencies by path.
func list(root, path string) (p *listed, exports map[string]string, err error) {
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Name,Dir,Export,GoFiles", "./" + path}
	cmd := exec.Command("go", append(args, "os", "strconv", "sync/atomic")...) // the last are imported by switches
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, nil, err
	}
	exports = map[string]string{}
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		next := &listed{}
		if err := d.Decode(next); err != nil {
			return nil, nil, err
		}
		exports[next.ImportPath] = next.Export
		if next.Dir == filepath.Join(root, path) {
			p = next
		}
	}
	if p == nil {
		return nil, nil, fmt.Errorf("go list does not find it")
	}
	return p, exports, nil
}

// test is a test function of a compiled test binary.
type test struct {
	binary, dir, name string
	took              time.Duration // without any mutant
}

// runner runs the tests of an instrumented package.
type runner struct {
	work, root string
	procs      int
}

// build compiles the tests of a package with the overlay.
func (r *runner) build(path string, overlay map[string][]byte) (binary string, err error) {
	replace := map[string]string{}
	for file, text := range overlay {
		copied := filepath.Join(r.work, filepath.Base(file))
		if err := os.WriteFile(copied, text, 0o600); err != nil {
			return "", err
		}
		replace[file] = copied
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	config := filepath.Join(r.work, "overlay.json")
	if err := os.WriteFile(config, list, 0o600); err != nil {
		return "", err
	}
	binary = filepath.Join(r.work, strings.ReplaceAll(path, "/", "-")+".test")
	cmd := exec.Command("go", "test", "-c", "-overlay", config, "-o", binary, "./"+path)
	cmd.Dir = r.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", path, err, out)
	}
	return binary, nil
}

// run reports whether the named tests pass in the time that is usual for them.
// What a mutant allocates, writes and leaves running is bounded.
func (r *runner) run(binary, dir string, names []string, usual time.Duration, env ...string) (out []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*usual+10*time.Second)
	defer cancel()
	limits := fmt.Sprintf(`ulimit -v 8388608; ulimit -t %d; exec "$0" "$@"`, int((5*usual+3*time.Second)/time.Second))
	cmd := exec.CommandContext(ctx, "sh", "-c", limits, binary, "-test.failfast", "-test.run", "^("+strings.Join(names, "|")+")$")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(env, "TMPDIR="+r.work)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd.CombinedOutput()
}

// record runs each test of the binary alone and enters it with the mutants that
// it reaches. A test that fails without a mutant cannot tell anything.
func (r *runner) record(program, dir string, mutants map[int]*mutant) error {
	cmd := exec.Command(program, "-test.list", ".")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	names := slices.DeleteFunc(strings.Fields(string(out)), func(name string) bool {
		return !strings.HasPrefix(name, "Test") && !strings.HasPrefix(name, "Fuzz") && !strings.HasPrefix(name, "Example")
	})
	var mu sync.Mutex
	r.each(len(names), func(i int) {
		hits, err := os.CreateTemp(r.work, "hits")
		if err != nil {
			panic(err)
		}
		defer hits.Close()
		t := &test{binary: program, dir: dir, name: names[i]}
		start := time.Now()
		if out, err := r.run(program, dir, names[i:i+1], time.Minute, "MUTATE_HITS="+hits.Name()); err != nil {
			fmt.Printf("%s is left out, since it fails without a mutant: %v\n%s\n", t.name, err, out)
			return
		}
		t.took = time.Since(start)
		mu.Lock()
		defer mu.Unlock()
		for id := 0; ; {
			if _, err := fmt.Fscanln(hits, &id); err != nil {
				break
			}
			if m := mutants[id]; m != nil {
				m.tests = append(m.tests, t)
			}
		}
	})
	return nil
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

// killed reports whether a test that reaches the mutant fails. It runs the fast
// tests in one process, and slower ones in processes of their own.
func (r *runner) killed(m *mutant) bool {
	slices.SortFunc(m.tests, func(a, b *test) int { return int(a.took - b.took) })
	for rest := m.tests; len(rest) > 0; {
		first, n, took := rest[0], 0, time.Duration(0)
		var names []string
		for n < len(rest) && rest[n].binary == first.binary && (n == 0 || took+rest[n].took < 300*time.Millisecond) {
			names = append(names, rest[n].name)
			took += rest[n].took
			n++
		}
		if _, err := r.run(first.binary, first.dir, names, took, fmt.Sprintf("MUTATE_ACTIVE=%d", m.id)); err != nil {
			return true
		}
		rest = rest[n:]
	}
	return false
}
