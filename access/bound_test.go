// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"testing"
)

// crowd is a snapshot of n users with the same policies.
func crowd(n int) *Snapshot {
	const key = "arn:aws:kms:us-east-1:111122223333:key/1"
	s := &Snapshot{Version: SnapshotVersion, Account: "111122223333", Region: "us-east-1", Partition: "aws",
		Tables: []Table{{Name: "Orders", ARN: "arn:aws:dynamodb:us-east-1:111122223333:table/Orders", KeyARN: key}},
		Keys: []Key{{ARN: key, Policy: `{"Version":"2012-10-17","Statement":{"Effect":"Allow",` +
			`"Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}}`}}}
	for i := range n {
		s.Users = append(s.Users, User{Identity: Identity{ARN: fmt.Sprintf("arn:aws:iam::111122223333:user/u%d", i),
			ID: fmt.Sprintf("AIDA%d", i), Inline: []Policy{{Name: "p", Document: `{"Version":"2012-10-17",` +
				`"Statement":{"Effect":"Allow","Action":["dynamodb:GetItem","iam:CreateAccessKey"],"Resource":"*"}}`}}}})
	}
	return s
}

// TestDecidedOnce: principals with the same policies are decided once, and who can
// become whom is not decided for each pair.
func TestDecidedOnce(t *testing.T) {
	decisions := func(n int) int {
		w, err := newWorld(crowd(n))
		if err != nil {
			t.Fatal(err)
		}
		w.table(w.tables[0])
		return len(w.decided)
	}
	few, many := decisions(10), decisions(1000)
	if many > few+2*1000 { // each user is a resource of its own
		t.Errorf("10 principals take %d decisions, 1,000 take %d", few, many)
	}
}

// TestBoundedDecisions: what the bound of an analysis leaves out is unknown, and the
// answer says so.
func TestBoundedDecisions(t *testing.T) {
	w, err := newWorld(crowd(3))
	if err != nil {
		t.Fatal(err)
	}
	w.budget = 2
	for _, r := range w.table(w.tables[0]).Rows {
		if r.Kind == KindUser && r.Reads() == No {
			t.Errorf("%s: %v", r.Principal, r.Reads())
		}
	}
	if w.budget >= 0 {
		t.Errorf("budget %d", w.budget)
	}
}
