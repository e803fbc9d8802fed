// SPDX-License-Identifier: Apache-2.0

package labsetup_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go/middleware"

	"github.com/ddbseal/ddbseal/labsetup"
)

func TestRunPasses(t *testing.T) {
	for _, c := range []struct {
		name string
		http bool
	}{{"in process", false}, {"over HTTP", true}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			other, err := w.server.AddAccount("444455556666")
			if err != nil {
				t.Fatal(err)
			}
			if c.http {
				w = w.overHTTP(t)
			}
			var narrated int
			lab := w.lab(t, func(cfg *labsetup.Config) {
				o := w.as(other)
				cfg.OtherAccount = &o
				cfg.Narrate = func(labsetup.Step) { narrated++ }
				cfg.Explain = func() []string { return []string{"because"} }
				cfg.Disk = w.disk
			})
			r := w.passes(t, lab.Run)
			if len(r.Steps) != lab.Size() || narrated != lab.Size() {
				t.Errorf("%d steps, %d narrated, Size %d", len(r.Steps), narrated, lab.Size())
			}
			ids := map[string]bool{}
			for _, s := range r.Steps {
				if ids[s.ID] || s.ID == "" {
					t.Errorf("id %q occurs twice", s.ID)
				}
				ids[s.ID] = true
				if s.Existed {
					t.Errorf("step %s found what no run made before", s.ID)
				}
				if s.Chapter == "" || s.Title == "" || s.Expected == "" || s.Principal == "" || s.CLI == "" ||
					s.Outcome != labsetup.Passed || !strings.HasSuffix(s.Why, ".") {
					t.Errorf("incomplete: %+v", s)
				}
				if out, err := exec.Command("sh", "-n", "-c", s.CLI).CombinedOutput(); err != nil {
					t.Errorf("step %s: no shell takes %s: %s", s.ID, s.CLI, out)
				}
				if strings.HasPrefix(s.Got, "denied") != (len(s.Reasons) > 0) {
					t.Errorf("step %s got %q with reasons %q", s.ID, s.Got, s.Reasons)
				}
			}
			if !strings.Contains(r.PolicyDiff, "+") || !strings.Contains(r.PolicyAfter, "user/"+labsetup.UserName) ||
				strings.Contains(r.PolicyBefore, "user/"+labsetup.UserName) {
				t.Error("the policies and their difference are not there")
			}
			if len(r.Items) < 3 || len(r.Audit) == 0 || r.SignIn == "" || r.KeyARN == "" || len(r.LeftAlone) > 0 {
				t.Errorf("%d items, %d key uses, sign-in %q, key %q, left alone %q", len(r.Items), len(r.Audit),
					r.SignIn, r.KeyARN, r.LeftAlone)
			}
			for _, i := range r.Items {
				if open := strings.Contains(i.Item, "Robin"); open != (i.Mode == labsetup.ModeServer) {
					t.Errorf("table %s, mode %s: readable %v", i.Table, i.Mode, open)
				}
			}
		})
	}
}

// TestRunAgain: a run within the seven days finds the keys of the one before.
func TestRunAgain(t *testing.T) {
	w := newWorld(t)
	first := w.passes(t, w.lab(t, same).Run)
	if second := w.passes(t, w.lab(t, same).Run); second.KeyARN != first.KeyARN {
		t.Error("the second run made another key")
	}
	if left := w.left(t); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// TestRunAsRoot: the account's root user can run it too.
func TestRunAsRoot(t *testing.T) {
	w := newWorld(t)
	w.admin = w.as(w.server.RootCredentials())
	r := w.passes(t, w.lab(t, same).Run)
	for _, s := range r.Steps {
		if s.ID == "root-without" {
			t.Error("as root this cannot be shown")
		}
	}
}

func TestUpIsIdempotent(t *testing.T) {
	w := newWorld(t)
	first := w.up(t)
	db := dynamodb.NewFromConfig(w.admin)
	created := func() string {
		out, err := db.DescribeTable(t.Context(),
			&dynamodb.DescribeTableInput{TableName: aws.String(labsetup.ServerTable)})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.Table.TableId)
	}
	before := created()
	second := w.up(t)
	if first.KeyARN != second.KeyARN || before != created() {
		t.Error("the second run made another key or table")
	}
	keys, err := iam.NewFromConfig(w.admin).ListAccessKeys(t.Context(),
		&iam.ListAccessKeysInput{UserName: aws.String(labsetup.UserName)})
	if err != nil || len(keys.AccessKeyMetadata) != 1 {
		t.Errorf("%d access keys, %v", len(keys.AccessKeyMetadata), err)
	}
	// Up, down and up again: the key comes back with what it had encrypted.
	w.passes(t, w.lab(t, same).Down)
	if third := w.up(t); third.KeyARN != first.KeyARN {
		t.Error("up after down made another key while the first still waits for its deletion")
	}
}

func TestCredentialsFile(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	path := filepath.Join(dir, labsetup.CredentialsFile)
	// An older file that everybody can read must not lend its mode.
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var keys []string
	change := func(cfg *labsetup.Config) {
		cfg.Folder = dir
		cfg.Keys = func(user string, c aws.Credentials) error {
			keys = append(keys,
				user+" "+c.AccessKeyID)
			return nil
		}
	}
	w.passes(t, w.lab(t, change).Up)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatal(info, err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(text),
		"User name,Password,Console sign-in URL\n"+labsetup.UserName+",") {
		t.Fatalf("%q, %v", text, err)
	}
	if !strings.HasSuffix(string(text), ",https://111122223333.signin.aws.amazon.com/console\n") {
		t.Errorf("the file names another page to sign in: %q", text)
	}
	if password, ok := labsetup.ReadPassword(dir, ""); !ok || !strings.Contains(string(text), ","+password+",") {
		t.Error("the password of the file is not found")
	}
	if len(keys) != 1 || !strings.HasPrefix(keys[0], labsetup.UserName+" AKIA") {
		t.Errorf("keys: %q", keys)
	}
	// A second run overwrites no password.
	w.passes(t, w.lab(t, change).Up)
	if again, err := os.ReadFile(path); err != nil || string(again) != string(text) {
		t.Errorf("a second run changed the credentials file to %q, %v", again, err)
	}
	w.passes(t, w.lab(t, change).Down)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Error("down left the credentials file:", err)
	}
}

// TestUserPolicies: the user may get another policy, and gets the successor
// of the first where the account refuses it.
func TestUserPolicies(t *testing.T) {
	attached := func(t *testing.T, w *world) []string {
		out, err := iam.NewFromConfig(w.admin).ListAttachedUserPolicies(t.Context(),
			&iam.ListAttachedUserPoliciesInput{UserName: aws.String(labsetup.UserName)})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range out.AttachedPolicies {
			names = append(names, aws.ToString(p.PolicyName))
		}
		return names
	}
	for _, c := range []struct {
		name, policy, want string
		refuse             bool
	}{
		{"default", "", "AmazonDynamoDBFullAccess", false},
		{"refused", "", "AmazonDynamoDBFullAccess_v2", true},
		{"read only", labsetup.PolicyReadOnly, "AmazonDynamoDBReadOnlyAccess", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if c.refuse {
				w.admin = refusing(w.admin, labsetup.PolicyFull)
			}
			lab := w.lab(t, func(cfg *labsetup.Config) { cfg.UserPolicy, cfg.Keep = c.policy, true })
			w.passes(t, lab.Run)
			if got := attached(t, w); !slices.Equal(got, []string{c.want}) {
				t.Errorf("attached: %q", got)
			}
		})
	}
}

func TestSabotageIsNoticed(t *testing.T) {
	ctx := context.Background()
	putPolicy := func(cfg aws.Config, users ...string) error {
		client := kms.NewFromConfig(cfg)
		key, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(labsetup.KeyAlias)})
		if err != nil {
			return err
		}
		account := aws.ToString(key.KeyMetadata.AWSAccountId)
		arns := []string{"arn:aws:iam::" + account + ":root"}
		for _, u := range users {
			arns = append(arns, "arn:aws:iam::"+account+":user/"+u)
		}
		_, err = client.PutKeyPolicy(ctx,
			&kms.PutKeyPolicyInput{KeyId: key.KeyMetadata.Arn,
				Policy: aws.String(labsetup.ConsolePolicy(account, arns[:1], arns))})
		return err
	}
	plaintext := func(cfg aws.Config, table string) error {
		_, err := dynamodb.NewFromConfig(cfg).PutItem(ctx,
			&dynamodb.PutItemInput{TableName: aws.String(table), Item: map[string]types.AttributeValue{
				"id":        &types.AttributeValueMemberS{Value: "1"},
				"name":      &types.AttributeValueMemberS{Value: "Robin Example"},
				"diagnosis": &types.AttributeValueMemberS{Value: "hay fever"}}})
		return err
	}
	for _, c := range []struct {
		name, after, breaks string
		sabotage            func(aws.Config) error
	}{
		{"the grant of access is taken back", "key-user", "key-user-server", func(cfg aws.Config) error { return putPolicy(cfg) }},
		{"the user is key user from the beginning", "user-key", "user-server", func(cfg aws.Config) error { return putPolicy(cfg, labsetup.UserName) }},
		{"the withdrawal does nothing", "key-user-undone", "key-user-client-gone", func(cfg aws.Config) error { return putPolicy(cfg, labsetup.UserName) }},
		{"the table goes back to the AWS owned key", "user-key", "user-server", func(cfg aws.Config) error {
			_, err := dynamodb.NewFromConfig(cfg).UpdateTable(ctx,
				&dynamodb.UpdateTableInput{TableName: aws.String(labsetup.ServerTable),
					SSESpecification: &types.SSESpecification{Enabled: aws.Bool(false)}})
			return err
		}},
		{"the client-side item is plaintext", "user-key", "user-client-raw", func(cfg aws.Config) error { return plaintext(cfg, labsetup.ClientTable) }},
		{"the record in both is plaintext", "put-" + labsetup.BothTable, "administrator-both-raw", func(cfg aws.Config) error { return plaintext(cfg, labsetup.BothTable) }},
		{"another record", "put-" + labsetup.OwnedTable, "user-owned", func(cfg aws.Config) error { return plaintext(cfg, labsetup.OwnedTable) }},
		{"the grant is revoked early", "grant", "grant-decrypts", func(cfg aws.Config) error {
			client := kms.NewFromConfig(cfg)
			key, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(labsetup.KeyAlias)})
			if err != nil {
				return err
			}
			grants, err := client.ListGrants(ctx, &kms.ListGrantsInput{KeyId: key.KeyMetadata.Arn})
			if err != nil {
				return err
			}
			for _, g := range grants.Grants {
				if aws.ToString(g.Name) == "nextwork-lab" {
					_, err = client.RevokeGrant(ctx,
						&kms.RevokeGrantInput{KeyId: key.KeyMetadata.Arn, GrantId: g.GrantId})
				}
			}
			return err
		}},
		{"the key is enabled again", "disable", "disabled-server", func(cfg aws.Config) error {
			client := kms.NewFromConfig(cfg)
			key, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(labsetup.KeyAlias)})
			if err != nil {
				return err
			}
			_, err = client.EnableKey(ctx, &kms.EnableKeyInput{KeyId: key.KeyMetadata.Arn})
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && c.after != "user-key" {
				t.Skip("every one is a lab of its own")
			}
			w := newWorld(t)
			lab := w.lab(t, func(cfg *labsetup.Config) {
				cfg.Narrate = func(s labsetup.Step) {
					if s.ID == c.after {
						if err := c.sabotage(w.admin); err != nil {
							t.Error(err)
						}
					}
				}
			})
			r, err := lab.Run(t.Context())
			if err != nil {
				t.Log(err) // a needed step may fail later on
			}
			if r.OK() {
				t.Error("the report is OK")
			}
			for _, s := range r.Steps {
				if s.ID == c.breaks {
					if s.OK || s.Outcome != labsetup.Failed {
						t.Errorf("step %s: got %s, %s", s.ID, s.Got, s.Outcome)
					}
					return
				}
			}
			t.Errorf("step %s never ran", c.breaks)
		})
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := labsetup.New(labsetup.Config{}); err == nil {
		t.Error("a lab without an administrator")
	}
}

// forgets is the administrator of a server that takes a change of a table's
// encryption and does not report it.
func forgets(cfg aws.Config) aws.Config {
	cfg = cfg.Copy()
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("forgets", func(ctx context.Context,
			in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput,
			middleware.Metadata, error) {
			out, metadata, err := next.HandleInitialize(ctx, in)
			if d, ok := out.Result.(*dynamodb.DescribeTableOutput); ok && err == nil {
				d.Table.SSEDescription = nil
			}
			return out, metadata, err
		}), middleware.Before)
	})
	return cfg
}

// TestServerThatDoesNotReport: the lab ends soon, and says what it waited for.
func TestServerThatDoesNotReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.admin = forgets(w.admin)
		var waits []string
		lab := w.lab(t, func(cfg *labsetup.Config) {
			cfg.Deadline = 5 * time.Second
			cfg.Waiting = func(what string) { waits = append(waits, what) }
		})
		began := time.Now()
		_, err := lab.Up(t.Context())
		if err == nil || !strings.Contains(err.Error(), "waited 5s for it to be under the customer managed key: this "+
			"server does not report the change") || time.Since(began) > 20*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		if want := []string{"waiting for " + labsetup.ServerTable + " to be under the customer managed key, at " +
			"most 5s"}; !slices.Equal(waits, want) {
			t.Errorf("waits: %q", waits)
		}
	})
}
