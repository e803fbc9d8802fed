// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// chapterLab is a lab on an embedded AWS of its own, run by root, who can do
// everything but take part in the lesson of the first statement.
func chapterLab(t *testing.T, change func(*Config)) *Lab {
	t.Helper()
	server := localawstest.New(t).Server
	cfg := Config{Administrator: server.Config(server.RootCredentials()), As: server.Config}
	if change != nil {
		change(&cfg)
	}
	l, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// optional returns the chapter with a check of branch keys, recovery or the key
// off, and those that it stands on.
func (l *Lab) optional(check string) func() []chapter {
	return func() []chapter {
		all := []chapter{l.keyChapter(), l.tableChapter(), l.userChapter()}
		if strings.HasPrefix(check, "key-off") {
			return append(all, l.keyOffChapter())
		}
		if all = append(all, l.hierarchyChapter()); strings.HasPrefix(check, "hierarchy") {
			return all
		}
		return append(all, l.multiRegionChapter(), l.recoveryChapter())
	}
}

// hasOptionalCases reports whether TestOptionalChecks has the counter-tests of the
// checks of a chapter.
func hasOptionalCases(title string) bool {
	return title == chapterHierarchy || title == chapterRecovery || title == chapterKeyOff
}

// TestOptionalChecks makes the reason of each check false, one at a time, and
// demands that this check fails.
func TestOptionalChecks(t *testing.T) {
	ctx := t.Context()
	opens := func(l *Lab) error {
		p := l.basePolicy()
		p.Users = append(p.Users, l.userARN)
		return l.putPolicy(ctx, p)
	}
	plaintext := func(table, id string) func(*Lab) error {
		return func(l *Lab) error {
			_, err := l.administrator.ddb.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table),
				Item: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id},
					"name":      &types.AttributeValueMemberS{Value: "Robin Example"},
					"diagnosis": &types.AttributeValueMemberS{Value: "hay fever"}}})
			return err
		}
	}
	// put writes an item under the wrong kind of key.
	put := func(kind, id string) func(*Lab) error {
		return func(l *Lab) error {
			table, _, err := l.hierarchy(&l.administrator, kind)
			if err != nil {
				return err
			}
			return table.Put(ctx, recordWithID(id))
		}
	}
	switches := func(sse *types.SSESpecification) func(*Lab) error {
		return func(l *Lab) error {
			if aws.ToBool(sse.Enabled) {
				sse.KMSMasterKeyId = aws.String(l.keyARN)
			}
			_, err := l.administrator.ddb.UpdateTable(ctx,
				&dynamodb.UpdateTableInput{TableName: aws.String(KeyOffTable), SSESpecification: sse})
			return err
		}
	}
	on := &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms}
	off := &types.SSESpecification{Enabled: aws.Bool(false)}
	cases := []struct {
		breaks, after string // the check, and the step after which its reason is gone
		sabotage      func(*Lab) error
	}{
		{"hierarchy-direct", "hierarchy-items", put(branchID, directID+"3")},
		{"hierarchy-branch", "hierarchy-items", put(directID, branchID+"3")},
		{"hierarchy-wrapped", "hierarchy-items", func(l *Lab) error {
			_, err := l.administrator.ddb.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(BranchKeyTable),
				Item: map[string]types.AttributeValue{
					"branch-key-id": &types.AttributeValueMemberS{Value: branchKeyID},
					"type":          &types.AttributeValueMemberS{Value: "branch:ACTIVE"},
					"enc":           &types.AttributeValueMemberB{Value: make([]byte, plainBranchKey)}}})
			return err
		}},
		{"hierarchy-denied", "hierarchy-items", opens},
		{"hierarchy-versions", "hierarchy-rotate", func(l *Lab) error {
			before := l.versionsBefore
			err := l.rotateBranchKey(ctx)
			l.versionsBefore = before
			return err
		}},
		{"hierarchy-old", "hierarchy-rotate", func(l *Lab) error {
			_, err := l.administrator.ddb.DeleteItem(ctx, &dynamodb.DeleteItemInput{
				TableName: aws.String(BranchKeyTable), Key: map[string]types.AttributeValue{
					"branch-key-id": &types.AttributeValueMemberS{Value: branchKeyID},
					"type":          &types.AttributeValueMemberS{Value: "branch:version:" + l.versionsBefore[0]}}})
			return err
		}},
		{"escrow-lost", "escrow-lose", func(l *Lab) error { return l.enableKey(ctx) }},
		{"escrow-stranger", "escrow-export", func(l *Lab) error { l.escrow.stranger = l.escrow.key; return nil }},
		{"escrow-opened", "escrow-export", func(l *Lab) error {
			// A version that is younger than the archive.
			if err := l.rotateBranchKey(ctx); err != nil {
				return err
			}
			return put(branchID, branchID+"1")(l)
		}},
		{"escrow-writes", "escrow-opened", func(l *Lab) error {
			ks, err := l.keyStoreAs(&l.administrator, l.administrator.kms)
			l.escrow.source = ks
			if err != nil {
				return err
			}
			return l.enableKey(ctx)
		}},
		{"region-lost", "region-lose", func(l *Lab) error { _, err := l.setMulti(true)(ctx); return err }},
		{"region-replica", "region-lose", func(l *Lab) error {
			_, err := l.elsewhere().DisableKey(ctx, &kms.DisableKeyInput{KeyId: aws.String(l.replicaARN())})
			return err
		}},
		{"key-off-before", "key-off-insider", opens},
		{"key-off-read", "key-off-taken", switches(on)},
		{"key-off-client-raw", "key-off-taken", plaintext(ClientTable, "1")},
		{"key-off-client", "key-off-taken", opens},
		{"key-off-closed", "key-off-back", switches(off)},
		{"key-off-denied", "key-off-deny", func(l *Lab) error {
			_, err := l.iam().DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: aws.String(InsiderName),
				PolicyName: aws.String(denyName)})
			return err
		}},
		{"key-off-works", "key-off-deny", func(l *Lab) error {
			return l.putPolicy(ctx, keypolicy.Console{Account: l.account})
		}},
	}
	t.Run("every check has one", func(t *testing.T) {
		has := map[string]bool{"key-off-measured": true} // expects nothing
		for _, c := range cases {
			has[c.breaks] = true
		}
		l := chapterLab(t, nil)
		for _, c := range []chapter{l.hierarchyChapter(), l.recoveryChapter(), l.keyOffChapter()} {
			for _, s := range c.steps {
				if s.Mode != "" && !has[s.ID] {
					t.Errorf("check %s has no counter-test", s.ID)
				}
			}
		}
	})
	for _, c := range cases {
		t.Run(c.breaks, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithCancel(ctx)
			defer stop()
			var l *Lab
			l = chapterLab(t, func(cfg *Config) {
				cfg.Narrate = func(s Step) {
					if s.ID == c.after {
						if err := c.sabotage(l); err != nil {
							t.Error(err)
						}
					}
					if s.ID == c.breaks {
						stop()
					}
				}
			})
			r, err := l.run(ctx, l.optional(c.breaks))
			if err != nil {
				t.Log(err) // it ends with the check
			}
			for _, s := range r.Steps {
				if s.ID == c.breaks {
					if s.OK {
						t.Errorf("got %s as expected", s.Got)
					}
					return
				}
				if !s.OK {
					t.Logf("step %s fails before: %s", s.ID, s.Got)
				}
			}
			t.Error("the check never ran")
		})
	}
}

// TestMeasure: what AWS does not document is tried only where it is asked for, and
// the answer is reported whatever it is.
func TestMeasure(t *testing.T) {
	for _, measure := range []bool{false, true} {
		l := chapterLab(t, func(cfg *Config) { cfg.Measure = measure })
		r, err := l.run(t.Context(), l.optional("key-off-measured"))
		if err != nil || !r.OK() {
			t.Fatal(err, r.OK())
		}
		for _, s := range r.Steps {
			if s.ID == "key-off-measured" && (s.Got == unmeasured) == measure {
				t.Errorf("measure %v: got %s", measure, s.Got)
			}
		}
		if measure != (len(r.Measured) == 1) || measure && !strings.Contains(r.Measured[0], answered) {
			t.Errorf("measure %v: measured %q", measure, r.Measured)
		}
	}
}

func TestEscrowKeysAreFresh(t *testing.T) {
	drawn := map[string]bool{}
	for range 100 {
		key, err := newEscrowKey()
		if err != nil {
			t.Fatal(err)
		}
		drawn[string(key.Bytes())] = true
	}
	if len(drawn) != 100 {
		t.Errorf("%d of 100 keys differ", len(drawn))
	}
}
