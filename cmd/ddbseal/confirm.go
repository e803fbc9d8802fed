// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
)

// confirm asks for a word before something that costs or destroys. Without a
// terminal to ask on, only --yes goes on.
func confirm(s streams, yes bool, question, word string) error {
	if yes {
		return nil
	}
	if _, ok := terminal.Size(s.in); !ok {
		return usagef("this asks first, and standard input is not a terminal: add --yes")
	}
	for line := range strings.Lines(question + "\n") {
		tell(s.err, "%s\n", strings.TrimSuffix(line, "\n"))
	}
	tell(s.err, "Type %q to go on: ", word)
	answer, err := bufio.NewReader(s.in).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if strings.TrimSpace(answer) != word {
		return fmt.Errorf("not confirmed: nothing was done")
	}
	return nil
}

// counter counts the items that a command goes through.
func counter(s streams) *terminal.Progress { return terminal.NewProgress(s.in, s.out, s.err) }
