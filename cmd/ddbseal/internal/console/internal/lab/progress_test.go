// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/labsetup"
)

func TestProgress(t *testing.T) {
	folder := t.TempDir()
	p, err := OpenProgress(folder)
	if err != nil {
		t.Fatal(err)
	}
	if r := p.Of("a").Report; r == nil || len(r.Steps) > 0 {
		t.Errorf("%+v", r)
	}
	report := &labsetup.Report{Steps: []labsetup.Step{{ID: "key", OK: true, CLI: "aws"}},
		Items: []labsetup.RawItem{{Item: "secret"}}}
	for _, err := range []error{
		p.SetNames(labsetup.Names{User: "robin"}),
		p.Change("a", func(u *User) { u.Report, u.Key, u.Answers["q"] = report, "AKIA", 2 }),
		p.Change("b", func(u *User) { u.Answers["q"] = 1 }),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, File))
	if err != nil || strings.Contains(string(text), "secret") || strings.Contains(string(text), "aws") {
		t.Errorf("%s, %v", text, err)
	}
	if p, err = OpenProgress(folder); err != nil {
		t.Fatal(err)
	}
	a := p.Of("a")
	if a.Report.Done() != 1 || a.Key != "AKIA" || a.Answers["q"] != 2 || p.Named().User != "robin" ||
		p.Named().Key != labsetup.KeyAlias {
		t.Errorf("%+v, %+v", a, p.Named())
	}
	// The access key is forgotten only with all of it: the next run replaces it.
	for _, all := range []bool{false, true} {
		if err := p.Forget("a", all); err != nil {
			t.Fatal(err)
		}
		if a := p.Of("a"); a.Report.Done() != 0 || len(a.Answers) != 0 || (a.Key == "") != all {
			t.Errorf("%+v", a)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, File), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenProgress(folder); err == nil || !strings.Contains(err.Error(), "damaged, delete it") {
		t.Error(err)
	}
}
