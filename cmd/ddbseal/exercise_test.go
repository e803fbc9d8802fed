// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestExerciseFlags: every exercise command takes the flags that say where the
// exercise is, so that a learner adds the same ones to each.
func TestExerciseFlags(t *testing.T) {
	parser, err := kong.New(&command{}, kong.Name("ddbseal"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, leaf := range parser.Model.Leaves(true) {
		path := strings.TrimPrefix(leaf.FullPath(), "ddbseal ")
		if !strings.HasPrefix(path, "exercise ") {
			continue
		}
		seen++
		for _, name := range []string{"data-dir", "aws", "endpoint-url", "profile", "region"} {
			if !slices.ContainsFunc(slices.Concat(leaf.AllFlags(true)...),
				func(f *kong.Flag) bool { return f.Name == name }) {
				t.Errorf("%s lacks --%s", path, name)
			}
		}
	}
	if seen != 7 {
		t.Errorf("%d exercise commands", seen)
	}
}
