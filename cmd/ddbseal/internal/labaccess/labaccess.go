// SPDX-License-Identifier: Apache-2.0

// Package labaccess follows how the steps of the lab change who can use its tables.
package labaccess

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/access"
	"github.com/ddbseal/ddbseal/access/sample"
	"github.com/ddbseal/ddbseal/labsetup"
)

// Follower takes a snapshot of access after each step of the lab that can have
// changed it, and keeps the changes.
type Follower struct {
	cfg    aws.Config
	tables map[string]access.Table // with the keys that their items name
	before *access.Analysis
	steps  []Step
}

// New returns a follower that reads as cfg signs, the lab's administrator.
func New(cfg aws.Config) *Follower { return &Follower{cfg: cfg, tables: map[string]access.Table{}} }

// Step is what one step of the lab changed.
type Step struct {
	Chapter, ID, Title string
	Rows               []Row
	// NotRead says what could not be read after the step.
	NotRead []string
	// Error says why the policies could not be read after the step; empty: they
	// could.
	Error string
}

// Row is what changed for one principal on one table.
type Row struct {
	Principal, Table string // names
	Cells            []Cell // in the order of access.Operations()
	// Because is the statement that now decides about reading in clear, or what lacks;
	// Path is how the principal comes to read, if it does not as it is.
	Because, Path string
}

// Cell is the answer for one operation.
type Cell struct {
	Before, After Answer
}

// Changed reports whether the answer changed.
func (c Cell) Changed() bool { return c.Before != c.After }

// Answer is a verdict, of a principal as it is or by a known path.
type Answer struct {
	access.Verdict
	Path bool
}

// String returns the verdict, with * for a path.
func (a Answer) String() string {
	if a.Path {
		return a.Verdict.String() + "*"
	}
	return a.Verdict.String()
}

// Steps returns the steps that changed something, or after which the policies could
// not be read. A nil Follower has none.
func (f *Follower) Steps() []Step {
	if f == nil {
		return nil
	}
	return f.steps
}

// Step looks at what a step of the lab has changed. A step that only reads is
// skipped. A nil Follower looks at nothing.
func (f *Follower) Step(ctx context.Context, s labsetup.Step) {
	if f == nil || s.Got != labsetup.Done && s.Got != "allowed" {
		return
	}
	out := Step{Chapter: s.Chapter, ID: s.ID, Title: s.Title}
	now, err := f.analyze(ctx)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		out.Error = err.Error()
	case f.before != nil && now != nil:
		out.Rows = rows(f.before, now)
		for _, g := range now.NotRead {
			out.NotRead = append(out.NotRead, g.String())
		}
	}
	if err == nil {
		f.before = now
	}
	if len(out.Rows) > 0 || out.Error != "" {
		f.steps = append(f.steps, out)
	}
}

// prefix begins the names of the lab's tables.
var prefix = labsetup.ServerTable[:strings.IndexByte(labsetup.ServerTable, '-')+1]

// analyze reads the lab's tables; nil if there are none.
func (f *Follower) analyze(ctx context.Context) (*access.Analysis, error) {
	var tables []access.Table
	pages := dynamodb.NewListTablesPaginator(dynamodb.NewFromConfig(f.cfg), &dynamodb.ListTablesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list tables: %w", err)
		}
		for _, name := range page.TableNames {
			if strings.HasPrefix(name, prefix) {
				tables = append(tables, f.table(ctx, name))
			}
		}
	}
	if len(tables) == 0 {
		return nil, nil
	}
	snapshot, err := access.Load(ctx, f.cfg, tables...)
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) { // a table that is being deleted
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return access.Analyze(snapshot)
}

// table is a table with the keys that its items name, which one look at an item
// tells.
func (f *Follower) table(ctx context.Context, name string) access.Table {
	if t, ok := f.tables[name]; ok {
		return t
	}
	t := access.Table{Name: name}
	if err := sample.Take(ctx, f.cfg, &t, 1); err == nil && t.Sample.Items > 0 {
		t.Sample = nil
		f.tables[name] = t
	}
	return t
}

// rows are the differences between two analyses, on the tables of both.
func rows(before, after *access.Analysis) []Row {
	var all []Row
	for i := range after.Tables {
		now := &after.Tables[i]
		old := slices.IndexFunc(before.Tables, func(t access.TableAnalysis) bool { return t.Table == now.Table })
		if old < 0 {
			continue
		}
		was := before.Tables[old].Rows
		for j := range now.Rows {
			r := &now.Rows[j]
			k := slices.IndexFunc(was, func(o access.Row) bool { return o.Principal == r.Principal })
			var o *access.Row
			if k >= 0 {
				o = &was[k]
			}
			if row, changed := compare(o, r); changed {
				row.Table = now.Name
				all = append(all, row)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Row) int { return strings.Compare(a.Principal, b.Principal) })
	return all
}

// compare compares two answers for a principal; before is nil for one that is new.
func compare(before, after *access.Row) (Row, bool) {
	row := Row{Principal: after.Principal[strings.LastIndexAny(after.Principal, "/:")+1:]}
	changed := false
	for _, o := range access.Operations() {
		c := Cell{answer(before, o), answer(after, o)}
		changed = changed || c.Changed()
		row.Cells = append(row.Cells, c)
	}
	row.Because = because(after)
	if before != nil && after.Cells.ReadClear.Verdict == access.No {
		changed = changed || row.Because != because(before) // such as a denial by a statement
	}
	if after.Reads() > after.Cells.ReadClear.Verdict && len(after.Paths) > 0 {
		row.Path = after.Paths[0].String()
	}
	return row, changed
}

func answer(r *access.Row, o access.Operation) Answer {
	switch {
	case r == nil:
		return Answer{Verdict: access.No}
	case o == access.ReadClear && r.Reads() > r.Cells.ReadClear.Verdict:
		return Answer{r.Reads(), true}
	}
	return Answer{Verdict: r.Cells.Of(o).Verdict}
}

// because has what decides about reading in clear, each once.
func because(r *access.Row) string {
	var all []string
	for _, line := range slices.Concat(r.Cells.ReadClear.Because, r.Cells.ReadClear.If, r.Cells.ReadClear.Unread) {
		if !slices.Contains(all, line) {
			all = append(all, line)
		}
	}
	return strings.Join(all, "; ")
}
