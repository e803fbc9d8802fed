// SPDX-License-Identifier: Apache-2.0

package fresh

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// reports is a test that keeps what is reported.
type reports struct {
	testing.TB
	texts []string
}

func (*reports) Helper() {}

func (r *reports) Errorf(format string, args ...any) {
	r.texts = append(r.texts, fmt.Sprintf(format, args...))
}

func TestBytes(t *testing.T) {
	draw := func() [][]byte {
		draws := make([][]byte, Draws)
		for i := range draws {
			draws[i] = make([]byte, 32)
			_, _ = rand.Read(draws[i])
		}
		return draws
	}
	for name, c := range map[string]struct {
		change func([][]byte) [][]byte
		want   string // in the first report; empty: none
	}{
		"random":        {func(d [][]byte) [][]byte { return d }, ""},
		"few":           {func(d [][]byte) [][]byte { return d[:minDraws-1] }, "16 are needed"},
		"none":          {func([][]byte) [][]byte { return nil }, "0 draws"},
		"one repeated":  {func(d [][]byte) [][]byte { d[20] = d[3]; return d }, "draw 20 is a repetition"},
		"one zero":      {func(d [][]byte) [][]byte { clear(d[7]); return d }, "draw 7 is zero"},
		"empty":         {func(d [][]byte) [][]byte { return make([][]byte, len(d)) }, "draw 0 is zero or empty"},
		"another size":  {func(d [][]byte) [][]byte { d[5] = d[5][:31]; return d }, "draw 5 has 31 bytes"},
		"a byte fixed":  {func(d [][]byte) [][]byte { each(d, func(b []byte) { b[31] = 9 }); return d }, "byte 31 of 32"},
		"half is fixed": {func(d [][]byte) [][]byte { each(d, func(b []byte) { clear(b[16:]) }); return d }, "byte 16 of 32"},
	} {
		r := &reports{TB: t}
		Bytes(r, "the source", c.change(draw()))
		switch {
		case c.want == "" && len(r.texts) != 0, c.want != "" && len(r.texts) == 0:
			t.Errorf("%s: reported %q", name, r.texts)
		case c.want != "" && !strings.HasPrefix(r.texts[0], "the source: "),
			!slices.ContainsFunc(append(r.texts, ""), func(s string) bool {
				return strings.Contains(s, c.want)
			}):
			t.Errorf("%s: reported %q, not %q", name, r.texts, c.want)
		}
	}
}

func each(draws [][]byte, change func([]byte)) {
	for _, d := range draws {
		change(d)
	}
}

func TestText(t *testing.T) {
	var draws []string
	for range Draws {
		draws = append(draws, "key-"+rand.Text()+"-a")
	}
	fixed := []int{0, 1, 2, 3, 30, 31}
	Text(t, "the source", fixed, draws)
	r := &reports{TB: t}
	Text(r, "the source", fixed[1:], draws)
	if len(r.texts) != 1 || !strings.Contains(r.texts[0], "byte 0 of 27") {
		t.Errorf("reported %q", r.texts)
	}
}
