// SPDX-License-Identifier: Apache-2.0

// Package migration prints what a migration did.
package migration

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/failure"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
	"github.com/ddbseal/ddbseal/internal/display"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// Phase is what was run.
type Phase int

// Phases.
const (
	Run Phase = iota + 1
	DryRun
	VerifyBeacons
)

// Result is what a migration did.
type Result struct {
	Phase  Phase
	Table  string
	Share  migrate.Share
	Counts migrate.Counts
	// Ended says that the run did not reach the end of the table.
	Ended bool
	// Failures are the items to name: the first of them, if there are many.
	Failures []failure.Item
}

// Complete reports whether the run went through the table and no item failed.
func (r *Result) Complete() bool { return !r.Ended && r.Counts.Failed == 0 }

// More is the number of items that failed and that Failures does not name.
func (r *Result) More() int64 { return max(r.Counts.Failed-int64(len(r.Failures)), 0) }

// counts are the numbers of items in JSON.
type counts struct {
	DryRun    bool  `json:"dryRun"`
	Complete  bool  `json:"complete"`
	Plaintext int64 `json:"plaintext"`
	Legacy    int64 `json:"legacy"`
	Outdated  int64 `json:"outdated"`
	Current   int64 `json:"current"`
	Migrated  int64 `json:"migrated"`
	Gone      int64 `json:"gone"`
	Failed    int64 `json:"failed"`
	Without   int64 `json:"withoutBeacons"`
	// Failures are the first that failed; FailuresLeftOut of them are not here.
	Failures        []failure.Item `json:"failures,omitempty"`
	FailuresLeftOut int64          `json:"failuresLeftOut,omitempty"`
}

// PrintJSON prints the result as one object.
func (r *Result) PrintJSON(w io.Writer) error {
	n := r.Counts
	e := json.NewEncoder(display.NewWriter(w))
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(counts{r.Phase == DryRun, r.Complete(), n.Plaintext, n.Legacy, n.Outdated, n.Current, n.Migrated,
		n.Gone, n.Failed, n.WithoutBeacons, r.Failures, r.More()})
}

// Print prints the counts as a table and says whether the run is complete.
func (r *Result) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if r.Phase == VerifyBeacons {
		r.verified(t)
	} else {
		r.migrated(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if text := r.sentence(); text != "" {
		return terminal.Tell(w, "\n%s\n", text)
	}
	return nil
}

func (r *Result) migrated(t io.Writer) {
	n := r.Counts
	if r.Phase == DryRun {
		terminal.Tell(t, "plaintext\t%d\tto be encrypted\n", n.Plaintext)
		if n.Legacy > 0 {
			terminal.Tell(t, "older client\t%d\tto be converted\n", n.Legacy)
		}
		terminal.Tell(t, "other state\t%d\tto be converted\n", n.Outdated)
	} else {
		terminal.Tell(t, "migrated\t%d\twritten in the new state\n", n.Migrated)
	}
	terminal.Tell(t, "current\t%d\tin the new state already\ngone\t%d\tdeleted meanwhile\n"+
		"failed\t%d\tleft as they are\n", n.Current, n.Gone, n.Failed)
	if n.WithoutBeacons > 0 {
		terminal.Tell(t, "without beacons\t%d\tof them, which searches did not find\n", n.WithoutBeacons)
	}
}

func (r *Result) verified(t io.Writer) {
	n := r.Counts
	terminal.Tell(t, "right\t%d\tbear the beacons of their plaintext\nwrong\t%d\tdiffer, or do not open\n", n.Current,
		n.Failed)
	if other := n.Plaintext + n.Legacy + n.Outdated; other > 0 {
		terminal.Tell(t, "other state\t%d\tnot compared: migrate them\n", other)
	}
}

// sentence says whether the run is complete, and what comes next.
func (r *Result) sentence() string {
	if !r.Complete() {
		return ""
	}
	n, of := r.Counts, "of "+r.Table
	if r.Share.Total > 1 {
		of = fmt.Sprintf("in the part of %s that job %d of %d works on", r.Table, r.Share.Index+1, r.Share.Total)
	}
	convert := n.Plaintext + n.Legacy + n.Outdated
	switch {
	case r.Phase == VerifyBeacons && convert > 0:
		return fmt.Sprintf("Complete: every item %s that is in the new state has the right beacons.", of)
	case r.Phase == VerifyBeacons:
		return fmt.Sprintf("Complete: every item %s has the right beacons.", of)
	case r.Phase == DryRun && convert == 0:
		return fmt.Sprintf("The dry run is complete: every item %s is in the new state already.", of)
	case r.Phase == DryRun:
		return fmt.Sprintf("The dry run is complete: nothing was written. "+
			"Without --dry-run the same command converts %s.", items(convert))
	}
	return fmt.Sprintf("Complete: every item %s is in the new state, %d in all.", of, n.Total()-n.Gone)
}

// Trouble is a sentence about the items that failed, or "" if none did.
func (r *Result) Trouble() string {
	n := r.Counts
	switch {
	case n.Failed == 0:
		return ""
	case r.Phase == VerifyBeacons:
		return fmt.Sprintf("%s of %d differ or do not open. A migration sets wrong beacons right.", items(n.Failed),
			n.Total())
	case r.Phase == DryRun:
		return fmt.Sprintf("%s of %d would fail, and stay as they are.", items(n.Failed), n.Total())
	}
	return fmt.Sprintf("Not complete: %s of %d failed, and are as they were. Repair them, and repeat the command.",
		items(n.Failed), n.Total())
}

func items(n int64) string {
	if n == 1 {
		return "1 item"
	}
	return fmt.Sprintf("%d items", n)
}
