package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
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

//go:embed report.html
var pageText string

// page is the report in one HTML file: no script, nothing loaded from
// anywhere. The zero page is written nowhere.
type page struct {
	path string
	file *os.File // beside path until it is complete
	// access follows who can use the tables; nil without a page.
	access *labaccess.Follower
}

// newPage begins the file at once: a folder that cannot be written is known
// before the lab runs, not after an hour.
func newPage(path string) (*page, error) {
	if path == "" {
		return &page{}, nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, usagef("--report %s is a folder: name a file in it", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return nil, fmt.Errorf("report %s cannot be written: %w", path, err)
	}
	return &page{path: path, file: f}, nil
}

// discard removes what was not completed.
func (p *page) discard() {
	if p.file != nil {
		p.file.Close()
		os.Remove(p.file.Name())
		p.file = nil
	}
}

// write completes the file.
func (p *page) write(r *labsetup.Report, place string) error {
	if p.path == "" {
		return nil
	}
	text, err := renderPage(r, place, time.Now(), p.access.Steps()...)
	if err != nil {
		return err
	}
	_, err = p.file.Write(text)
	if err = errors.Join(err, p.file.Chmod(0o644), p.file.Close()); err == nil {
		err = os.Rename(p.file.Name(), p.path)
	}
	if err != nil {
		return fmt.Errorf("report %s cannot be written: %w", p.path, err)
	}
	p.file = nil
	return nil
}

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

func renderPage(r *labsetup.Report, place string, made time.Time, changes ...labaccess.Step) ([]byte, error) {
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
		"operation": func(i int) string { return strings.ReplaceAll(access.Operations[i].String(), "-", " ") },
		"round":     round,
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
