// SPDX-License-Identifier: Apache-2.0

package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/access"
	"github.com/ddbseal/ddbseal/access/sample"
	"github.com/ddbseal/ddbseal/labsetup"
)

// accessView is who can use one table, and why.
type accessView struct {
	Names   []string
	Table   string
	Filter  string
	Sample  int
	Problem *problem // the tables cannot be listed
	Note    string   // what was wrong with the question

	NotRead, Notes []string
	Answer         *access.TableAnalysis
	Rows           []accessRow
	Left           int // rows that are not shown
	Becoming       []becoming
}

// accessRow is one principal.
type accessRow struct {
	Principal, Name, Kind string
	AssumedBy             []string
	Cells                 []accessCell
}

// accessCell is the answer for one operation.
type accessCell struct {
	Operation, Verdict, Class string
	Path                      bool // a path leads further
	Reasons                   []string
}

// becoming is a principal that can come to read in clear.
type becoming struct {
	Principal, Name string
	Paths           []string
}

// maxAccessRows bounds the principals of one page.
const maxAccessRows = 200

// maxPageSample is the largest sample that the page takes.
const maxPageSample = 100

// accessPage shows who can use a table. It needs to read IAM: the page of a user
// who may not says why.
func (c *Console) accessPage(w http.ResponseWriter, r *http.Request, s *session) {
	ctx, q := r.Context(), r.URL.Query()
	if _, err := s.iam.GetAccountAuthorizationDetails(ctx,
		&iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(1)}); err != nil {
		c.failed(w, r, s, "access", "Access", err)
		return
	}
	tables := c.chooseTables(ctx, s, q.Get("table"), "")
	v := accessView{Names: tables.Names, Table: tables.Left, Filter: strings.TrimSpace(q.Get("q")),
		Problem: tables.Problem}
	if text := q.Get("sample"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > maxPageSample {
			v.Note = "A sample on this page has up to " + strconv.Itoa(maxPageSample) + " items."
		} else {
			v.Sample = n
		}
	}
	if v.Table != "" {
		analysis, err := c.analyze(r, s, &v)
		if err != nil {
			c.failed(w, r, s, "access", "Access to "+v.Table, err)
			return
		}
		v.fill(analysis)
	}
	c.render(w, r, s, http.StatusOK, "access", page{Title: "Access", Section: "access", Body: v})
}

// analyze reads what decides, as the signed-in user.
func (c *Console) analyze(r *http.Request, s *session, v *accessView) (*access.Analysis, error) {
	t := access.Table{Name: v.Table}
	names := c.progress.Named()
	if v.Table == names.ClientTable || v.Table == labsetup.BothTable {
		// The lab's own tables need no configuration.
		if key, err := labsetup.NamedKeyARN(r.Context(), s.cfg, names.Key); err == nil {
			t.ItemKeys = []access.ItemKey{{ARN: key}}
		}
	}
	if v.Sample > 0 {
		if err := sample.Take(r.Context(), s.cfg, &t, v.Sample); err != nil {
			return nil, err
		}
	}
	snapshot, err := access.Load(r.Context(), s.cfg, t)
	if err != nil {
		return nil, err
	}
	return access.Analyze(snapshot)
}

// fill takes the answer apart.
func (v *accessView) fill(a *access.Analysis) {
	for _, g := range a.NotRead {
		v.NotRead = append(v.NotRead, g.String())
	}
	v.Notes, v.Answer = a.Notes, &a.Tables[0]
	for i := range v.Answer.Rows {
		r := &v.Answer.Rows[i]
		if !strings.Contains(strings.ToLower(r.Principal), strings.ToLower(v.Filter)) {
			continue
		}
		if len(v.Rows) == maxAccessRows {
			v.Left++
			continue
		}
		row := accessRow{Principal: r.Principal, Name: shortARN(r.Principal), Kind: r.Kind.String(),
			AssumedBy: r.AssumedBy}
		for _, o := range access.Operations() {
			cell := r.Cells.Of(o)
			row.Cells = append(row.Cells, accessCell{Operation: o.String(), Verdict: cell.Verdict.String(),
				Class: verdictClass(cell.Verdict), Path: o == access.ReadClear && r.Reads() > cell.Verdict,
				Reasons: strings.Split(cell.String(), "\n")})
		}
		v.Rows = append(v.Rows, row)
		if r.Reads() > r.Cells.ReadClear.Verdict {
			b := becoming{Principal: r.Principal, Name: row.Name}
			for _, p := range r.Paths {
				b.Paths = append(b.Paths, p.String())
			}
			v.Becoming = append(v.Becoming, b)
		}
	}
}

func verdictClass(v access.Verdict) string {
	switch v {
	case access.Yes:
		return "allowed"
	case access.No:
		return "denied"
	}
	return "unsigned"
}

// Reasons are the different reasons of a row, each with its operations.
func (r accessRow) Reasons() []accessCell {
	var out []accessCell
	for _, c := range r.Cells {
		i := slices.IndexFunc(out, func(o accessCell) bool { return slices.Equal(o.Reasons, c.Reasons) })
		if i < 0 {
			out = append(out, c)
		} else {
			out[i].Operation += ", " + c.Operation
		}
	}
	return out
}
