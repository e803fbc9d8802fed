// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestOwnContestants measures, for a moment, what needs no other program.
func TestOwnContestants(t *testing.T) {
	for _, starter := range []func() (contestant, error){newOurs, newESDK, newTink} {
		c, err := starter()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []shape{{false, 1000}, {true, 1000}} {
			for _, decrypt := range []bool{false, true} {
				d, err := c.measure(t.Context(), s, decrypt, time.Millisecond)
				if err != nil || d.elapsed <= 0 || runtime.GOOS == "linux" && d.processor <= 0 {
					t.Errorf("%s %v decrypt %t: %v %v", c.name(), s, decrypt, d, err)
				}
			}
		}
	}
}

// TestProcessorTimeIsOfAllThreads: work beside the measured one is counted,
// sleep is not.
func TestProcessorTimeIsOfAllThreads(t *testing.T) {
	if processorTime(os.Getpid()) == 0 {
		t.Skip("no processor time on this system")
	}
	idle, err := watch(os.Getpid(),
		func() (time.Duration, error) { time.Sleep(200 * time.Millisecond); return time.Second, nil })
	if err != nil || idle.processor > time.Second/2 {
		t.Errorf("asleep: %v of 1s, %v", idle.processor, err)
	}
	before := processorTime(os.Getpid())
	done := make(chan bool)
	go func() {
		defer close(done)
		for processorTime(os.Getpid()) < before+50*time.Millisecond {
		}
	}()
	<-done // would never come if another thread's work were not counted
}

// TestVersions: the names say which versions are measured.
func TestVersions(t *testing.T) {
	esdk, err := newESDK()
	if err != nil {
		t.Fatal(err)
	}
	tink, err := newTink()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, file, before, after string }{
		{rustName, "../../interop/rust/Cargo.toml", `aws-db-esdk = "=`, `"`},
		{javaName, "../../interop/java/pom.xml", "<artifactId>aws-database-encryption-sdk-dynamodb</artifactId>\n      <version>", "<"},
		{esdk.name(), "go.mod", "encryption-sdk v", "\n"},
		{tink.name(), "go.mod", "tink-go/v2 v", "\n"},
	} {
		text, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, found := strings.Cut(string(text), c.before)
		version, _, _ := strings.Cut(rest, c.after)
		if !found || !strings.Contains(c.name+" ", " "+version+" ") {
			t.Errorf("%q, but %s asks for %q", c.name, c.file, version)
		}
	}
}

// aReport has a row for each operation of 1 KB.
func aReport() report {
	r := report{names: []string{ourName, rustName, javaName, "<other>"}, machine: "machine", rounds: 3,
		each: time.Second / 2, warm: 8 * time.Second}
	us := func(n int) cost {
		return cost{time.Duration(n) * time.Microsecond, time.Duration(n+1) * time.Microsecond}
	}
	for _, signed := range []bool{false, true} {
		for _, decrypt := range []bool{false, true} {
			r.results = append(r.results, result{shape: shape{signed, 1000}, decrypt: decrypt, costs: map[string][]cost{
				ourName: {us(30), us(10), us(20)}, rustName: {us(50)}, javaName: {us(200)}, "<other>": {us(1)}}})
		}
	}
	return r
}

func TestReport(t *testing.T) {
	r := aReport()
	table := r.markdown()
	for _, row := range []string{
		"| 0x6701 | 1 KB | encrypt | 20.0 µs | 50.0 µs (2.5) | 200 µs (10.0) | 1.0 µs (0.05",
		"| 0x6701 | 1 KB | encrypt | 21.0 µs | 51.0 µs (2.4) | 201 µs (9.6) | 2.0 µs (0.095",
	} {
		if !strings.Contains(table, row) {
			t.Errorf("%s\nis missing in:\n%s", row, table)
		}
	}
	plot := r.svg()
	if !strings.Contains(plot, "&lt;other&gt;") || strings.Contains(plot, "<other>") || strings.Contains(plot, "NaN") ||
		!strings.Contains(plot, ">100µs<") || !strings.HasSuffix(plot, "</svg>\n") {
		t.Errorf("plot:\n%s", plot)
	}
	for i := range r.results {
		for _, costs := range r.results[i].costs {
			for j := range costs {
				costs[j].processor = 0
			}
		}
	}
	if table := r.markdown(); !strings.Contains(table, "Not known") || strings.Contains(table, "NaN") {
		t.Errorf("without processor time:\n%s", table)
	}
}

// TestParagraph: the README has the place, and nothing else of it is changed.
func TestParagraph(t *testing.T) {
	const file = "../../README.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := replaceParagraph(string(text), aReport().paragraph())
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	const row = "| 0x6701, the default | encrypt | 20.0 µs | 21.0 µs | 50.0 µs (2.5 times) | 200 µs (10.0 times) |\n"
	if !strings.Contains(changed, row) {
		t.Errorf("%sis missing in:\n%s", row, changed)
	}
	again, err := replaceParagraph(changed, "")
	if first, _ := replaceParagraph(string(text), ""); err != nil || again != first {
		t.Errorf("more than the paragraph was changed: %v", err)
	}
	if _, err := replaceParagraph("no place", ""); err == nil {
		t.Error("a text without a place was taken")
	}
}
