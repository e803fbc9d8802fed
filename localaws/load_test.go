// SPDX-License-Identifier: Apache-2.0

//go:build load

package localaws_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// What the load test asserts.
const (
	maxStart      = 50 * time.Millisecond // from the start of the process to its first answer
	maxRestart    = 3 * time.Second       // the same after kill -9, under load
	maxLatency    = time.Second           // of 99 in 100 signed calls
	maxIdleMemory = 40 << 20              // that 1,000 idle connections take
	maxPeak       = 320 << 20             // that the process ever has
	maxRest       = 80 << 20              // that the process has a minute after the load
	restAfter     = time.Minute
)

// program is `ddbseal serve` in a process of its own.
type program struct {
	path, dir, addr string
	cmd             *exec.Cmd
	stderr          bytes.Buffer
	config          aws.Config
}

// buildProgram compiles the command.
func buildProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ddbseal")
	if out, err := exec.Command("go", "build", "-o", path, "../cmd/ddbseal").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// start starts the process and returns how long it took until the first answer.
func (p *program) start() (time.Duration, error) {
	began := time.Now()
	args := []string{"serve", "--listen", p.addr, "--data-dir", p.dir}
	p.cmd = exec.Command(p.path, args...)
	p.cmd.Env = []string{"HOME=" + p.dir, "PATH=" + os.Getenv("PATH")}
	p.stderr.Reset()
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := p.cmd.Start(); err != nil {
		return 0, err
	}
	exports := map[string]string{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		name, value, found := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		if !found {
			break // the unset at the end
		}
		exports[name] = value
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	url := exports["AWS_ENDPOINT_URL"]
	resp, err := http.Get(url)
	if err != nil {
		_ = p.kill()
		return 0, fmt.Errorf("%w\n%s", err, p.stderr.String())
	}
	took := time.Since(began)
	_ = resp.Body.Close()
	p.addr = strings.TrimPrefix(url, "http://")
	p.config = aws.Config{Region: exports["AWS_REGION"], BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider(exports["AWS_ACCESS_KEY_ID"],
			exports["AWS_SECRET_ACCESS_KEY"], "")}
	return took, nil
}

// kill is kill -9.
func (p *program) kill() error {
	err := p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	return err
}

var (
	nowResident  = regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB$`)
	mostResident = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)
)

// memory returns the resident memory of the process in bytes, now.
func (p *program) memory(t *testing.T) int { t.Helper(); return p.resident(t, nowResident) }

// peak returns the most that the process has had.
func (p *program) peak(t *testing.T) int { t.Helper(); return p.resident(t, mostResident) }

func (p *program) resident(t *testing.T, line *regexp.Regexp) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := line.FindSubmatch(text)
	if found == nil {
		t.Fatalf("no %s in %s", line, text)
	}
	kilobytes, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

const megabyte = 1 << 20

// TestLoad runs `ddbseal serve` as careless and hostile users do.
func TestLoad(t *testing.T) {
	p := &program{path: buildProgram(t), dir: t.TempDir(), addr: "127.0.0.1:0"}
	t.Cleanup(func() { _ = p.kill() })

	// A busy machine adds to every start, so the fastest one counts.
	var starts []time.Duration
	fastest := time.Hour
	for range 9 {
		took, err := p.start()
		if err != nil {
			t.Fatal(err)
		}
		starts, fastest = append(starts, took), min(fastest, took)
		if fastest < maxStart && len(starts) >= 3 {
			break
		}
		_ = p.kill()
	}
	t.Logf("starts: %v", starts)
	if fastest > maxStart {
		t.Errorf("serving begins after %v, more than %v", fastest, maxStart)
	}
	if p.cmd.ProcessState != nil {
		if _, err := p.start(); err != nil {
			t.Fatal(err)
		}
	}
	idleMemory(t, p)

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	load := newLoad(p)
	if err := load.prepare(ctx); err != nil {
		t.Fatal(err)
	}
	load.begin(ctx)
	for round := range 3 {
		time.Sleep(8 * time.Second)
		t.Logf("under load: %d connections wait, %d MB, %d calls", load.waiting.Load(), p.memory(t)/megabyte,
			load.calls())
		if peak := p.peak(t); peak > maxPeak {
			t.Errorf("the process had %d MB, more than %d", peak/megabyte, maxPeak/megabyte)
		}
		if round == 2 {
			break
		}
		took, err := load.kill()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("ready again %v after the start", took)
		if took > maxRestart {
			t.Errorf("ready again after %v, more than %v", took, maxRestart)
		}
		if err := load.check(ctx); err != nil {
			t.Errorf("after kill %d: %v", round+1, err)
		}
	}
	stop()
	load.wait()
	ended := time.Now()
	load.report(t)
	if err := load.check(context.Background()); err != nil {
		t.Error(err)
	}
	t.Logf("memory at the end of the load: %d MB, at most %d MB", p.memory(t)/megabyte, p.peak(t)/megabyte)
	time.Sleep(time.Until(ended.Add(restAfter)))
	rest := p.memory(t)
	t.Logf("memory %v after the load: %d MB", restAfter, rest/megabyte)
	if rest > maxRest {
		t.Errorf("the process keeps %d MB, more than %d", rest/megabyte, maxRest/megabyte)
	}
}

// idleMemory opens 1,000 connections, which stay idle after a request.
func idleMemory(t *testing.T, p *program) {
	t.Helper()
	const n = 1000
	before := p.memory(t)
	conns := make([]net.Conn, 0, n)
	for range n {
		c, err := net.Dial("tcp", p.addr)
		if err != nil {
			t.Fatalf("connection %d: %v", len(conns)+1, err)
		}
		defer c.Close()
		if err := healthCheck(c); err != nil {
			t.Fatalf("connection %d: %v", len(conns)+1, err)
		}
		conns = append(conns, c)
	}
	cost := p.memory(t) - before
	t.Logf("%d idle connections take %.1f MB", n, float64(cost)/megabyte)
	if cost > maxIdleMemory {
		t.Errorf("that is more than %d MB", maxIdleMemory/megabyte)
	}
	// Below half of the limit all of them stay.
	time.Sleep(6 * time.Second)
	for i, c := range conns {
		if err := healthCheck(c); err != nil {
			t.Fatalf("idle connection %d: %v", i+1, err)
		}
	}
}

// healthCheck sends the request that needs no signature.
func healthCheck(c net.Conn) error {
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: load\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

// readAll returns the texts of all items of the table by their key.
func readAll(ctx context.Context, c *dynamodb.Client, table string) (map[string]string, error) {
	found := map[string]string{}
	pages := dynamodb.NewScanPaginator(c, &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, it := range page.Items {
			found[text(it["id"])] = text(it["v"])
		}
	}
	return found, nil
}
