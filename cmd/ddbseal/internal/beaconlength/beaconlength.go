// SPDX-License-Identifier: Apache-2.0

// Package beaconlength prints the lengths that suit a beacon.
package beaconlength

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
	"github.com/ddbseal/ddbseal/envelope/beacon"
)

// Lengths is the result in JSON.
type Lengths struct {
	Distinct  int64    `json:"distinct"`
	Estimated bool     `json:"estimated"`
	Values    int64    `json:"values"`
	Absent    int64    `json:"absent"`
	Frequent  []int64  `json:"mostFrequent"`
	Lengths   []length `json:"lengths"`
	// Hiding is the greatest length that hides the most frequent value, or 0.
	Hiding int `json:"hidingLength"`
}

type length struct {
	Length          int     `json:"length"`
	FalsePositives  float64 `json:"falsePositives"`
	ValuesPerBeacon float64 `json:"valuesPerBeacon"`
	Guess           float64 `json:"guess"`
}

// JSON returns the lengths of a population for JSON.
func JSON(p beacon.Population, lengths []beacon.Length) Lengths {
	out := Lengths{p.Distinct, p.Estimated, max(p.Values, p.Distinct), p.Absent, p.Frequent, []length{}, p.Hiding()}
	if out.Frequent == nil {
		out.Frequent = []int64{}
	}
	for _, l := range lengths {
		out.Lengths = append(out.Lengths, length{l.Bits, l.FalsePositives, l.ValuesPerBeacon, l.Guess})
	}
	return out
}

// Print prints the lengths as a table, with what its columns mean.
func Print(w io.Writer, p beacon.Population, lengths []beacon.Length) error {
	about := ""
	if p.Estimated {
		about = "about "
	}
	terminal.Tell(w, "%s%d distinct among %d values", about, p.Distinct, max(p.Values, p.Distinct))
	if p.Absent > 0 {
		terminal.Tell(w, "; %d items have none, which shows", p.Absent)
	}
	terminal.Tell(w, "\n")
	if len(p.Frequent) > 0 {
		var shares []string
		for _, n := range p.Frequent {
			shares = append(shares, figure(100*float64(n)/float64(p.Values))+" %")
		}
		terminal.Tell(w, "shares of the most frequent: %s\n", strings.Join(shares, ", "))
	}
	if len(lengths) == 0 {
		return nil
	}
	terminal.Tell(w, "\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	terminal.Tell(t, "LENGTH\tFALSE POSITIVES\tVALUES PER BEACON\tGUESS\t\n")
	for _, l := range lengths {
		terminal.Tell(t, "%d\t%s\t%s\t%s %%\t\n", l.Bits, figure(l.FalsePositives), figure(l.ValuesPerBeacon),
			figure(100*l.Guess))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	terminal.Tell(w, `
FALSE POSITIVES: items that a query for one value reads in vain, on average
VALUES PER BEACON: distinct values that readers of the table without the key cannot tell apart
GUESS: share of the items with the beacon of the most frequent value that have this value
`)
	n := p.Hiding()
	switch {
	case lengths[0].Skewed():
		remedy := "no length hides it"
		if n > 0 {
			remedy = fmt.Sprintf("%d bits or less hide it, with %s false positives", n, figure(p.At(n).FalsePositives))
		}
		terminal.Tell(w, "\nThe most frequent value stays guessable at all of these lengths: %s.\n", remedy)
	case lengths[len(lengths)-1].Skewed():
		terminal.Tell(w, "\nAbove %d bits the most frequent value is guessable.\n", n)
	}
	return nil
}

// figure prints a number with three digits or as a whole one.
func figure(f float64) string {
	if f >= 100 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return strconv.FormatFloat(f, 'g', 3, 64)
}
