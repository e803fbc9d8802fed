// SPDX-License-Identifier: Apache-2.0

// Command server runs the embedded AWS on a free loopback port for a program
// in another language. It prints one line of JSON (endpoint and the credentials of
// the root users of two accounts) and runs until its standard input ends, so that it cannot
// outlive the program that started it.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/ddbseal/ddbseal/localaws"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) (err error) {
	s, err := localaws.New(localaws.Options{})
	if err != nil {
		return err
	}
	defer func() {
		if closing := s.Close(); err == nil {
			err = closing
		}
	}()
	l, err := s.Listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	root := s.RootCredentials()
	other, err := s.AddAccount("444455556666")
	if err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(map[string]string{
		"endpoint": l.URL(), "account": s.AccountID(), "region": s.Region(), "accessKeyId": root.AccessKeyID,
		"secretAccessKey": root.SecretAccessKey, "otherAccount": other.AccountID,
		"otherAccessKeyId": other.AccessKeyID, "otherSecretAccessKey": other.SecretAccessKey,
	}); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return err
	}
	if failures := s.Failures(); len(failures) > 0 {
		return fmt.Errorf("the server failed inside: %w", failures[0])
	}
	return nil
}
