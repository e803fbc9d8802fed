package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// readAccepted returns the keys of the survivors that a file accepts. In it,
// one or more keys, each on a line, are followed by an indented reason.
func readAccepted(path string) (map[string]bool, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	accepted := map[string]bool{}
	waiting := "" // a key without its reason
	for i, line := range strings.Split(string(text), "\n") {
		switch {
		case strings.TrimSpace(line) == "" || line[0] == '#':
			if waiting != "" {
				return nil, fmt.Errorf("%s:%d: no reason for %s", path, i+1, waiting)
			}
		case line[0] == '\t':
			if waiting = ""; len(accepted) == 0 {
				return nil, fmt.Errorf("%s:%d: a reason without a mutant", path, i+1)
			}
		case accepted[line]:
			return nil, fmt.Errorf("%s:%d: %s is accepted already", path, i+1, line)
		default:
			accepted[line], waiting = true, line
		}
	}
	return accepted, nil
}
