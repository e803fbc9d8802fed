// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/access"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/labaccess"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/reportpage"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/labsetup/picture"
)

var tag = regexp.MustCompile(`<(/?)([a-z][a-z0-9]*)[^>]*>`)

// checkMarkup fails when an element is not closed in order: the page must be
// whole whatever is in the report.
func checkMarkup(t *testing.T, page string) {
	t.Helper()
	var open []string
	for _, m := range tag.FindAllStringSubmatch(page, -1) {
		switch {
		case slices.Contains([]string{"meta", "link"}, m[2]), strings.HasSuffix(m[0], "/>"):
		case m[1] == "":
			open = append(open, m[2])
		case len(open) == 0 || open[len(open)-1] != m[2]:
			t.Fatalf("</%s> closes %q", m[2], open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 || !strings.HasPrefix(page, "<!doctype html>") {
		t.Fatalf("not closed: %q", open)
	}
}

func TestPageEscapes(t *testing.T) {
	const evil = `"><script>alert('x')</script><b onclick=1>`
	r := &labsetup.Report{Account: evil, Region: evil, Administrator: evil, KeyARN: evil, PolicyBefore: evil,
		PolicyAfter: evil, PolicyDiff: "-" + evil, SignIn: evil, LeftAlone: []string{evil},
		Steps: []labsetup.Step{{Chapter: evil, ID: "a", Title: evil, Expected: evil, Got: evil, Principal: evil,
			Mode: evil, Why: evil, CLI: evil, Error: evil, Hint: evil, Reasons: []string{evil}}},
		Items: []labsetup.RawItem{
			{Table: evil, Mode: labsetup.ModeServer, Item: `{"id":{"S":"1"},"<i>name":{"S":"<script>alert(1)</script>"},"list":{"L":[{"S":"<u>"}]}}`},
			{Table: "t", Mode: labsetup.ModeClient, Item: "<p>no JSON"},
		},
		Picture: &labsetup.Picture{Rows: []labsetup.PictureRow{{Title: evil,
			Disk: labsetup.PictureCell{Kind: evil, Text: evil}}}},
		Audit: []labsetup.KeyUse{{Event: evil, Principal: evil, InvokedBy: evil, Error: evil, Context: evil}}}
	answers := []labaccess.Cell{{Before: labaccess.Answer{Verdict: access.No},
		After: labaccess.Answer{Verdict: access.Yes}}}
	page, err := reportpage.Render(r, evil, time.Unix(0, 0), labaccess.Step{Chapter: evil, ID: "a", Title: evil,
		Error: evil, NotRead: []string{evil}, Rows: []labaccess.Row{{Principal: evil, Table: evil, Cells: answers,
			Because: evil, Path: evil}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "<b onclick", "<i>", "<u>", "<p>no"} {
		if strings.Contains(string(page), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if n := strings.Count(string(page), "&lt;script&gt;"); n < 28 {
		t.Errorf("the values are there %d times only", n)
	}
	checkMarkup(t, string(page))
}

// TestPageHasPictures: the pictures of a run are on the page and on the handout,
// with the words of the glossary.
func TestPageHasPictures(t *testing.T) {
	first, others := labsetup.ExpectedPicture(), picture.ExpectedOthers()
	text, err := reportpage.Render(&labsetup.Report{Picture: &first, Others: &others}, "here", time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	checkMarkup(t, page)
	for want, n := range map[string]int{"<svg ": 4, "AWS managed key</text>": 4, "KMS: denied</text>": 2,
		`class="sheet"`: 2, "Encryption context</th>": 1} {
		if got := strings.Count(page, want); got != n {
			t.Errorf("the page has %q %d times, not %d", want, got, n)
		}
	}
}

func TestPageOfTheLab(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lab.html")
	var out, narration bytes.Buffer
	if code := run([]string{"lab", "--all", "--report", path}, streams{nil, &out, &narration}); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, &narration)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	checkMarkup(t, page)
	for _, want := range []string{"All held", "denied kms:Decrypt", "Allow use of the key", `class="add"`,
		"aws kms put-key-policy", "aws_dbe_head", "Robin Example", "dynamodb.amazonaws.com",
		"does not apply: principal did not match", `id="access"`,
		": name the user as key user", "(Allow one user to decrypt)",
		"Taking the key off: the insider switches the table to the AWS owned key",
		"assumes the role arn:aws:iam::111122223333:role/nextwork-kms-role",
		`client-side, without the key: on AWS&#39;s disk (unreadable); `, "your program shows (unreadable), KMS: denied.",
		"both, without the key"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// Nothing is loaded from anywhere.
	for _, m := range regexp.MustCompile(`(?:src|href|action)="([^"]*)"|url\(|@import`).FindAllStringSubmatch(page,
		-1) {
		if !strings.HasPrefix(m[1], "#") && m[1] != "data:," {
			t.Errorf("the page refers to %q", m[0])
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("files beside the report: %v, %v", left, err)
	}
}

// TestPageOfAFailure: a failed lab is reported too, and an abandoned page
// leaves no file.
func TestPageOfAFailure(t *testing.T) {
	r := &labsetup.Report{Steps: []labsetup.Step{{Chapter: "c", ID: "a", Title: "t", Outcome: labsetup.Failed},
		{Chapter: "c", ID: "b", Outcome: labsetup.Unverified}}}
	page, err := reportpage.Render(r, "here", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "1 failed") || !strings.Contains(string(page), "<details open>") {
		t.Error("the page does not show the failure")
	}
	dir := t.TempDir()
	p, err := newPage(filepath.Join(dir, "x.html"))
	if err != nil {
		t.Fatal(err)
	}
	p.discard()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}
