// SPDX-License-Identifier: Apache-2.0

// Command trap forwards TCP connections to a server and appends one line to a
// log for each connection: an empty log shows that no program came near the
// server. It prints the address that it listens on and runs until its standard
// input ends, so that it cannot outlive the script that started it.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: trap HOST:PORT LOG")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "trap:", err)
		os.Exit(1)
	}
}

func run(target, path string) error {
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, log.Close())
	}
	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // an error is an end too
		_ = listener.Close()
	}()
	for {
		c, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return log.Close()
		}
		if err != nil {
			return errors.Join(err, log.Close())
		}
		if _, err := fmt.Fprintln(log, time.Now().Format(time.TimeOnly), c.RemoteAddr()); err != nil {
			return errors.Join(err, log.Close())
		}
		go forward(c, target)
	}
}

// forward copies both directions until one of them ends.
func forward(client net.Conn, target string) {
	defer client.Close()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return // the client sees a closed connection
	}
	defer server.Close()
	var sending sync.WaitGroup
	sending.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	_, _ = io.Copy(client, server)
	_ = client.Close()
	sending.Wait()
}
