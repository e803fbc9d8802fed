// SPDX-License-Identifier: Apache-2.0

// Package peer drives a program around an official library: one request a
// line on its standard input, one answer a line on its standard output.
package peer

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// Peer is a running program. One that died is started again for the next
// request, so that a failing case can be tried again and minimized.
type Peer struct {
	Name string

	start func() (*process, error)
	mu    sync.Mutex
	alive *process // nil after it died
}

type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// maxAnswer bounds an answer line: an item of 400 KB in base64 is smaller.
const maxAnswer = 8 << 20

// Start runs the command, which must serve the line protocol; env is added to
// this process's environment.
func Start(name string, env []string, command ...string) (*Peer, error) {
	p := &Peer{Name: name, start: func() (*process, error) { return launch(env, command) }}
	var err error
	if p.alive, err = p.start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

func launch(env, command []string) (*process, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{cmd, in, bufio.NewReaderSize(out, maxAnswer)}, nil
}

// Pid is the program's process id, 0 when it died.
func (p *Peer) Pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alive == nil {
		return 0
	}
	return p.alive.cmd.Process.Pid
}

// Close ends the program.
func (p *Peer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alive == nil {
		return nil // its death was an error already
	}
	if err := p.alive.in.Close(); err != nil {
		return err
	}
	return p.alive.cmd.Wait()
}

// Refusal is the peer's own error.
type Refusal struct{ Message string }

func (e *Refusal) Error() string { return "peer refused: " + e.Message }

// Encrypt has the peer encrypt item; a *Refusal is the library's own error.
func (p *Peer) Encrypt(c *itemconfig.Config, item envelope.Item) (envelope.Item, error) {
	return p.item("encrypt", c, item)
}

// Decrypt has the peer decrypt item.
func (p *Peer) Decrypt(c *itemconfig.Config, item envelope.Item) (envelope.Item, error) {
	return p.item("decrypt", c, item)
}

func (p *Peer) item(op string, c *itemconfig.Config, item envelope.Item) (envelope.Item, error) {
	text, err := ddbjson.Marshal(item)
	if err != nil {
		return nil, err
	}
	answer, err := p.Do(map[string]any{"op": op, "config": c, "item": json.RawMessage(text)})
	if err != nil {
		return nil, err
	}
	return ddbjson.Unmarshal(answer["item"])
}

// Do sends one request and reads its answer.
func (p *Peer) Do(request any) (map[string]json.RawMessage, error) {
	line, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alive == nil {
		if p.alive, err = p.start(); err != nil {
			return nil, fmt.Errorf("start %s again: %w", p.Name, err)
		}
	}
	reply, err := p.alive.exchange(line)
	if err != nil {
		// What it still says would be taken for the answer to another request.
		_ = p.alive.cmd.Process.Kill()
		err = errors.Join(fmt.Errorf("%s gave no answer: %w", p.Name, err), p.alive.cmd.Wait())
		p.alive = nil
		return nil, err
	}
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(reply, &answer); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	if text, ok := answer["error"]; ok {
		r := &Refusal{}
		return nil, errors.Join(json.Unmarshal(text, &r.Message), r)
	}
	return answer, nil
}

// exchange returns what is valid until the next call.
func (p *process) exchange(line []byte) ([]byte, error) {
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	return p.out.ReadSlice('\n')
}
