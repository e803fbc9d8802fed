// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// event is a line of go test -json; see go doc test2json.
type event struct {
	Action, Package, Test, Output string
}

// name identifies a test of a package.
type name struct{ pkg, test string }

// log follows the events of one go test.
type log struct {
	out     io.Writer
	verbose bool
	held    map[string][]event // output by package, until the package ends
	ended   map[name]string    // the action that ended a test
	results []string
}

// reason is the line that t.Skip prints.
var reason = regexp.MustCompile(`^\s+\S+\.go:[0-9]+: (.*)`)

// read follows the events until they end. A line that is not an event is
// printed as it is.
func (l *log) read(events io.Reader) error {
	l.held, l.ended = map[string][]event{}, map[name]string{}
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadString('\n')
		var e event
		if json.Unmarshal([]byte(line), &e) == nil && e.Action != "" {
			l.see(e)
		} else {
			fmt.Fprint(l.out, line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (l *log) see(e event) {
	switch e.Action {
	case "build-output":
		fmt.Fprint(l.out, e.Output)
	case "output":
		if l.verbose {
			fmt.Fprint(l.out, e.Output)
		}
		l.held[e.Package] = append(l.held[e.Package], e)
	case "pass", "skip", "fail":
		if e.Test != "" {
			l.end(e)
			return
		}
		if !l.verbose {
			l.print(e.Package, e.Action == "fail")
		}
		delete(l.held, e.Package)
	}
}

// end notes how a test ended.
func (l *log) end(e event) {
	l.ended[name{e.Package, e.Test}] = e.Action
	line := e.Action + "\t" + e.Package + "\t" + e.Test
	switch e.Action {
	case "fail":
		return
	case "skip":
		why := ""
		for _, o := range l.held[e.Package] {
			if m := reason.FindStringSubmatch(o.Output); o.Test == e.Test && m != nil {
				why = m[1]
			}
		}
		line += "\t" + why
	}
	l.results = append(l.results, line)
}

// print prints what go test without -v prints of a package: one line, and after
// a failure also the output of the tests that did not pass.
func (l *log) print(pkg string, failed bool) {
	for _, e := range l.held[pkg] {
		how := l.ended[name{pkg, e.Test}]
		summary := strings.HasPrefix(e.Output, "ok  \t") || strings.HasPrefix(e.Output, "?   \t")
		if e.Test == "" && (failed || summary) || failed && e.Test != "" && how != "pass" && how != "skip" {
			fmt.Fprint(l.out, e.Output)
		}
	}
}

// save appends the results to a file; without a name it does nothing.
func (l *log) save(file string) error {
	if file == "" || len(l.results) == 0 {
		return nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, strings.Join(l.results, "\n"))
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}
