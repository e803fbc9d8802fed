package main

import (
	"strings"
	"testing"
	"time"
)

// TestOwnContestants measures, for a moment, what needs no other program.
func TestOwnContestants(t *testing.T) {
	e, err := newESDK()
	if err != nil {
		t.Fatal(err)
	}
	k, err := newTink()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []contestant{ours{}, e, k} {
		for _, s := range []shape{{false, 1000}, {true, 1000}} {
			for _, decrypt := range []bool{false, true} {
				d, err := c.measure(t.Context(), s, decrypt, time.Millisecond)
				if err != nil || d <= 0 {
					t.Errorf("%s %v decrypt %t: %v %v", c.name(), s, decrypt, d, err)
				}
			}
		}
	}
}

func TestReport(t *testing.T) {
	names := []string{"ddbseal", "<other>"}
	r := result{shape: shape{true, 1000}, times: map[string][]time.Duration{
		"ddbseal": {30 * time.Microsecond, 10 * time.Microsecond, 20 * time.Microsecond}, "<other>": {50 * time.Microsecond}}}
	table := markdown([]result{r}, names, "machine", 3)
	if !strings.Contains(table, "| 0x6701 | 1 KB | encrypt | 20.0 µs | 50.0 µs (2.5) |") {
		t.Errorf("table:\n%s", table)
	}
	plot := svg([]result{r}, names)
	if !strings.Contains(plot, "&lt;other&gt;") || strings.Contains(plot, "<other>") || !strings.HasSuffix(plot, "</svg>\n") {
		t.Errorf("plot:\n%s", plot)
	}
}
