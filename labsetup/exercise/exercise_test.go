// SPDX-License-Identifier: Apache-2.0

package exercise_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/labsetup/exercise"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// lesson is one exercise on an embedded AWS of its own.
type lesson struct {
	t       *testing.T
	id      string
	set     *exercise.Set
	admin   aws.Config
	account string
	as      func(aws.Credentials) aws.Config
	keys    map[string]aws.Credentials
}

func newLesson(t *testing.T, id string) *lesson {
	t.Helper()
	server := localawstest.New(t).Server
	l := &lesson{t: t, id: id, account: server.AccountID(), as: server.Config, keys: map[string]aws.Credentials{}}
	client := iam.NewFromConfig(server.Config(server.RootCredentials()))
	name := aws.String("teacher")
	_, err := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: name})
	l.must(err)
	_, err = client.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: name,
		PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	l.must(err)
	key, err := client.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: name})
	l.must(err)
	l.admin = server.Config(aws.Credentials{AccessKeyID: aws.ToString(key.AccessKey.AccessKeyId),
		SecretAccessKey: aws.ToString(key.AccessKey.SecretAccessKey)})
	l.set, err = exercise.New(exercise.Config{Administrator: l.admin, As: server.Config,
		Keys: func(user string, c aws.Credentials) error { l.keys[user] = c; return nil }})
	l.must(err)
	return l
}

func (l *lesson) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *lesson) start() {
	l.t.Helper()
	l.must(l.set.Start(l.t.Context(), l.id))
}

// misses checks and returns the findings that are not as expected.
func (l *lesson) misses(answer string) []exercise.Finding {
	l.t.Helper()
	r, err := l.set.Check(l.t.Context(), l.id, answer)
	l.must(err)
	var misses []exercise.Finding
	for _, f := range r.Findings {
		if f.Who == "" || f.Tried == "" || f.Expected == "" || f.Got == "" || f.OK == (f.Why != "") {
			l.t.Errorf("incomplete finding: %+v", f)
		}
		if !f.OK {
			misses = append(misses, f)
		}
	}
	if r.Passed() != (len(misses) == 0) {
		l.t.Errorf("Passed is %v with %d misses", r.Passed(), len(misses))
	}
	return misses
}

// fails checks and demands that a finding misses that begins with one of tried.
func (l *lesson) fails(answer, tried string) {
	l.t.Helper()
	misses := l.misses(answer)
	for _, f := range misses {
		if strings.Contains(f.Tried, tried) {
			return
		}
	}
	l.t.Errorf("no finding on %q misses: %+v", tried, misses)
}

func (l *lesson) name(suffix string) string { return "exercise-" + l.id + "-" + suffix }

func (l *lesson) userARN(suffix string) string {
	return "arn:aws:iam::" + l.account + ":user/" + l.name(suffix)
}

func (l *lesson) kms() *kms.Client { return kms.NewFromConfig(l.admin) }

func (l *lesson) ddb() *dynamodb.Client { return dynamodb.NewFromConfig(l.admin) }

func (l *lesson) key() *string {
	l.t.Helper()
	out, err := l.kms().DescribeKey(l.t.Context(),
		&kms.DescribeKeyInput{KeyId: aws.String("alias/exercise-" + l.id)})
	l.must(err)
	return out.KeyMetadata.Arn
}

// statement adds an Allow statement to the key policy.
func (l *lesson) statement(principal any, actions []string, condition map[string]any) {
	l.t.Helper()
	l.editPolicy(func(statements []any) []any {
		s := map[string]any{"Sid": "answer", "Effect": "Allow", "Principal": map[string]any{"AWS": principal},
			"Action": actions, "Resource": "*"}
		if condition != nil {
			s["Condition"] = condition
		}
		return append(statements, s)
	})
}

func (l *lesson) editPolicy(edit func([]any) []any) {
	l.t.Helper()
	now, err := l.kms().GetKeyPolicy(l.t.Context(),
		&kms.GetKeyPolicyInput{KeyId: l.key(), PolicyName: aws.String("default")})
	l.must(err)
	var policy map[string]any
	l.must(json.Unmarshal([]byte(aws.ToString(now.Policy)), &policy))
	policy["Statement"] = edit(policy["Statement"].([]any))
	text, err := json.Marshal(policy)
	l.must(err)
	_, err = l.kms().PutKeyPolicy(l.t.Context(),
		&kms.PutKeyPolicyInput{KeyId: l.key(), Policy: aws.String(string(text))})
	l.must(err)
}

// identityPolicy puts an inline policy onto a user, beside the one it has.
func (l *lesson) identityPolicy(suffix, effect string, actions ...string) {
	l.t.Helper()
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{
		map[string]any{"Effect": effect, "Action": actions, "Resource": "*"}}})
	l.must(err)
	_, err = iam.NewFromConfig(l.admin).PutUserPolicy(l.t.Context(), &iam.PutUserPolicyInput{
		UserName: aws.String(l.name(suffix)), PolicyName: aws.String("answer"),
		PolicyDocument: aws.String(string(text))})
	l.must(err)
}

var (
	decrypt = []string{"kms:Decrypt"}
	use     = []string{"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:DescribeKey"}
)

func equals(pairs ...string) map[string]any {
	c := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		c[pairs[i]] = pairs[i+1]
	}
	return map[string]any{"StringEquals": c}
}

const (
	via         = "kms:ViaService"
	dynamo      = "dynamodb.us-east-1.amazonaws.com"
	serverTable = "kms:EncryptionContext:aws:dynamodb:tableName"
	clientTable = "kms:EncryptionContext:aws-crypto-table-name"
)

// wrong is an answer that has to fail, with what the check finds.
type wrong struct {
	name, finds string
	answer      func(*lesson) string // the text of the answer, if the exercise takes one
}

func does(fn func(*lesson)) func(*lesson) string {
	return func(l *lesson) string { fn(l); return "" }
}

func says(text string) func(*lesson) string { return func(*lesson) string { return text } }

// broadServer are too wide answers of the exercises on one server-side table out
// of two. They are given after the solution, so that only their width is wrong.
var broadServer = []wrong{
	{"no condition", "directly", does(func(l *lesson) { l.statement(l.userARN("reader"), decrypt, nil) })},
	{"any table", "payroll", does(func(l *lesson) { l.statement(l.userARN("reader"), decrypt, equals(via, dynamo)) })},
	{"not through DynamoDB only", "directly", does(func(l *lesson) {
		l.statement(l.userARN("reader"), decrypt, equals(serverTable, l.name("wards")))
	})},
	{"everybody", "read exercise-", does(func(l *lesson) {
		l.statement("*", decrypt, equals(via, dynamo, serverTable, l.name("wards")))
	})},
	{"an administrator", "write the key policy", does(func(l *lesson) {
		l.statement(l.userARN("reader"), []string{"kms:PutKeyPolicy"}, nil)
	})},
}

// cases are for each exercise what an untouched start misses, and at least two
// answers that go too far.
var cases = map[string]struct {
	untouched string
	text      string // an answer of one who has done nothing
	wide      []wrong
}{
	"one-server-table": {"wards", "", broadServer},
	"broken-condition": {"wards", "", broadServer},
	"broken-principal": {"wards", "", broadServer},
	"broken-deny": {"wards", "", append([]wrong{
		{"no Deny any more", "payroll", does(func(l *lesson) {
			l.editPolicy(func(statements []any) []any { return statements[:len(statements)-1] })
		})},
		{"the auditor denied everything", "wards", does(func(l *lesson) {
			l.identityPolicy("auditor", "Deny", "kms:*", "dynamodb:*")
		})},
	}, slices.DeleteFunc(slices.Clone(broadServer), func(w wrong) bool {
		return w.finds == "payroll" // the Deny keeps the reader out
	})...)},
	"one-client-table": {"wards", "", []wrong{
		{"no condition", "payroll", does(func(l *lesson) { l.statement(l.userARN("reader"), decrypt, nil) })},
		{"a pattern", "payroll", does(func(l *lesson) {
			l.statement(l.userARN("reader"), decrypt,
				map[string]any{"StringLike": map[string]any{clientTable: "exercise-*"}})
		})},
		{"true without a context", "no table", does(func(l *lesson) {
			l.statement(l.userARN("reader"), decrypt,
				map[string]any{"StringEqualsIfExists": map[string]any{clientTable: l.name("wards")}})
		})},
		{"everybody", "wards", does(func(l *lesson) { l.statement("*", decrypt, equals(clientTable, l.name("wards"))) })},
	}},
	"read-only": {"server", "", []wrong{
		{"a key user", "data key", does(func(l *lesson) { l.statement(l.userARN("reader"), use, nil) })},
		{"all of DynamoDB", "put an item", does(func(l *lesson) { l.identityPolicy("reader", "Allow", "dynamodb:*") })},
		{"updates", "change an item", does(func(l *lesson) { l.identityPolicy("reader", "Allow", "dynamodb:UpdateItem") })},
		{"deletions", "delete an item", does(func(l *lesson) { l.identityPolicy("reader", "Allow", "dynamodb:DeleteItem") })},
	}},
	"revoke-grant": {"wards", "", []wrong{
		{"every grant revoked", "wards", does(func(l *lesson) {
			l.editPolicy(func(statements []any) []any { return statements[:len(statements)-1] })
			l.revoke("")
		})},
		{"the key disabled", "wards", does(func(l *lesson) {
			_, err := l.kms().DisableKey(l.t.Context(), &kms.DisableKeyInput{KeyId: l.key()})
			l.must(err)
		})},
		{"the user shut out of DynamoDB", "notes", does(func(l *lesson) { l.identityPolicy("leaver", "Deny", "dynamodb:*") })},
	}},
	"read-audit": {"who", "read-server:\nopened-client:\nrefused:\n", []wrong{
		{"everybody", "who read", says("read-server: ada, ben, cleo\nopened-client: ada, ben, cleo\nrefused: ada, ben, cleo\n")},
		{"no one refused", "refused", func(l *lesson) string {
			s, err := l.set.Solution(l.t.Context(), l.id)
			l.must(err)
			kept, _, _ := strings.Cut(s.Answer, "refused")
			return kept
		}},
		{"one of two refused", "refused", func(l *lesson) string {
			s, err := l.set.Solution(l.t.Context(), l.id)
			l.must(err)
			return s.Answer[:strings.LastIndex(s.Answer, ",")]
		}},
	}},
	"key-off": {"find the insider", "", []wrong{
		{"everything of DynamoDB denied", "read", does(func(l *lesson) { l.identityPolicy("insider", "Deny", "dynamodb:*") })},
		{"the insider denied the key", "read", does(func(l *lesson) { l.identityPolicy("insider", "Deny", "kms:Decrypt") })},
		{"everybody denied", "change the table's key", does(func(l *lesson) {
			table := aws.String("arn:aws:dynamodb:us-east-1:" + l.account + ":table/" + l.name("wards"))
			_, err := l.ddb().PutResourcePolicy(l.t.Context(), &dynamodb.PutResourcePolicyInput{ResourceArn: table,
				Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",` +
					`"Action":"dynamodb:UpdateTable","Resource":"` + *table + `"}]}`)})
			l.must(err)
		})},
	}},
	"lose-region": {"us-west-2", "", []wrong{
		{"both Regions", "us-east-1", does(func(l *lesson) { l.identityPolicy("recovery", "Allow", "kms:Decrypt") })},
		{"the replica administered", "policy of the replica", does(func(l *lesson) { l.identityPolicy("recovery", "Allow", "kms:PutKeyPolicy") })},
		{"others", "us-west-2", does(func(l *lesson) { l.identityPolicy("colleague", "Allow", "kms:Decrypt") })},
	}},
	"shred-tenant": {"red", "", []wrong{
		{"the KMS key disabled", "blue", does(func(l *lesson) {
			_, err := l.kms().DisableKey(l.t.Context(), &kms.DisableKeyInput{KeyId: l.key()})
			l.must(err)
		})},
		{"every branch key deleted", "blue", does(func(l *lesson) {
			_, err := l.ddb().DeleteTable(l.t.Context(),
				&dynamodb.DeleteTableInput{TableName: aws.String(l.name("keys"))})
			l.must(err)
		})},
		{"the backup changed", "find red-1", does(func(l *lesson) { l.deleteItem("backup", "id", "red-1", "", "") })},
	}},
	"attribute-class": {"configure", "email: encrypt\n", []wrong{
		{"all in clear", "email", says("email: none\ndiagnosis: none\nward: none\noffice: context\nvisits: none\n")},
		{"signed and in clear", "diagnosis", says("email: encrypt\ndiagnosis: sign\nward: sign\noffice: context\nvisits: none\n")},
		{"personal data in the context", "email", says("email: context\ndiagnosis: encrypt\nward: sign\noffice: context\nvisits: none\n")},
		{"all encrypted", "filter", says("email: encrypt\ndiagnosis: encrypt\nward: encrypt\noffice: context\nvisits: none\n")},
		{"the counter signed", "count", says("email: encrypt\ndiagnosis: encrypt\nward: sign\noffice: context\nvisits: sign\n")},
		{"the ward unsigned", "ward", says("email: encrypt\ndiagnosis: encrypt\nward: none\noffice: context\nvisits: none\n")},
		{"no context", "office north", says("email: encrypt\ndiagnosis: encrypt\nward: sign\noffice: sign\nvisits: none\n")},
		{"the key encrypted", "configure", says("id: encrypt\nemail: encrypt\ndiagnosis: encrypt\nward: sign\noffice: context\nvisits: none\n")},
		{"no action", "configure", says("email: hide\ndiagnosis: encrypt\nward: sign\noffice: context\nvisits: none\n")},
	}},
}

// revoke revokes all grants of users, or of one user.
func (l *lesson) revoke(suffix string) {
	l.t.Helper()
	out, err := l.kms().ListGrants(l.t.Context(), &kms.ListGrantsInput{KeyId: l.key()})
	l.must(err)
	for _, g := range out.Grants {
		if strings.Contains(aws.ToString(g.GranteePrincipal), ":user/"+l.name(suffix)) {
			_, err := l.kms().RevokeGrant(l.t.Context(), &kms.RevokeGrantInput{KeyId: l.key(), GrantId: g.GrantId})
			l.must(err)
		}
	}
}

func (l *lesson) deleteItem(table, name, value, sort, sortValue string) {
	l.t.Helper()
	key := map[string]ddbtypes.AttributeValue{name: &ddbtypes.AttributeValueMemberS{Value: value}}
	if sort != "" {
		key[sort] = &ddbtypes.AttributeValueMemberS{Value: sortValue}
	}
	_, err := l.ddb().DeleteItem(l.t.Context(),
		&dynamodb.DeleteItemInput{TableName: aws.String(l.name(table)), Key: key})
	l.must(err)
}

// TestExercises: for each exercise the untouched start fails, the solution passes,
// answers that go too far fail for what they open, and Start puts everything back.
func TestExercises(t *testing.T) {
	for _, e := range exercise.All() {
		t.Run(e.ID, func(t *testing.T) {
			t.Parallel()
			c, ok := cases[e.ID]
			if !ok || len(c.wide) < 2 {
				t.Fatalf("%d too wide answers", len(c.wide))
			}
			l := newLesson(t, e.ID)
			l.start()
			l.fails(c.text, c.untouched)
			solution, err := l.set.Solve(t.Context(), e.ID)
			l.must(err)
			if misses := l.misses(solution.Answer); len(misses) > 0 {
				t.Errorf("the solution does not pass: %+v", misses)
			}
			for _, w := range c.wide {
				l.start()
				_, err := l.set.Solve(t.Context(), e.ID)
				l.must(err)
				answer := w.answer(l)
				t.Log(w.name)
				l.fails(answer, w.finds)
			}
			l.start()
			l.fails(c.text, c.untouched)
			l.must(l.set.Remove(t.Context(), e.ID))
			if _, err := l.set.Check(t.Context(), e.ID, "x: y"); !errors.Is(err, exercise.ErrNotStarted) {
				t.Errorf("check after removal: %v", err)
			}
			l.must(l.set.Remove(t.Context(), e.ID))
			l.start()
			solution, err = l.set.Solve(t.Context(), e.ID)
			l.must(err)
			if misses := l.misses(solution.Answer); len(misses) > 0 {
				t.Errorf("after removal and start the solution does not pass: %+v", misses)
			}
		})
	}
}

// TestOtherSolutions: a check looks at what AWS answers, so another way to the same
// end passes.
func TestOtherSolutions(t *testing.T) {
	for id, solve := range map[string]func(*lesson){
		// An IAM policy in place of a statement: the key policy lets it count.
		"one-server-table": func(l *lesson) {
			_, err := iam.NewFromConfig(l.admin).PutUserPolicy(l.t.Context(), &iam.PutUserPolicyInput{
				UserName: aws.String(l.name("reader")), PolicyName: aws.String("answer"),
				PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Decrypt",` +
					`"Resource":"` + *l.key() + `","Condition":{"StringEquals":{"` + via + `":"` + dynamo + `","` +
					serverTable + `":"` + l.name("wards") + `"}}}]}`)})
			l.must(err)
		},
		// A grant that is bound to the encryption context.
		"one-client-table": func(l *lesson) {
			_, err := l.kms().CreateGrant(l.t.Context(), &kms.CreateGrantInput{KeyId: l.key(),
				GranteePrincipal: aws.String(l.userARN("reader")),
				Operations:       []types.GrantOperation{types.GrantOperationDecrypt},
				Constraints: &types.GrantConstraints{EncryptionContextSubset: map[string]string{
					"aws-crypto-table-name": l.name("wards")}}})
			l.must(err)
		},
		// A Deny, which wins over the statement and the grant.
		"revoke-grant": func(l *lesson) { l.identityPolicy("leaver", "Deny", "kms:*") },
	} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			l := newLesson(t, id)
			l.start()
			solve(l)
			if misses := l.misses(""); len(misses) > 0 {
				t.Errorf("%+v", misses)
			}
		})
	}
}

// TestTooLittle: half an answer fails.
func TestTooLittle(t *testing.T) {
	t.Run("revoke-grant", func(t *testing.T) {
		l := newLesson(t, "revoke-grant")
		l.start()
		l.revoke("leaver")
		l.fails("", "wards")
		l.start()
		l.editPolicy(func(statements []any) []any {
			last := statements[len(statements)-1].(map[string]any)
			last["Principal"] = map[string]any{"AWS": l.userARN("program")}
			return statements
		})
		l.fails("", "wards")
	})
	t.Run("shred-tenant", func(t *testing.T) {
		l := newLesson(t, "shred-tenant")
		l.start()
		l.deleteItem("keys", "branch-key-id", "red", "type", "branch:ACTIVE")
		l.fails("", "red-1")
	})
	t.Run("key-off", func(t *testing.T) {
		l := newLesson(t, "key-off")
		l.start()
		l.identityPolicy("insider", "Deny", "dynamodb:UpdateTable")
		l.fails("", "find the insider") // the way is closed, and the insider never took it
	})
}

// TestDescriptions: every exercise says what it needs to.
func TestDescriptions(t *testing.T) {
	all := exercise.All()
	if len(all) < 12 || len(all) != len(cases) {
		t.Errorf("%d exercises, %d cases", len(all), len(cases))
	}
	ids := map[string]bool{}
	for _, e := range all {
		if ids[e.ID] || e.Title == "" || e.Goal == "" || e.Task == "" || e.Start == "" || len(e.Hints) < 2 {
			t.Errorf("incomplete: %+v", e)
		}
		if !strings.Contains(e.Start, "alias/exercise-"+e.ID) {
			t.Errorf("%s does not name its key: %s", e.ID, e.Start)
		}
		ids[e.ID] = true
		if found, err := exercise.Find(e.ID); err != nil || found.Title != e.Title {
			t.Errorf("find %s: %v", e.ID, err)
		}
	}
	if _, err := exercise.Find("none"); !errors.Is(err, exercise.ErrUnknown) {
		t.Error(err)
	}
}

// TestApart: two exercises at once do not touch each other, and what has the name
// of an exercise and not its tag stays as it is.
func TestApart(t *testing.T) {
	l := newLesson(t, "one-client-table")
	l.start()
	_, err := l.set.Solve(t.Context(), l.id)
	l.must(err)
	l.must(l.set.Start(t.Context(), "read-only"))
	l.must(l.set.Remove(t.Context(), "read-only"))
	if misses := l.misses(""); len(misses) > 0 {
		t.Errorf("another exercise changed this one: %+v", misses)
	}
	table := aws.String("exercise-revoke-grant-wards")
	_, err = l.ddb().CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: table,
		BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("id"),
			AttributeType: ddbtypes.ScalarAttributeTypeS}},
		KeySchema: []ddbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddbtypes.KeyTypeHash}}})
	l.must(err)
	for _, do := range []func(context.Context, string) error{l.set.Start, l.set.Remove} {
		if err := do(t.Context(), "revoke-grant"); !errors.Is(err, exercise.ErrNotOurs) {
			t.Errorf("a table that the exercise did not make: %v", err)
		}
	}
	if _, err := l.ddb().DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: table}); err != nil {
		t.Error(err)
	}
}

// TestAccessKeys: Start hands over one key for each user, a check leaves it alone
// and leaves no other behind.
func TestAccessKeys(t *testing.T) {
	l := newLesson(t, "revoke-grant")
	l.start()
	l.misses("")
	for _, user := range []string{"leaver", "program"} {
		keys, err := iam.NewFromConfig(l.admin).ListAccessKeys(t.Context(),
			&iam.ListAccessKeysInput{UserName: aws.String(l.name(user))})
		l.must(err)
		if len(keys.AccessKeyMetadata) != 1 ||
			aws.ToString(keys.AccessKeyMetadata[0].AccessKeyId) != l.keys[l.name(user)].AccessKeyID {
			t.Errorf("%s has %d access keys", user, len(keys.AccessKeyMetadata))
		}
	}
}

func TestErrors(t *testing.T) {
	if _, err := exercise.New(exercise.Config{}); err == nil {
		t.Error("New without an administrator")
	}
	l := newLesson(t, "read-audit")
	for _, do := range []func(context.Context, string) error{l.set.Start, l.set.Remove} {
		if err := do(t.Context(), "none"); !errors.Is(err, exercise.ErrUnknown) {
			t.Error(err)
		}
	}
	if _, err := l.set.Check(t.Context(), l.id, ""); !errors.Is(err, exercise.ErrNoAnswer) {
		t.Error(err)
	}
	if _, err := l.set.Solution(t.Context(), "one-server-table"); !errors.Is(err, exercise.ErrNotStarted) {
		t.Error(err)
	}
	l.start()
	for _, text := range []string{"no colon", "a: b\na: c", strings.Repeat("x", 1<<20)} {
		if _, err := l.set.Check(t.Context(), l.id, text); !errors.Is(err, exercise.ErrForm) {
			t.Errorf("answer %.20q: %v", text, err)
		}
	}
}
