// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	// release is the heading of a release in CHANGELOG.md.
	release = regexp.MustCompile(`^## \[(\d+\.\d+\.\d+\S*)\] - (\d{4}-\d\d-\d\d)$`)
	// status is the README's sentence about the version.
	status = regexp.MustCompile(`(?m)^\*\*Status\.\*\* Version (\d+\.\d+\.\d+)(, not released yet)?\.`)
)

// TestChangelog: CHANGELOG.md is in the form of Keep a Changelog, each entry
// begins with the package or command that it is about, and the README names
// the newest release.
func TestChangelog(t *testing.T) {
	sections := []string{"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
	subject := regexp.MustCompile("^- `([^`]+)`")
	var releases []string
	unreleased, entries, section := false, 0, ""
	for n, line := range strings.Split(read(t, "CHANGELOG.md"), "\n") {
		problem := ""
		switch {
		case line == "## [Unreleased]":
			unreleased = true
		case strings.HasPrefix(line, "## "):
			m := release.FindStringSubmatch(line)
			if m == nil {
				problem = "not a heading such as ## [1.2.3] - 2026-01-31"
			} else if _, err := time.Parse(time.DateOnly, m[2]); err != nil {
				problem = err.Error()
			} else {
				releases = append(releases, m[1])
			}
		case strings.HasPrefix(line, "### "):
			if section = strings.TrimPrefix(line, "### "); !slices.Contains(sections, section) {
				problem = "not a section of Keep a Changelog"
			}
		case strings.HasPrefix(line, "- "):
			entries++
			m := subject.FindStringSubmatch(line)
			if section == "" {
				problem = "stands before the first section"
			} else if m == nil {
				problem = "does not begin with a package or command"
			} else if !named(m[1]) {
				problem = m[1] + " is neither a package nor a command"
			}
		}
		if problem != "" {
			t.Errorf("CHANGELOG.md:%d: %s: %s", n+1, problem, line)
		}
	}
	if !unreleased || entries < 30 {
		t.Errorf("CHANGELOG.md has %d entries, [Unreleased]: %t", entries, unreleased)
	}
	m := status.FindStringSubmatch(read(t, "README.md"))
	if m == nil {
		t.Fatal("README.md does not say which version it is about")
	}
	if m[2] != "" != (len(releases) == 0) || len(releases) > 0 && releases[0] != m[1] {
		t.Errorf("README.md is about %s%s, and CHANGELOG.md has the releases %q", m[1], m[2], releases)
	}
}

// named reports whether an entry of CHANGELOG.md can be about name.
func named(name string) bool {
	if strings.HasPrefix(name, "ddbseal") || strings.HasPrefix(name, "docs/") {
		return true
	}
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
