// SPDX-License-Identifier: Apache-2.0

// Package accesstest asserts in Go tests who can use a table. This package is
// experimental: its API may change in any release.
//
//	snapshot, err := access.Load(ctx, cfg, access.Table{Name: "Orders"})
//	…
//	accesstest.Only(t, snapshot, access.ReadClear,
//		"arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:role/administrator")
package accesstest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ddbseal/ddbseal/access"
)

// Only fails the test if a principal that is not in principals can do the operation
// with a table of the snapshot, or may be able to: if the verdict is OnlyIf or
// Unknown, or, for ReadClear, if a path leads there. The failure shows the deciding
// statements or the path. Only ends the test if the snapshot contradicts itself or
// the operation is invalid.
//
// Name principals as Row.Principal of an analysis does: by an ARN, the name of a
// service, "account 111122223333" or "everybody". The root user and the
// administrators of the account are principals like any other: name them if they
// may do the operation. Only also fails the test if the snapshot does not have a
// principal in principals, so that a misspelt name, or the name of a deleted
// principal, does not stay in the list.
func Only(t testing.TB, snapshot *access.Snapshot, o access.Operation, principals ...string) {
	t.Helper()
	a, err := access.Analyze(snapshot)
	if err != nil {
		t.Fatalf("access: %v", err)
	}
	if !slices.Contains(access.Operations(), o) {
		t.Fatalf("access: %v", o)
	}
	var failures []string
	only(a, o, principals, func(format string, args ...any) {
		failures = append(failures, fmt.Sprintf(format, args...))
	})
	if len(failures) == 0 {
		return
	}
	for _, line := range a.Unread() {
		t.Logf("not read: %s", line)
	}
	for _, failure := range failures {
		t.Error(failure)
	}
}

func only(a *access.Analysis, o access.Operation, principals []string, fail func(string, ...any)) {
	known := map[string]bool{}
	for i := range a.Tables {
		table := &a.Tables[i]
		for j := range table.Rows {
			r := &table.Rows[j]
			known[r.Principal] = true
			if slices.Contains(principals, r.Principal) {
				continue
			}
			cell := r.Cells.Of(o)
			if cell.Verdict > access.No {
				fail("%s can %s %s: %v\n%s", r.Principal, o, table.Name, cell.Verdict, cell)
			} else if o == access.ReadClear && r.Reads() > access.No {
				fail("%s can come to %s %s: %s", r.Principal, o, table.Name, r.Paths[0])
			}
		}
	}
	for _, p := range principals {
		if !known[p] {
			fail("%s is not a principal of the snapshot", p)
		}
	}
}
