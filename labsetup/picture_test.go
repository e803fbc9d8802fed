// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"
	"testing"
)

// TestPictureOfARun: a run draws both pictures as expected, and Look shows one
// row live: what the user sees changes with the key.
func TestPictureOfARun(t *testing.T) {
	l := embeddedLab(t)
	l.cfg.Keep = true
	r, err := l.Run(t.Context())
	if err != nil || !r.OK() {
		t.Fatal(err)
	}
	if r.Picture == nil || !r.Picture.Same(ExpectedPicture()) || r.Others == nil || !r.Others.Same(expectedOthers()) {
		t.Fatalf("%+v\n%+v", r.Picture, r.Others)
	}
	viewer := Viewer{Config: l.cfg.Administrator, Name: "a", KeyARN: l.keyARN, Disk: l.cfg.Disk}
	for i, mode := range []string{ModeServer, ModeClient} {
		row, err := Look(t.Context(), viewer, mode)
		want := ExpectedPicture().Rows[2*i]
		if want.Principal = "a"; err != nil || row != want {
			t.Errorf("%s: %+v, %v", mode, row, err)
		}
	}
	policy := ConsolePolicy(l.account, []string{l.caller}, nil)
	if err := l.putPolicyText(t.Context(), &l.administrator, policy); err != nil {
		t.Fatal(err)
	}
	viewer.Disk = func(context.Context, string, string) ([]byte, error) { return nil, errors.New("no disk") }
	row, err := Look(t.Context(), viewer, ModeClient)
	if err != nil || row.Disk.Kind != Unexpected {
		t.Errorf("%+v, %v", row, err)
	}
	if _, err := Look(t.Context(), viewer, "sideways"); err == nil {
		t.Error("an unknown mode is accepted")
	}
	p := ExpectedPicture()
	p.Rows[0].Disk = PictureCell{Unseen, "not shown by AWS"}
	if !p.Same(ExpectedPicture()) || (Picture{}).Same(p) {
		t.Error("a cell that cannot be seen is compared")
	}
	if p.Rows[1].Answer = p.Rows[0].Answer; p.Same(ExpectedPicture()) {
		t.Error("another answer is the same picture")
	}
}
