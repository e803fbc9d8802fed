// SPDX-License-Identifier: Apache-2.0

package labsetup_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/labsetup"
)

// steps does the steps of a lab until there are n, or all for n = 0.
func steps(t *testing.T, l *labsetup.Lab, n int) *labsetup.Report {
	t.Helper()
	for {
		if n > 0 && len(l.Report().Steps) == n {
			return l.Report()
		}
		err := l.Next(t.Context())
		if errors.Is(err, labsetup.ErrFinished) && n == 0 {
			return l.Report()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestNextAndResume: a lab that is done step by step gives the report of Run. One
// that goes on after a restart, wherever that was, does no step of the core path twice.
func TestNextAndResume(t *testing.T) {
	w := newWorld(t)
	own, puts := "", 0
	change := func(cfg *labsetup.Config) {
		cfg.Disk, cfg.Keep, cfg.ByHand, cfg.OwnKey = w.disk, true, true, own
		cfg.Keys = func(user string, c aws.Credentials) error {
			if user == labsetup.UserName {
				own = c.AccessKeyID
			}
			return nil
		}
		cfg.Administrator = each(cfg.Administrator, func(in any) error {
			if _, ok := in.(*dynamodb.PutItemInput); ok {
				puts++
			}
			return nil
		})
	}
	report := &labsetup.Report{}
	stops := []int{3, 8, 9, 16, 20, 21, 60, 0}
	for _, stop := range stops {
		l := w.lab(t, change)
		if err := l.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := l.Resume(t.Context(), report); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(steps(t, l, stop))
		if err != nil {
			t.Fatal(err)
		}
		report = &labsetup.Report{} // as it comes back from a file
		if err := json.Unmarshal(text, report); err != nil {
			t.Fatal(err)
		}
		if stop == 21 && puts != 2 {
			t.Errorf("the core path has put %d items", puts)
		}
	}
	l := w.lab(t, change)
	if !report.OK() || len(report.Steps) != l.Size() || report.PolicyDiff == "" || report.Picture == nil ||
		len(report.Audit) == 0 {
		for _, s := range report.Steps {
			if !s.OK {
				t.Errorf("step %s: expected %s, got %s: %s", s.ID, s.Expected, s.Got, s.Error)
			}
		}
		t.Errorf("%d steps, difference %q, picture %v, %d key uses", len(report.Steps), report.PolicyDiff,
			report.Picture, len(report.Audit))
	}
	keys, err := iam.NewFromConfig(w.admin).ListAccessKeys(t.Context(),
		&iam.ListAccessKeysInput{UserName: aws.String(labsetup.UserName)})
	if err != nil || len(keys.AccessKeyMetadata) != 1 {
		t.Errorf("%d access keys, %v", len(keys.AccessKeyMetadata), err)
	}

	// A report of another plan is used as far as it fits.
	report.Steps = report.Steps[:4]
	report.Steps[2].ID = "another"
	if err := l.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Resume(t.Context(), report); err != nil || len(l.Report().Steps) != 2 {
		t.Errorf("%d steps, %v", len(l.Report().Steps), err)
	}
}

// TestNextAgain: a step on which the rest stands is done again when it failed.
func TestNextAgain(t *testing.T) {
	w := newWorld(t)
	broken := errors.New("broken")
	l := w.lab(t, func(cfg *labsetup.Config) {
		cfg.Core = true
		cfg.Administrator = each(cfg.Administrator, func(in any) error {
			if _, ok := in.(*dynamodb.CreateTableInput); ok {
				return broken
			}
			return nil
		})
	})
	if err := l.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	steps(t, l, 3)
	for range 2 {
		if err := l.Next(t.Context()); !errors.Is(err, broken) || len(l.Report().Steps) != 4 {
			t.Fatalf("%v, %d steps", err, len(l.Report().Steps))
		}
	}
	broken = nil
	if r := steps(t, l, 0); !r.OK() || len(r.Steps) != l.Size() {
		t.Errorf("%+v", r.Steps)
	}
}
