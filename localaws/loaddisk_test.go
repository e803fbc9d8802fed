// SPDX-License-Identifier: Apache-2.0

//go:build load

package localaws_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/localaws"
)

const loadDirEnv = "DDBSEAL_TEST_LOAD_DIR"

// serveFullDisk is the process whose disk is full between the lines "full" and
// "room" on its standard input.
func serveFullDisk(dir string) error {
	s, err := localaws.New(localaws.Options{DataDir: dir})
	if err != nil {
		return err
	}
	l, err := s.Listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.URL(), s.RootCredentials().AccessKeyID, s.RootCredentials().SecretAccessKey)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if lines.Text() == "full" {
			s.SetStoreFault(func() error { return syscall.ENOSPC })
		} else {
			s.SetStoreFault(nil)
		}
		fmt.Println("done")
	}
	return lines.Err()
}

// diskServer is that process.
type diskServer struct {
	cmd    *exec.Cmd
	stdin  io.Writer
	stdout *bufio.Reader
	tables *dynamodb.Client
}

func startDiskServer(t *testing.T, dir string) *diskServer {
	t.Helper()
	s := &diskServer{cmd: exec.Command(os.Args[0], "-test.run=^TestLoadFullDisk$", "-test.timeout=10m")}
	s.cmd.Env, s.cmd.Stderr = append(os.Environ(), loadDirEnv+"="+dir), os.Stderr
	stdin, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.stdin, s.stdout = stdin, bufio.NewReader(stdout)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var url, id, secret string
	if _, err := fmt.Fscanln(s.stdout, &url, &id, &secret); err != nil {
		t.Fatal(err)
	}
	s.tables = dynamodb.NewFromConfig(aws.Config{Region: "us-east-1", BaseEndpoint: &url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, "")})
	return s
}

// tell fills the disk or empties it.
func (s *diskServer) tell(t *testing.T, what string) {
	t.Helper()
	if _, err := fmt.Fprintln(s.stdin, what); err != nil {
		t.Fatal(err)
	}
	if line, err := s.stdout.ReadString('\n'); err != nil || line != "done\n" {
		t.Fatalf("%q, %v", line, err)
	}
}

func (s *diskServer) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// diskWriters put items for a while.
type diskWriters struct {
	mu    sync.Mutex
	known map[string]string   // acknowledged
	maybe map[string][]string // sent after it: a put that fails may have been stored
	took  []time.Duration
}

// run returns how many puts succeeded and failed, and one of the failures.
func (w *diskWriters) run(c *dynamodb.Client, d time.Duration) (good, bad int, failure error) {
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for i := range 4 {
		wg.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				key, value := fmt.Sprint(i, "-", n%20), fmt.Sprint(time.Now().UnixNano())
				w.mu.Lock()
				w.maybe[key] = append(w.maybe[key], value)
				w.mu.Unlock()
				began := time.Now()
				_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(callersTable),
					Item: textItem("id", key, "v", value)})
				w.mu.Lock()
				w.took = append(w.took, time.Since(began))
				if err == nil {
					good, w.known[key], w.maybe[key] = good+1, value, nil
				} else {
					bad, failure = bad+1, err
				}
				w.mu.Unlock()
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	wg.Wait()
	return good, bad, failure
}

// check compares the table with what was acknowledged. A connection may break
// while it reads: only three failures in a row are the server's.
func (w *diskWriters) check(t *testing.T, c *dynamodb.Client) error {
	found, err := readAll(ctx, c, callersTable)
	for range 2 {
		if err == nil {
			break
		}
		t.Logf("reading the table again: %v", err)
		found, err = readAll(ctx, c, callersTable)
	}
	if err != nil {
		return err
	}
	for key, value := range w.known {
		if found[key] != value && !slices.Contains(w.maybe[key], found[key]) {
			return fmt.Errorf("%s is %q, acknowledged was %q", key, found[key], value)
		}
	}
	return nil
}

// TestLoadFullDisk: while the disk is full, calls fail at once and say so; when
// it has room again, the same process goes on; when it is killed meanwhile, the
// next one has everything that was acknowledged.
func TestLoadFullDisk(t *testing.T) {
	if dir := os.Getenv(loadDirEnv); dir != "" {
		if err := serveFullDisk(dir); err != nil {
			t.Fatal(err)
		}
		return
	}
	dir := t.TempDir()
	s := startDiskServer(t, dir)
	defer func() { s.kill() }()
	if _, err := s.tables.CreateTable(ctx, killTable(callersTable, "")); err != nil {
		t.Fatal(err)
	}
	w := &diskWriters{known: map[string]string{}, maybe: map[string][]string{}}
	for round := range 3 {
		if good, bad, err := w.run(s.tables, time.Second); good == 0 || bad > 0 {
			t.Fatalf("round %d: %d puts succeed, %d fail: %v", round, good, bad, err)
		}
		s.tell(t, "full")
		good, bad, err := w.run(s.tables, time.Second)
		if good > 0 || bad == 0 || !strings.Contains(err.Error(), "disk is full") {
			t.Errorf("round %d: on the full disk %d puts succeed, %d fail: %v", round, good, bad, err)
		}
		if round < 2 {
			s.tell(t, "room")
			began := time.Now()
			for errors.Is(w.once(s.tables), errPut) {
				if time.Since(began) > maxRestart {
					t.Fatalf("round %d: no put succeeds %v after there is room", round, maxRestart)
				}
			}
			t.Logf("puts succeed %v after there is room", time.Since(began))
			if err := w.check(t, s.tables); err != nil {
				t.Error(err)
			}
			continue
		}
		s.kill()
		began := time.Now()
		s = startDiskServer(t, dir)
		if took := time.Since(began); took > maxRestart {
			t.Errorf("ready again after %v", took)
		}
		if err := w.check(t, s.tables); err != nil {
			t.Errorf("after the kill: %v", err)
		}
	}
	slices.Sort(w.took)
	p99 := w.took[len(w.took)*99/100]
	t.Logf("%d puts: p99 %v, longest %v", len(w.took), p99, w.took[len(w.took)-1])
	if p99 > maxLatency {
		t.Errorf("p99 is more than %v", maxLatency)
	}
}

var errPut = errors.New("put fails")

// once puts one item.
func (w *diskWriters) once(c *dynamodb.Client) error {
	if good, _, _ := w.run(c, time.Millisecond); good == 0 {
		return errPut
	}
	return nil
}
