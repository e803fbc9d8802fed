// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"testing"

	"github.com/ddbseal/ddbseal/labsetup"
)

// planned is a small plan: two steps of the core path, a read among them, and one of an
// optional chapter.
func planned() ([]labsetup.Step, []labsetup.Lesson) {
	return []labsetup.Step{
			{ID: "key", Chapter: "A", Expected: labsetup.Done},
			{ID: "key-user", Chapter: "B", Expected: labsetup.SeesPlaintext, Mode: labsetup.ModeServer},
			{ID: "c", Chapter: "C", Expected: labsetup.Done, Optional: true},
		}, []labsetup.Lesson{{Title: "A", Goal: "a"}, {Title: "B", Goal: "b"},
			{Title: "C", Optional: true, Answers: "c?"}}
}

func view(done ...labsetup.Step) *View {
	v := &View{Report: &labsetup.Report{Steps: done}}
	plan, lessons := planned()
	v.Fill(plan, lessons, map[string]int{"?key-user": 0}, labsetup.Names{}.Complete())
	return v
}

func TestView(t *testing.T) {
	ok := func(id string) labsetup.Step { return labsetup.Step{ID: id, OK: true} }
	v := view()
	if v.Next != 1 || v.Done != 0 || v.Over() || v.Upcoming().ID != "key" ||
		v.ProgressText() != "0 of 2 steps of the core path" {
		t.Errorf("%+v", v)
	}
	// A step on which the rest stands failed: it is the next one still.
	v = view(labsetup.Step{ID: "key", Expected: labsetup.Done, Error: "no"})
	if x := v.Upcoming(); v.Done != 0 || v.Next != 1 || !x.Failed || x.Error != "no" || v.Failed != 1 {
		t.Errorf("%+v", v)
	}
	// The question about a misbelief is answered, the prediction is not.
	v = view(ok("key"))
	x := v.Upcoming()
	if x.ID != "key-user" || len(x.Answered) != 1 || x.Answered[0].Right || x.Answered[0].Because == "" ||
		x.Question == nil || !x.Predicts {
		t.Errorf("%+v", x)
	}
	v = view(ok("key"), ok("key-user"))
	if !v.Over() || v.All() || !v.Core[0].Held || v.Optional[0].Held || v.Upcoming().ID != "c" ||
		v.ProgressText() != "2 of 2 steps of the core path" {
		t.Errorf("%+v", v)
	}
	v = view(ok("key"), ok("key-user"), ok("c"))
	if !v.All() || v.Upcoming() != nil || v.ProgressText() != "3 of all 3 steps" {
		t.Errorf("%+v", v)
	}
}
