// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"slices"
	"strings"
	"testing"
)

// TestQuestions: each question has one right answer among its choices and stands
// before a step of the core path, and every read of the user there is predicted.
func TestQuestions(t *testing.T) {
	l := embeddedLab(t)
	l.cfg.Core = true
	plan := l.Plan()
	for _, q := range Questions() {
		if !slices.ContainsFunc(plan, func(s Step) bool { return s.ID == q.Step }) {
			t.Errorf("no step of the core path is %q", q.Step)
		}
		if q.Right < 0 || q.Right >= len(q.Choices) || q.Because == "" || len(q.Choices) != 3 {
			t.Errorf("%+v", q)
		}
	}
	seen := map[int]int{}
	for _, s := range plan {
		q, ok := Prediction(s)
		if ok {
			seen[q.Right]++
			if !slices.ContainsFunc([]string{"administrator ", "user ", "the role ", "the insider "},
				func(who string) bool { return strings.HasPrefix(s.Title, who) }) {
				t.Errorf("step %s: %q does not say who reads", s.ID, q.Text)
			}
		}
		reads := slices.Contains([]string{SeesPlaintext, SeesCiphertext, DeniedDecrypt}, s.Expected)
		if ok != reads {
			t.Errorf("step %s, expected %s: predicted %v", s.ID, s.Expected, ok)
		}
	}
	for i, name := range Sights() {
		if seen[i] == 0 {
			t.Errorf("no step of the core path shows %s", name)
		}
	}
}
