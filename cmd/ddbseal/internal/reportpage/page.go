// SPDX-License-Identifier: Apache-2.0

// Package reportpage renders the report of the lab as one HTML page that loads
// nothing from elsewhere and prints as a handout of two pages.
package reportpage

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/access"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/labaccess"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/screen"
	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/labsetup/glossary"
	"github.com/ddbseal/ddbseal/labsetup/picture"
)

//go:embed page.html
var pageText string

// pageData is what the template shows.
type pageData struct {
	*labsetup.Report
	Place                      string
	Made                       time.Time
	Took                       time.Duration
	Passed, Failed, Unverified int
	Chapters                   []pageChapter
	Diff                       []keypolicy.Line
	RawItems                   pageItems
	Access                     []labaccess.Step
	MainPicture, OthersPicture template.HTML // SVG, or empty where the run has none
	Terms                      []glossary.Term
}

type pageChapter struct {
	Title  string
	Steps  []labsetup.Step
	Checks []labsetup.Step // the steps in which somebody sees something
	Failed int
}

// pageItems are the raw items side by side: one row for each attribute, one
// column for each table.
type pageItems struct {
	Tables []labsetup.RawItem
	Rows   []itemRow
}

type itemRow struct {
	Name  string
	Cells []itemCell
}

// itemCell is an attribute's DynamoDB type and value; empty where the item has
// no such attribute.
type itemCell struct {
	Type, Value string
	Sealed      bool // binary: ciphertext, header or footer
}

// Render returns the page of a run: what was made where and when, each step, and
// the changes of access. Texts of the report are escaped.
func Render(r *labsetup.Report, place string, made time.Time, changes ...labaccess.Step) ([]byte, error) {
	data := pageData{Report: r, Place: place, Made: made.UTC(), Diff: keypolicy.Lines(r.PolicyDiff),
		RawItems: sideBySide(r.Items), Access: changes, Terms: glossary.Terms()}
	// The texts of the pictures are escaped there.
	if r.Picture != nil {
		data.MainPicture = template.HTML(picture.Of(*r.Picture).SVG(picture.Variables))
	}
	if r.Others != nil {
		data.OthersPicture = template.HTML(picture.OfOthers(*r.Others).SVG(picture.Variables))
	}
	for _, s := range r.Steps {
		data.Took += s.Took
		switch s.Outcome {
		case labsetup.Passed:
			data.Passed++
		case labsetup.Unverified:
			data.Unverified++
		default:
			data.Failed++
		}
		if n := len(data.Chapters); n == 0 || data.Chapters[n-1].Title != s.Chapter {
			data.Chapters = append(data.Chapters, pageChapter{Title: s.Chapter})
		}
		c := &data.Chapters[len(data.Chapters)-1]
		c.Steps = append(c.Steps, s)
		if s.Mode != "" {
			c.Checks = append(c.Checks, s)
		}
		if !s.OK {
			c.Failed++
		}
	}
	t, err := template.New("page").Funcs(template.FuncMap{
		"mark": screen.Mark,
		"outcome": func(s labsetup.Step) string {
			return map[string]string{"ok": "pass", "??": "open", "FAIL": "fail"}[screen.Mark(s)]
		},
		"seen":      seenClass,
		"answer":    answerClass,
		"operation": func(i int) string { return strings.ReplaceAll(access.Operations()[i].String(), "-", " ") },
		"round":     screen.Round,
		"seconds":   func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"lastPart":  func(arn string) string { return arn[strings.LastIndexAny(arn, ":")+1:] },
	}).Parse(pageText)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// seenClass colours what somebody sees.
func seenClass(got string) string {
	switch {
	case strings.HasPrefix(got, "denied"), got == labsetup.KeyDisabled, strings.HasPrefix(got, "error"):
		return "denied"
	case got == labsetup.SeesCiphertext:
		return "sealed"
	case got == labsetup.SeesPlaintext, got == "allowed":
		return "clear"
	}
	return "plain"
}

// answerClass returns the CSS class of an answer.
func answerClass(a labaccess.Answer) string {
	switch {
	case a.Verdict == access.Yes && !a.Path:
		return "clear"
	case a.Verdict == access.No:
		return "denied"
	}
	return "plain"
}

// sideBySide takes the items apart. An item that is not DynamoDB JSON is
// shown as a whole.
func sideBySide(items []labsetup.RawItem) pageItems {
	items = slices.Clone(items)
	order := map[string]int{labsetup.ModeServer: 0, labsetup.ModeClient: 1, labsetup.ModeBoth: 2}
	slices.SortStableFunc(items, func(a, b labsetup.RawItem) int { return order[a.Mode] - order[b.Mode] })
	out := pageItems{Tables: items}
	parsed := make([]map[string]map[string]any, len(items))
	var names []string
	for i, item := range items {
		if err := json.Unmarshal([]byte(item.Item), &parsed[i]); err != nil {
			parsed[i] = map[string]map[string]any{"item": {"": item.Item}}
		}
		for name := range parsed[i] {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.SortFunc(names, compareNames)
	for _, name := range names {
		row := itemRow{Name: name, Cells: make([]itemCell, len(items))}
		for i := range items {
			for kind, value := range parsed[i][name] {
				text, isText := value.(string)
				if !isText {
					if whole, err := json.Marshal(value); err == nil {
						text = string(whole)
					}
				}
				row.Cells[i] = itemCell{kind, text, kind == "B"}
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// compareNames sorts the key first and the header and footer of encryption
// last.
func compareNames(a, b string) int {
	rank := func(n string) int {
		switch {
		case n == "id":
			return 0
		case strings.HasPrefix(n, "aws_dbe_"):
			return 2
		}
		return 1
	}
	if d := rank(a) - rank(b); d != 0 {
		return d
	}
	return -strings.Compare(b, a)
}
