// SPDX-License-Identifier: Apache-2.0

package migration

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/failure"
	"github.com/ddbseal/ddbseal/store/migrate"
)

func printed(t *testing.T, r Result) string {
	t.Helper()
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestSentences: a run that went through says so, and one with items that failed, or
// that ended early, does not.
func TestSentences(t *testing.T) {
	for _, c := range []struct {
		r                 Result
		says, trouble     string
		saysNo, noTrouble bool
	}{
		{r: Result{Phase: Run, Counts: migrate.Counts{Migrated: 3, Current: 2, Gone: 1}},
			says: "Complete: every item of t is in the new state, 5 in all.", noTrouble: true},
		{r: Result{Phase: Run, Share: migrate.Share{Index: 1, Total: 3}}, noTrouble: true,
			says: "every item in the part of t that job 2 of 3 works on"},
		{r: Result{Phase: DryRun, Counts: migrate.Counts{Plaintext: 1, Current: 4}}, noTrouble: true,
			says: "nothing was written. Without --dry-run the same command converts 1 item."},
		{r: Result{Phase: DryRun, Counts: migrate.Counts{Current: 4}}, noTrouble: true,
			says: "every item of t is in the new state already"},
		{r: Result{Phase: VerifyBeacons, Counts: migrate.Counts{Current: 4}}, noTrouble: true,
			says: "Complete: every item of t has the right beacons."},
		{r: Result{Phase: VerifyBeacons, Counts: migrate.Counts{Current: 4, Plaintext: 1}}, noTrouble: true,
			says: "that is in the new state has the right beacons"},
		{r: Result{Phase: Run, Counts: migrate.Counts{Migrated: 3, Failed: 2}}, saysNo: true,
			trouble: "Not complete: 2 items of 5 failed, and are as they were."},
		{r: Result{Phase: DryRun, Counts: migrate.Counts{Plaintext: 3, Failed: 1}}, saysNo: true,
			trouble: "1 item of 4 would fail, and stay"},
		{r: Result{Phase: VerifyBeacons, Counts: migrate.Counts{Failed: 1}}, saysNo: true, trouble: "1 item of 1 differ"},
		{r: Result{Phase: Run, Ended: true}, saysNo: true, noTrouble: true},
	} {
		c.r.Table = "t"
		text := printed(t, c.r)
		if c.saysNo == strings.Contains(strings.ToLower(text), "complete") || !strings.Contains(text, c.says) {
			t.Errorf("%+v says\n%s", c.r, text)
		}
		if trouble := c.r.Trouble(); (trouble == "") != c.noTrouble || !strings.Contains(trouble, c.trouble) {
			t.Errorf("%+v: %q", c.r, trouble)
		}
	}
}

// TestJSON: what is left out of the list of failures is counted.
func TestJSON(t *testing.T) {
	r := Result{Phase: Run, Counts: migrate.Counts{Failed: 130},
		Failures: []failure.Item{{Table: "t", Key: json.RawMessage(`{"id":{"S":"1\u202e"}}`), Kind: failure.Denied}}}
	var b strings.Builder
	if err := r.PrintJSON(&b); err != nil {
		t.Fatal(err)
	}
	var out struct {
		Complete        bool
		Failures        []struct{ Kind string }
		FailuresLeftOut int
	}
	if err := json.Unmarshal([]byte(b.String()), &out); err != nil {
		t.Fatal(err)
	}
	if out.Complete || len(out.Failures) != 1 || out.FailuresLeftOut != 129 || strings.Contains(b.String(), "\u202e") {
		t.Errorf("%s", b.String())
	}
}
