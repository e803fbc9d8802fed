// SPDX-License-Identifier: Apache-2.0

package labsetup_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/labsetup"
)

// handNames are what a learner calls things.
var handNames = labsetup.Names{Key: "alias/my-key", ServerTable: "Patients", ClientTable: "Patients-sealed",
	User: "robin"}

// hand is a learner who does the steps by hand, as the administrator.
type hand struct {
	t    *testing.T
	kms  *kms.Client
	ddb  *dynamodb.Client
	iam  *iam.Client
	cfg  aws.Config
	key  string
	made map[string]string // what must stay as it is
}

func (h *hand) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *hand) policy(users ...string) string {
	account := strings.Split(h.key, ":")[4]
	user := func(name string) string { return "arn:aws:iam::" + account + ":user/" + name }
	people := []string{user(administratorName)}
	for _, u := range users {
		people = append(people, user(u))
	}
	text := labsetup.ConsolePolicy(account, []string{user(administratorName)}, people)
	return strings.Replace(text, `"Statement": [`, `"Statement": [{"Sid": "Mine", "Effect": "Deny", "Principal": `+
		`{"AWS": "*"}, "Action": "kms:ReplicateKey", "Resource": "*"},`, 1)
}

func (h *hand) putPolicy(users ...string) {
	h.t.Helper()
	_, err := h.kms.PutKeyPolicy(h.t.Context(), &kms.PutKeyPolicyInput{KeyId: &h.key,
		Policy: aws.String(h.policy(users...))})
	h.must(err)
}

func (h *hand) makeTable(name, key string) {
	h.t.Helper()
	_, err := h.ddb.CreateTable(h.t.Context(), &dynamodb.CreateTableInput{TableName: &name,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &key,
			AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:   []types.KeySchemaElement{{AttributeName: &key, KeyType: types.KeyTypeHash}},
		BillingMode: types.BillingModePayPerRequest})
	h.must(err)
}

func (h *hand) put(mode, table, diagnosis string) {
	h.t.Helper()
	open, err := labsetup.OpenNamedTable(h.cfg, h.key, mode, table)
	h.must(err)
	h.must(open.Put(h.t.Context(), labsetup.Record{ID: "1", Name: "Robin Example", Diagnosis: diagnosis,
		Ward: "north"}))
}

// wrong and right do a step by hand: first in a way that the lab must not take for
// done, with what it says then, and then as it should be.
func (h *hand) wrong(id string) string {
	ctx := h.t.Context()
	switch id {
	case "key", "alias":
		if h.key != "" {
			return ""
		}
		out, err := h.kms.CreateKey(ctx, &kms.CreateKeyInput{KeySpec: kmstypes.KeySpecRsa2048,
			KeyUsage: kmstypes.KeyUsageTypeEncryptDecrypt})
		h.must(err)
		_, err = h.kms.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &handNames.Key,
			TargetKeyId: out.KeyMetadata.KeyId})
		h.must(err)
		return "is not a symmetric key"
	case "table":
		h.makeTable(handNames.ServerTable, "name")
		return "needs the partition key id (String)"
	case "put-" + labsetup.ServerTable:
		h.put(labsetup.ModeServer, handNames.ServerTable, "measles")
		return "is another record"
	case "put-" + labsetup.ClientTable:
		h.put(labsetup.ModeServer, handNames.ClientTable, "hay fever")
		return "cannot be read as the lab's record"
	case "user":
		_, err := h.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &handNames.User})
		h.must(err)
		return "without a managed policy for DynamoDB"
	}
	return ""
}

func (h *hand) right(id string) {
	ctx := h.t.Context()
	switch id {
	case "key":
		out, err := h.kms.CreateKey(ctx, &kms.CreateKeyInput{})
		h.must(err)
		h.key = aws.ToString(out.KeyMetadata.Arn)
		_, err = h.kms.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: &handNames.Key, TargetKeyId: &h.key})
		h.must(err)
	case "key-policy":
		h.putPolicy()
	case "table":
		_, err := h.ddb.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &handNames.ServerTable})
		h.must(err)
		h.makeTable(handNames.ServerTable, "id")
	case "table-key":
		_, err := h.ddb.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &handNames.ServerTable,
			SSESpecification: &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms,
				KMSMasterKeyId: &handNames.Key}})
		h.must(err)
	case "client-table":
		h.makeTable(handNames.ClientTable, "id")
	case "put-" + labsetup.ServerTable:
		h.put(labsetup.ModeServer, handNames.ServerTable, "hay fever")
	case "put-" + labsetup.ClientTable:
		h.put(labsetup.ModeClient, handNames.ClientTable, "hay fever")
	case "user":
		_, err := h.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &handNames.User,
			PolicyArn: aws.String(labsetup.PolicyFull)})
		h.must(err)
	case "user-password":
		_, err := h.iam.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: &handNames.User,
			Password: aws.String("a password of mine 1A!")})
		h.must(err)
	case "user-key": // the lab needs one of its own, and leaves this one alone
		out, err := h.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &handNames.User})
		h.must(err)
		h.made["access key"] = aws.ToString(out.AccessKey.AccessKeyId)
	case "key-user":
		h.putPolicy(handNames.User)
	case "key-user-undone":
		h.putPolicy()
	}
}

// TestByHand: a learner does every step of the core path by hand, under other names.
// The lab checks each, and changes nothing of it but its tag.
func TestByHand(t *testing.T) {
	w := newWorld(t)
	h := &hand{t: t, kms: kms.NewFromConfig(w.admin), ddb: dynamodb.NewFromConfig(w.admin),
		iam: iam.NewFromConfig(w.admin), cfg: w.admin, made: map[string]string{}}
	var written []string
	l := w.lab(t, func(cfg *labsetup.Config) {
		cfg.Core, cfg.Keep, cfg.ByHand, cfg.Adopt, cfg.Disk, cfg.Names = true, true, true, true, w.disk, handNames
		cfg.Administrator = each(cfg.Administrator, func(in any) error {
			switch in.(type) {
			case *kms.PutKeyPolicyInput, *dynamodb.PutItemInput, *dynamodb.UpdateTableInput,
				*iam.CreateLoginProfileInput, *iam.UpdateLoginProfileInput, *iam.DeleteAccessKeyInput:
				t.Errorf("the lab changed something: %T", in)
			case *kms.TagResourceInput, *dynamodb.TagResourceInput, *iam.TagUserInput:
				written = append(written, "tag")
			}
			return nil
		})
	})
	if err := l.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	check := func(id string) labsetup.Finding {
		t.Helper()
		f, _, err := l.Check(t.Context(), id)
		if err != nil || f.Text == "" {
			t.Fatalf("%s: %+v, %v", id, f, err)
		}
		return f
	}
	byHand := 0
	for _, s := range l.Plan() {
		if strings.Contains(s.Title+s.Why+s.CLI+s.Principal, labsetup.ServerTable) {
			t.Errorf("step %s names the table of another lab: %+v", s.ID, s)
		}
		if _, ok, err := l.Check(t.Context(), s.ID); ok {
			if err != nil {
				t.Fatal(err)
			}
			byHand++
			if says := h.wrong(s.ID); says != "" {
				if f := check(s.ID); f.Done || !strings.Contains(f.Text, says) {
					t.Errorf("%s done in a wrong way: %+v, want %q", s.ID, f, says)
				}
			} else if f := check(s.ID); f.Done && s.ID != "alias" && s.ID != "key-policy" {
				t.Errorf("%s is done before it is: %+v", s.ID, f)
			}
			h.right(s.ID)
			f := check(s.ID)
			foreign := slices.Contains([]string{"key", "table", "client-table", "user"}, s.ID)
			if f.Done != (s.ID != "user-key") || (f.Foreign != "") != foreign {
				t.Errorf("%s by hand: %+v", s.ID, f)
			}
		}
		if err := l.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := l.Report()
		got := r.Steps[len(r.Steps)-1]
		_, made, _ := l.Check(t.Context(), s.ID)
		if !got.OK || got.ID != s.ID || got.Existed != (made && s.ID != "user-key") {
			t.Errorf("%+v", got)
		}
		if s.ID == "user-key" { // the tables of this lab only
			if f, _, _ := l.Check(t.Context(), "key"); f.Foreign != "" {
				t.Errorf("the key is still foreign: %+v", f)
			}
		}
	}
	r := l.Report()
	if byHand != 13 || !r.OK() || len(written) != 4 || !strings.Contains(r.PolicyAfter, "user/robin") ||
		strings.Contains(r.PolicyBefore, "user/robin") || r.PolicyDiff == "" || r.Picture.Rows[0].Table != "Patients" {
		t.Errorf("%d by hand, ok %v, %d written, %+v, diff %s", byHand, r.OK(), len(written), r.Picture, r.PolicyDiff)
	}
	keys, err := h.iam.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: &handNames.User})
	h.must(err)
	if len(keys.AccessKeyMetadata) != 2 {
		t.Errorf("%d access keys", len(keys.AccessKeyMetadata))
	}
	// A third key does not fit.
	second := w.lab(t, func(cfg *labsetup.Config) {
		cfg.Core, cfg.ByHand, cfg.Names, cfg.Disk = true, true, handNames, w.disk
	})
	h.must(second.Begin(t.Context()))
	for err == nil {
		err = second.Next(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "robin has two access keys") {
		t.Errorf("%v", err)
	}

	w.passes(t, w.lab(t, func(cfg *labsetup.Config) { cfg.Names = handNames }).Down)
	left := w.left(t)
	if len(left) != 1 || !strings.Contains(left[0], ":key/") { // the key that signs was never the lab's
		t.Errorf("left: %q", left)
	}
}

// TestForeignIsRefused: without Adopt the lab does not touch what it has not made, and a
// clean-up leaves the key of a lab with other names.
func TestForeignIsRefused(t *testing.T) {
	w := newWorld(t)
	h := &hand{t: t, ddb: dynamodb.NewFromConfig(w.admin)}
	h.makeTable("Patients", "id")
	change := func(cfg *labsetup.Config) { cfg.Core, cfg.ByHand, cfg.Names = true, true, handNames }
	l := w.lab(t, change)
	h.must(l.Begin(t.Context()))
	var err error
	for err == nil {
		err = l.Next(t.Context())
	}
	if !errors.Is(err, labsetup.ErrNotOurs) || !strings.Contains(err.Error(), "Patients") {
		t.Errorf("%v", err)
	}
	first := w.up(t)
	w.passes(t, w.lab(t, change).Down)
	key, err := kms.NewFromConfig(w.admin).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &first.KeyARN})
	if err != nil || key.KeyMetadata.KeyState != kmstypes.KeyStateEnabled {
		t.Errorf("the key of the other lab: %+v, %v", key, err)
	}
}
