// SPDX-License-Identifier: Apache-2.0

package glossary

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/glossary.md")

// TestPage compares docs/glossary.md with the terms.
func TestPage(t *testing.T) {
	const path = "../../docs/glossary.md"
	if *update {
		if err := os.WriteFile(path, []byte(Markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != Markdown() {
		t.Errorf("%s is not up to date (%v): go test -run TestPage -update ./labsetup/glossary", path, err)
	}
}

func TestTerms(t *testing.T) {
	all := Terms()
	if len(all) != 12 || !slices.IsSortedFunc(all, func(a, b Term) int { return strings.Compare(a.Word, b.Word) }) {
		t.Errorf("%d terms, or not in order", len(all))
	}
	aws := ofAWS()
	if !slices.IsSortedFunc(aws, func(a, b Term) int {
		return strings.Compare(strings.ToLower(a.Word), strings.ToLower(b.Word))
	}) {
		t.Error("the words of AWS are not in order")
	}
	for _, term := range append(all, aws...) {
		if term.Word == "" || !strings.HasSuffix(term.Meaning, ".") {
			t.Errorf("incomplete: %+v", term)
		}
	}
}
