// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/labsetup/internal/shell"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// counter makes the reason of a check false, and undoes that.
type counter struct {
	spoil, mend func(context.Context, *Lab) error
}

// withPolicy is a counter that changes the key policy for a moment.
func withPolicy(change func(*Lab, *keypolicy.Console)) counter {
	var before string
	return counter{func(ctx context.Context, l *Lab) (err error) {
		if before, err = l.keyPolicy(ctx); err != nil {
			return err
		}
		p := l.basePolicy()
		change(l, &p)
		return l.putPolicy(ctx, p)
	}, func(ctx context.Context, l *Lab) error {
		_, err := l.administrator.kms.PutKeyPolicy(ctx,
			&kms.PutKeyPolicyInput{KeyId: aws.String(l.keyARN), Policy: aws.String(before)})
		return err
	}}
}

// namesNobody, userIsKeyUser and so on are reasons by which a check would come out
// otherwise.
func namesNobody() counter { return withPolicy(func(*Lab, *keypolicy.Console) {}) }

func keyUser(who func(*Lab) string) counter {
	return withPolicy(func(l *Lab, p *keypolicy.Console) { p.Users = append(p.Users, who(l)) })
}

func theUser(l *Lab) string  { return l.userARN }
func theProbe(l *Lab) string { return l.probeARN }
func theRole(l *Lab) string  { return l.roleARN }

// plaintextIn puts a record that is not encrypted by the program.
func plaintextIn(table string) counter {
	return counter{func(ctx context.Context, l *Lab) error {
		_, err := l.administrator.ddb.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table),
			Item: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: theRecord().ID},
				"name":      &types.AttributeValueMemberS{Value: theRecord().Name},
				"diagnosis": &types.AttributeValueMemberS{Value: theRecord().Diagnosis}}})
		return err
	}, putsBack(table)}
}

func putsBack(table string) func(context.Context, *Lab) error {
	return func(ctx context.Context, l *Lab) error { return l.administrator.tables[table].Put(ctx, theRecord()) }
}

// ciphertextIn puts an item that the program has encrypted.
func ciphertextIn(table string) counter {
	return counter{func(ctx context.Context, l *Lab) error {
		raw, err := l.administrator.ddb.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(ClientTable),
			Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: theRecord().ID}}})
		if err != nil {
			return err
		}
		_, err = l.administrator.ddb.PutItem(ctx,
			&dynamodb.PutItemInput{TableName: aws.String(table), Item: raw.Item})
		return err
	}, putsBack(table)}
}

// encryption changes the key of a table for a moment; "" is the AWS owned key.
func encryption(table string, key, back func(*Lab) string) counter {
	set := func(key func(*Lab) string) func(context.Context, *Lab) error {
		return func(ctx context.Context, l *Lab) error {
			sse := &types.SSESpecification{Enabled: aws.Bool(false)}
			switch k := key(l); k {
			case "":
			case KeyManaged:
				sse = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms}
			default:
				sse = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms,
					KMSMasterKeyId: aws.String(k)}
			}
			_, err := l.administrator.ddb.UpdateTable(ctx,
				&dynamodb.UpdateTableInput{TableName: aws.String(table), SSESpecification: sse})
			return err
		}
	}
	return counter{set(key), set(back)}
}

func customerKey(l *Lab) string { return l.keyARN }
func ownedKey(*Lab) string      { return "" }
func managedKey(*Lab) string    { return KeyManaged }

// enabled switches the key or its replica on or off for a moment.
func enabled(on bool) counter {
	set := func(on bool) func(context.Context, *Lab) error {
		return func(ctx context.Context, l *Lab) (err error) {
			if on {
				_, err = l.administrator.kms.EnableKey(ctx, &kms.EnableKeyInput{KeyId: aws.String(l.keyARN)})
			} else {
				_, err = l.administrator.kms.DisableKey(ctx, &kms.DisableKeyInput{KeyId: aws.String(l.keyARN)})
			}
			return err
		}
	}
	return counter{set(on), set(!on)}
}

// grantFor is a grant that the lab did not make.
func grantFor(operation kmstypes.GrantOperation) counter {
	var id *string
	return counter{func(ctx context.Context, l *Lab) error {
		out, err := l.administrator.kms.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: aws.String(l.keyARN),
			GranteePrincipal: aws.String(l.userARN), Operations: []kmstypes.GrantOperation{operation}})
		if err == nil {
			id = out.GrantId
		}
		return err
	}, func(ctx context.Context, l *Lab) error {
		_, err := l.administrator.kms.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: aws.String(l.keyARN), GrantId: id})
		return err
	}}
}

// noGrant revokes the lab's grant and makes it again.
func noGrant() counter {
	return counter{func(ctx context.Context, l *Lab) error { return l.revokeGrant(ctx) },
		func(ctx context.Context, l *Lab) error { return l.makeGrant(ctx) }}
}

// iamPolicy gives a user an IAM policy on the key, or takes one away, for a moment.
func iamPolicy(user, name, action string, give bool) counter {
	put := func(ctx context.Context, l *Lab) error {
		_, err := l.iam().PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String(user),
			PolicyName: aws.String(name), PolicyDocument: aws.String(shell.Allow(action, l.keyARN))})
		return err
	}
	remove := func(ctx context.Context, l *Lab) error {
		_, err := l.iam().DeleteUserPolicy(ctx,
			&iam.DeleteUserPolicyInput{UserName: aws.String(user), PolicyName: aws.String(name)})
		return err
	}
	if give {
		return counter{put, remove}
	}
	return counter{remove, put}
}

// emptyTrail lets the lab look at the audit of an account in which nothing happened.
func emptyTrail() counter {
	var before aws.Config
	return counter{func(_ context.Context, l *Lab) error {
		before, l.cfg.Administrator = l.cfg.Administrator, *l.cfg.OtherAccount
		return nil
	}, func(_ context.Context, l *Lab) error {
		l.cfg.Administrator = before
		return nil
	}}
}

func onDisk(data string) counter {
	var before func(context.Context, string, string) ([]byte, error)
	return counter{func(_ context.Context, l *Lab) error {
		before = l.cfg.Disk
		l.cfg.Disk = func(context.Context, string, string) ([]byte, error) { return []byte(data), nil }
		return nil
	}, func(_ context.Context, l *Lab) error {
		l.cfg.Disk = before
		return nil
	}}
}

// addition is a statement added to the base policy.
func addition(s keypolicy.Statement, who func(*Lab) string) counter {
	return withPolicy(func(l *Lab, p *keypolicy.Console) {
		s.Principal = keypolicy.Principals{who(l)}
		p.Extra = []keypolicy.Statement{s}
	})
}

// revokesAfter is a counter during which the second user makes a grant.
func revokesAfter(c counter) counter {
	return counter{c.spoil, func(ctx context.Context, l *Lab) error {
		out, err := l.administrator.kms.ListGrants(ctx,
			&kms.ListGrantsInput{KeyId: aws.String(l.keyARN), GranteePrincipal: aws.String(l.probeARN)})
		if err != nil {
			return err
		}
		for _, g := range out.Grants {
			if _, err := l.administrator.kms.RevokeGrant(ctx,
				&kms.RevokeGrantInput{KeyId: aws.String(l.keyARN), GrantId: g.GrantId}); err != nil {
				return err
			}
		}
		return c.mend(ctx, l)
	}}
}

// whileEnabled enables the key for what a counter does, and disables it after that.
func whileEnabled(c counter) counter {
	around := func(do func(context.Context, *Lab) error) func(context.Context, *Lab) error {
		return func(ctx context.Context, l *Lab) error {
			on := enabled(true)
			return errors.Join(on.spoil(ctx, l), do(ctx, l), on.mend(ctx, l))
		}
	}
	return counter{around(c.spoil), around(c.mend)}
}

// counters has, for each check of the lab, what makes its reason false.
func counters() map[string][]counter {
	decrypt := addition(allow("anything", "", nil), theUser)
	root := func(l *Lab) string { return l.caller }
	other := withPolicy(func(_ *Lab, p *keypolicy.Console) {
		p.Extra = []keypolicy.Statement{allow("other", "arn:aws:iam::"+otherAccount+":root", nil)}
	})
	rotation := keypolicy.Statement{Sid: "r", Effect: "Allow", Action: keypolicy.Strings{"kms:GetKeyRotationStatus"},
		Resource: "*"}
	grants := keypolicy.Statement{Sid: "g", Effect: "Allow", Action: keypolicy.Strings{"kms:CreateGrant"},
		Resource: "*"}
	write := keypolicy.Statement{Sid: "w", Effect: "Allow", Action: keypolicy.Strings{"kms:PutKeyPolicy"},
		Resource: "*"}
	deny := keypolicy.Statement{Sid: "d", Effect: "Deny", Action: keypolicy.Strings{"kms:Decrypt"}, Resource: "*"}
	off := enabled(false)
	return map[string][]counter{
		"administrator-" + ServerTable: {addition(deny, root), ciphertextIn(ServerTable)},
		"administrator-" + ClientTable: {addition(deny, root), plaintextIn(ClientTable)},
		"administrator-" + BothTable:   {addition(deny, root), plaintextIn(BothTable)},
		"disk-" + ServerTable:          {onDisk("… hay fever …"), onDisk("… Robin Example …"), onDisk("")},
		"disk-" + ClientTable:          {onDisk("… hay fever …"), onDisk("… Robin Example …"), onDisk("")},

		"user-server":              {keyUser(theUser), decrypt, encryption(ServerTable, ownedKey, customerKey)},
		"user-client-raw":          {plaintextIn(ClientTable)},
		"user-client":              {keyUser(theUser), decrypt, grantFor(kmstypes.GrantOperationDecrypt)},
		"user-owned":               {encryption(OwnedTable, customerKey, ownedKey)},
		"user-managed":             {encryption(ManagedTable, customerKey, managedKey)},
		"user-both":                {encryption(BothTable, ownedKey, customerKey)},
		"administrator-both-raw":   {plaintextIn(BothTable)},
		"administrator-server-raw": {ciphertextIn(ServerTable)},
		"picture":                  {keyUser(theUser), plaintextIn(ClientTable), onDisk("hay fever"), off},
		"picture-others":           {keyUser(theUser), plaintextIn(BothTable), onDisk("hay fever")},

		"key-user-server":      {namesNobody(), off},
		"key-user-client":      {namesNobody(), off},
		"key-user-server-gone": {keyUser(theUser)},
		"key-user-client-gone": {keyUser(theUser)},

		"root-with": {withPolicy(func(_ *Lab, p *keypolicy.Console) { p.WithoutRoot = true }),
			iamPolicy(ProbeName, probePolicy, "kms:DescribeKey", false)},
		"root-without":           {namesNobody()},
		"administrator-manages":  {namesNobody()},
		"administrator-decrypts": {keyUser(theProbe)},
		"stranger-manages":       {addition(rotation, theProbe)},
		"use-decrypts":           {namesNobody()},
		"use-attaches":           {addition(grants, theProbe)},
		"attach-makes":           {keyUser(theProbe)},
		"attach-direct":          {revokesAfter(addition(grants, theProbe))},
		"use-denied":             {keyUser(theProbe)},

		"scoped-server":      {namesNobody()},
		"scoped-administers": {addition(write, theUser)},
		"scoped-server-gone": {decrypt},
		"iam-policy-server": {iamPolicy(UserName, "decrypt", "kms:Decrypt", false),
			withPolicy(func(_ *Lab, p *keypolicy.Console) { p.WithoutRoot = true })},
		"iam-policy-gone": {iamPolicy(UserName, "decrypt", "kms:Decrypt", true)},
		"grant-decrypts":  {noGrant()},
		"grant-encrypts":  {grantFor(kmstypes.GrantOperationEncrypt)},
		"grant-server":    {noGrant()},
		"grant-gone":      {grantFor(kmstypes.GrantOperationDecrypt)},

		"role-not-assumed": {keyUser(theUser)},
		"role-server":      {namesNobody()},
		"role-client":      {namesNobody()},
		"role-gone":        {keyUser(theRole)},
		"deny-server":      {keyUser(theUser)},
		"deny-client":      {keyUser(theUser)},
		"via-server":       {namesNobody()},
		"via-client":       {decrypt},
		"context-client":   {namesNobody()},
		"context-other":    {decrypt},
		"context-server":   {decrypt},

		"disabled-server": {enabled(true)},
		"disabled-owned":  {whileEnabled(encryption(OwnedTable, customerKey, ownedKey))},
		"disabled-client": {enabled(true)},
		"enabled-server":  {off},
		"enabled-client":  {off},
		"rotations": {{func(_ context.Context, l *Lab) error { l.rotations++; return nil },
			func(_ context.Context, l *Lab) error { l.rotations--; return nil }}},
		"rotated-server": {off, ciphertextIn(ServerTable)},
		"rotated-client": {off, plaintextIn(ClientTable)},
		"multi-decrypt": {{func(ctx context.Context, l *Lab) error {
			_, err := l.elsewhere().DisableKey(ctx, &kms.DisableKeyInput{KeyId: aws.String(l.replicaARN())})
			return err
		}, func(ctx context.Context, l *Lab) error {
			_, err := l.elsewhere().EnableKey(ctx, &kms.EnableKeyInput{KeyId: aws.String(l.replicaARN())})
			return err
		}}},
		"account-denied":  {other},
		"account-allowed": {namesNobody()},
		"account-gone":    {other},

		"audit-denied":  {emptyTrail()},
		"audit-direct":  {emptyTrail()},
		"audit-allowed": {emptyTrail()},
		"audit-policy":  {emptyTrail()},
		"audit-user":    {emptyTrail()},

		"scheduled": {{func(ctx context.Context, l *Lab) error { return l.cancelDeletion(ctx) },
			func(ctx context.Context, l *Lab) error { return l.scheduleDeletion(ctx) }}},
		"cancelled": {enabled(true), {func(ctx context.Context, l *Lab) error { return l.scheduleDeletion(ctx) },
			func(ctx context.Context, l *Lab) error { return l.cancelDeletion(ctx) }}},
	}
}

const otherAccount = "444455556666"

// TestEveryCheckCanFail runs the lab and makes, at each check, the reason false
// that its step tells: then the check must not come out as expected.
func TestEveryCheckCanFail(t *testing.T) {
	l := embeddedLab(t)
	all := counters()
	ctx := t.Context()
	if err := l.identify(ctx); err != nil {
		t.Fatal(err)
	}
	l.report = &Report{Began: time.Now()}
	for _, c := range l.chapters() {
		for _, s := range c.steps {
			try := func() string {
				got, err := s.do(ctx)
				return classify(got, err)
			}
			if got := try(); got != s.Expected {
				t.Fatalf("step %s: got %s, want %s", s.ID, got, s.Expected)
			}
			if s.Expected == Done || hasOptionalCases(c.title) {
				continue
			}
			if len(all[s.ID]) == 0 {
				t.Errorf("check %s has no counter-test", s.ID)
			}
			for i, counter := range all[s.ID] {
				if err := counter.spoil(ctx, l); err != nil {
					t.Fatalf("check %s, counter-test %d: %v", s.ID, i+1, err)
				}
				if got := try(); got == s.Expected {
					t.Errorf("check %s holds although its reason is false (counter-test %d): %s", s.ID, i+1, got)
				}
				if err := counter.mend(ctx, l); err != nil {
					t.Fatalf("check %s, counter-test %d: undo: %v", s.ID, i+1, err)
				}
				if got := try(); got != s.Expected {
					t.Fatalf("check %s does not hold again after counter-test %d: %s", s.ID, i+1, got)
				}
			}
			delete(all, s.ID)
		}
	}
	for id := range all {
		t.Errorf("there is no check %s", id)
	}
}

// embeddedLab is a lab with everything that the embedded AWS can show, as an IAM
// user with AdministratorAccess.
func embeddedLab(t *testing.T) *Lab {
	t.Helper()
	server := localawstest.New(t).Server
	root := server.Config(server.RootCredentials())
	client := iam.NewFromConfig(root)
	name := aws.String("nextwork-admin")
	_, made := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: name})
	_, attached := client.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: name,
		PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	key, err := client.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: name})
	other, added := server.AddAccount(otherAccount)
	if err := errors.Join(made, attached, err, added); err != nil {
		t.Fatal(err)
	}
	otherConfig := server.Config(other)
	l, err := New(Config{As: server.Config, OtherAccount: &otherConfig,
		Administrator: server.Config(aws.Credentials{AccessKeyID: aws.ToString(key.AccessKey.AccessKeyId),
			SecretAccessKey: aws.ToString(key.AccessKey.SecretAccessKey)}),
		Disk: func(ctx context.Context, table, id string) ([]byte, error) {
			view, err := server.DiskView(ctx, table,
				map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}})
			return view.Sealed, err
		}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sts.NewFromConfig(otherConfig).GetCallerIdentity(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestCorePath: about 25 steps, every one of them in a chapter with a goal;
// the optional chapters say what they answer.
func TestCorePath(t *testing.T) {
	l := embeddedLab(t)
	titles := map[string]bool{}
	for _, lesson := range l.Lessons() {
		titles[lesson.Title] = true
		if lesson.Optional != (lesson.Goal == "") || lesson.Optional != strings.HasSuffix(lesson.Answers, "?") {
			t.Errorf("lesson %+v", lesson)
		}
	}
	for _, lesson := range lessons() {
		if !titles[lesson.Title] {
			t.Errorf("no chapter is called %q", lesson.Title)
		}
	}
	core := 0
	for _, s := range l.Plan() {
		if !s.Optional {
			core++
		}
	}
	l.cfg.Core = true
	if core != l.Size() || core < 18 || core > 26 {
		t.Errorf("the core path has %d steps of %d", core, l.Size())
	}
}

// TestWords: what a learner reads says what happened, in whole sentences, and
// repeats none of the mistakes that earlier texts made. Steps of the clean-up each
// have a reason of their own.
func TestWords(t *testing.T) {
	cleanUp := map[string]string{}
	for _, s := range embeddedLab(t).Plan() {
		if other := cleanUp[s.Why]; s.Chapter == chapterCleanUp && other != "" {
			t.Errorf("steps %s and %s both say %q", other, s.ID, s.Why)
		} else if s.Chapter == chapterCleanUp {
			cleanUp[s.Why] = s.ID
		}
		if s.Why == "" || !strings.HasSuffix(s.Why, ".") || strings.Contains(s.Why, "…") {
			t.Errorf("step %s: %q is not a sentence", s.ID, s.Why)
		}
		for _, wrong := range []string{"alone decides who", "travels", "right is gone", "stops nothing", "KMS is " +
			"never", "outer lock", "both locks", "the lock "} {
			if strings.Contains(s.Title+s.Why, wrong) {
				t.Errorf("step %s says %q", s.ID, wrong)
			}
		}
		if (s.Mode == "" || s.Mode == ModeDirect) != (s.TableKey == "") {
			t.Errorf("step %s, mode %q: the table's key is %q", s.ID, s.Mode, s.TableKey)
		}
		if strings.Contains(s.CLI, "KEY ") && !strings.Contains(s.CLI, "$KEY") {
			t.Errorf("step %s: the command has a placeholder: %s", s.ID, s.CLI)
		}
		if decrypts := s.Expected == SeesPlaintext && s.Mode == ModeClient; decrypts &&
			strings.Contains(s.CLI, "dynamodb get-item") && !strings.Contains(s.CLI, "ddbseal item decrypt") {
			t.Errorf("step %s: the AWS CLI cannot decrypt an item: %s", s.ID, s.CLI)
		}
	}
	if fmt.Sprint(ExpectedPicture()) == fmt.Sprint(expectedOthers()) {
		t.Error("both pictures are the same")
	}
}
