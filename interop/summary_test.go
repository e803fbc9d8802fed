// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/ddbseal/ddbseal/internal/testenv"
)

// direction is one row of the summary.
type direction string

// Every direction there is. One that no test runs is NOT RUN in the summary.
const (
	theyOpenOurs direction = "Go -> official, random items"
	weOpenTheirs direction = "official -> Go, random items"
	tampering    direction = "tampered random items, refused by both"
	edges        direction = "edges of values, both directions"
	kmsKeyring   direction = "AWS KMS and discovery keyrings, both directions, tampered"
	mrkKeyring   direction = "multi-Region and discovery keyrings, both directions, tampered"
	keyStore     direction = "key store and hierarchical keyring, both directions, tampered"
	mixedMulti   direction = "multi keyring of four kinds, each member reads, both directions, tampered"
	agreements   direction = "Raw ECDH and AWS KMS ECDH keyrings, both directions, tampered"
	kmsRSA       direction = "AWS KMS RSA keyring, both directions, tampered"
	oldItems     direction = "older client -> Go, static, wrapped, AWS KMS and meta store keys, tampered"
	sharedTable  direction = "one table, official interceptor and store/transparent"
	searching    direction = "beacons: one table with indexes, either side writes, both search"
	partitioned  direction = "beacons in partitions: either side writes, both search"
)

var directions = []direction{theyOpenOurs, weOpenTheirs, tampering, edges, kmsKeyring, mrkKeyring, keyStore, mixedMulti,
	agreements, kmsRSA, oldItems, sharedTable, searching, partitioned}

// only has the directions that one library's program alone has. The Rust library
// does not export the type of a key agreement's curve, and has no older client;
// Java 3.9.0 has no partitions.
var only = map[direction]string{agreements: "java", oldItems: "java", partitioned: "rust"}

// has reports whether a library's program has a direction.
func has(library string, d direction) bool { return only[d] == "" || only[d] == library }

type cell struct {
	library string
	direction
}

type outcome struct {
	state string // ok, FAILED or NOT RUN
	items int
}

// board collects what the tests of a run came to.
type board struct {
	mu       sync.Mutex
	outcomes map[cell]outcome
	kinds    map[string]int // of random items, by kind of content
}

var results = &board{outcomes: map[cell]outcome{}, kinds: map[string]int{}}

// watch enters the outcome of t when it ends; of several tests in one direction
// a failure stays. It comes before anything that
// may skip or fail.
func (b *board) watch(t *testing.T, d direction, library string) {
	if !slices.Contains(directions, d) {
		t.Fatalf("%q is not a row of the summary", d)
	}
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		o := b.outcomes[cell{library, d}]
		switch {
		case t.Failed() || o.state == failed:
			o.state = failed
		case t.Skipped() || o.items == 0:
			o.state = notRun
		default:
			o.state = "ok"
		}
		b.outcomes[cell{library, d}] = o
	})
}

const (
	failed = "FAILED"
	notRun = "NOT RUN"
)

// count notes one item that went through.
func (b *board) count(d direction, library string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.outcomes[cell{library, d}]
	o.items++
	b.outcomes[cell{library, d}] = o
}

func (b *board) draw(kinds map[string]bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for kind := range kinds {
		b.kinds[kind]++
	}
}

// print writes the summary and reports whether every direction ran with every
// library that must be there.
func (b *board) print(w io.Writer, required func(library string) bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintln(w, "\n=== directions and their results (items)")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\t%s\n", strings.Join(libraries, "\t"))
	missing, of, complete := map[string]int{}, map[string]int{}, true
	for _, d := range directions {
		row := string(d)
		for _, library := range libraries {
			if !has(library, d) {
				row += "\t-"
				continue
			}
			of[library]++
			o, ran := b.outcomes[cell{library, d}]
			if !ran || o.state == notRun {
				o.state = notRun
				missing[library]++
				complete = complete && !required(library)
			}
			row += "\t" + o.state
			if o.items > 0 {
				row += fmt.Sprintf(" (%d)", o.items)
			}
		}
		fmt.Fprintln(table, row)
	}
	_ = table.Flush()
	if len(b.kinds) > 0 {
		drawn, least := 0, ""
		for _, kind := range everyKind {
			if b.kinds[kind] == 0 {
				fmt.Fprintf(w, "NOT DRAWN: %s\n", kind)
				continue
			}
			drawn++
			if least == "" || b.kinds[kind] < b.kinds[least] {
				least = kind
			}
		}
		if drawn > 0 {
			fmt.Fprintf(w, "random items: %d of %d kinds of content drawn, the rarest %d times (%s)\n", drawn,
				len(everyKind), b.kinds[least], least)
		}
	}
	for _, library := range slices.Sorted(maps.Keys(missing)) {
		fmt.Fprintf(w,
			"NOT RUN: %s, %d of %d directions: nothing is proven about these here; `interop/run %s` runs them\n",
			library, missing[library], of[library], library)
	}
	return complete
}

func TestMain(m *testing.M) {
	remove := testenv.Isolate()
	code := m.Run()
	remove()
	chosen := func(name string) bool { f := flag.Lookup(name); return f != nil && f.Value.String() != "" }
	if chosen("test.list") {
		os.Exit(code)
	}
	complete := results.print(os.Stdout, required)
	// A run of tests chosen by name leaves the others out on purpose.
	if !complete && code == 0 && !chosen("test.run") && !chosen("test.skip") {
		fmt.Println("FAIL: a library that must be there was not run in every direction")
		code = 1
	}
	os.Exit(code)
}

// TestSummary: what did not run is said, and is a failure for a library that
// must be there.
func TestSummary(t *testing.T) {
	full := func(libraries ...string) *board {
		b := &board{outcomes: map[cell]outcome{}}
		for _, library := range libraries {
			for _, d := range directions {
				b.outcomes[cell{library, d}] = outcome{"ok", 7}
			}
		}
		return b
	}
	for _, c := range []struct {
		name     string
		board    *board
		required string
		complete bool
		says     []string
	}{
		{"all", full("java", "rust"), "java rust", true, []string{"ok (7)"}},
		{"no rust", full("java"), "java", true, []string{"NOT RUN: rust, 12 of 12 directions"}},
		{"rust required", full("java"), "java rust", false, []string{"NOT RUN: rust, 12 of 12 directions"}},
		{"nothing", full(), "", true, []string{"NOT RUN: java, 13 of 13", "NOT RUN: rust, 12 of 12"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			complete := c.board.print(&out, func(library string) bool { return strings.Contains(c.required, library) })
			if complete != c.complete {
				t.Errorf("complete: %t, want %t", complete, c.complete)
			}
			for _, text := range c.says {
				if !strings.Contains(out.String(), text) {
					t.Errorf("%q is not said:\n%s", text, out.String())
				}
			}
			if c.name == "all" && strings.Contains(out.String(), notRun) {
				t.Errorf("everything ran:\n%s", out.String())
			}
		})
	}
	lone := full("java", "rust")
	delete(lone.outcomes, cell{"rust", tampering})
	var out strings.Builder
	if lone.print(&out, func(string) bool { return true }) ||
		!strings.Contains(out.String(), "NOT RUN: rust, 1 of 12") {
		t.Errorf("one direction left out:\n%s", out.String())
	}
}
