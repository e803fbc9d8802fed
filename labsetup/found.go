// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/store"
)

// Finding is what Lab.Check finds for a step that creates or changes something.
type Finding struct {
	Done bool   // it exists as the lab needs it
	Text string // a sentence that says what exists or what is missing
	// Foreign is the name of a resource that lacks the lab's tag, because it was
	// created by hand or for another purpose. See Config.Adopt.
	Foreign string
}

// Check finds out whether what a step of the core path creates exists, regardless of who
// created it. It changes nothing. ok is false for a step that creates nothing and for an
// unknown id. Errors: those of AWS. Call Begin first.
func (l *Lab) Check(ctx context.Context, id string) (f Finding, ok bool, err error) {
	steps := l.all()
	i := slices.IndexFunc(steps, func(s labStep) bool { return s.ID == id })
	if i < 0 || steps[i].look == nil {
		return Finding{}, false, nil
	}
	if f, err = steps[i].look(ctx); err != nil {
		return f, true, fmt.Errorf("check step %s: %w", id, err)
	}
	return f, true, nil
}

// found adds to a step how Check looks, and what Resume takes from AWS.
func (s labStep) found(look func(context.Context) (Finding, error), recall func(context.Context) error) labStep {
	s.look, s.recall = look, recall
	return s
}

// kept makes a step with Config.ByHand leave what is there as it is: doing it would
// write over what somebody made.
func (s labStep) kept() labStep {
	s.keeps = true
	return s
}

// keep reports whether a step has nothing to do, because what it makes is there.
func (l *Lab) keep(ctx context.Context, s labStep) bool {
	if !l.cfg.ByHand || !s.keeps {
		return false
	}
	f, err := s.look(ctx)
	if err != nil || !f.Done {
		return false // the step itself tells what is wrong
	}
	return s.recall == nil || s.recall(ctx) == nil
}

// adopts makes what the lab has not made the lab's, if it may.
func (l *Lab) adopts(err error, tag func() error) error {
	if l.cfg.Adopt && errors.Is(err, ErrNotOurs) {
		return tag()
	}
	return err
}

func (l *Lab) lookKey(ctx context.Context) (Finding, error) {
	name := l.actual(KeyAlias)
	out, err := l.administrator.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(name)})
	var missing *kmstypes.NotFoundException
	switch {
	case errors.As(err, &missing):
		return Finding{Text: "There is no key with the alias " + name + " yet."}, nil
	case err != nil:
		return Finding{}, err
	}
	m := out.KeyMetadata
	switch {
	case m.KeySpec != kmstypes.KeySpecSymmetricDefault || m.KeyUsage != kmstypes.KeyUsageTypeEncryptDecrypt:
		return Finding{Text: "The key " + name + " is not a symmetric key for encryption, which DynamoDB needs."}, nil
	case m.KeyState != kmstypes.KeyStateEnabled:
		return Finding{Text: "The key " + name + " is there and cannot be used: its state is " +
			string(m.KeyState) + "."}, nil
	}
	f := Finding{Done: true, Text: "The key " + name + " is there."}
	err = l.checkKeyOurs(ctx, aws.ToString(m.Arn))
	return l.foreign(f, name, err)
}

// foreign notes in a finding that what was found lacks the lab's tag.
func (l *Lab) foreign(f Finding, name string, err error) (Finding, error) {
	if errors.Is(err, ErrNotOurs) {
		f.Foreign = name
		return f, nil
	}
	return f, err
}

// lookAlias is lookKey once the key has been accepted.
func (l *Lab) lookAlias(ctx context.Context) (Finding, error) {
	f, err := l.lookKey(ctx)
	if f.Foreign = ""; f.Done {
		f.Text = "The key has the alias " + l.actual(KeyAlias) + "."
	}
	return f, err
}

// theKey returns the ARN of the lab's key, which Check may need before the lab knows it.
func (l *Lab) theKey(ctx context.Context) (string, error) {
	if l.keyARN != "" {
		return l.keyARN, nil
	}
	return NamedKeyARN(ctx, l.cfg.Administrator, l.actual(KeyAlias))
}

func (l *Lab) recallKey(ctx context.Context) (err error) {
	l.keyARN, err = l.theKey(ctx)
	return err
}

// admitted returns the statements of the key policy that allow kms:Decrypt to the user,
// and the policy.
func (l *Lab) admitted(ctx context.Context) (sids []string, policy string, err error) {
	key, err := l.theKey(ctx)
	if err != nil {
		return nil, "", err
	}
	out, err := l.administrator.kms.GetKeyPolicy(ctx,
		&kms.GetKeyPolicyInput{KeyId: aws.String(key), PolicyName: aws.String(policyName)})
	if err != nil {
		return nil, "", err
	}
	policy = aws.ToString(out.Policy)
	user, err := l.theUser(ctx)
	if err != nil || user == "" {
		return nil, policy, err
	}
	return keypolicy.Admitting(policy, user, "kms:Decrypt"), policy, nil
}

// theUser returns the ARN of the user, or "" if there is none.
func (l *Lab) theUser(ctx context.Context) (string, error) {
	if l.userARN != "" {
		return l.userARN, nil
	}
	out, err := l.iam().GetUser(ctx, &iam.GetUserInput{UserName: aws.String(l.actual(UserName))})
	if missing(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.User.Arn), nil
}

func (l *Lab) recallUser(ctx context.Context) (err error) {
	l.userARN, err = l.theUser(ctx)
	return err
}

func (l *Lab) lookPolicy(ctx context.Context) (Finding, error) {
	sids, policy, err := l.admitted(ctx)
	if err != nil {
		return Finding{}, err
	}
	root := "arn:aws:iam::" + l.account + ":root"
	if parsed, err := arn.Parse(l.caller); err == nil {
		root = "arn:" + parsed.Partition + ":iam::" + l.account + ":root"
	}
	switch {
	case len(keypolicy.Admitting(policy, root, "kms:PutKeyPolicy")) == 0:
		return Finding{Text: "No statement of the key policy lets the account's IAM policies count."}, nil
	case len(keypolicy.Admitting(policy, l.caller, "kms:Decrypt")) == 0:
		return Finding{Text: "No statement of the key policy lets you use the key: name yourself as a key user."}, nil
	case len(sids) > 0:
		return Finding{Text: fmt.Sprintf("The key policy lets %s use the key already, by “%s”. Remove them: they "+
			"have to be denied first.", l.actual(UserName), strings.Join(sids, "”, “"))}, nil
	}
	return Finding{Done: true, Text: "The key policy lets you use the key, and does not name the user."}, nil
}

// lookGiven looks whether the key policy names the user, or that it does not.
func (l *Lab) lookGiven(given bool) func(context.Context) (Finding, error) {
	return func(ctx context.Context) (Finding, error) {
		sids, _, err := l.admitted(ctx)
		text := "No statement of the key policy lets " + l.actual(UserName) + " use the key."
		if len(sids) > 0 {
			text = fmt.Sprintf("The key policy lets %s use the key, by “%s”.", l.actual(UserName),
				strings.Join(sids, "”, “"))
		}
		return Finding{Done: (len(sids) > 0) == given, Text: text}, err
	}
}

// keepPolicies notes for the report what the key policy is with the user and without
// them. A report that has them keeps them.
func (l *Lab) keepPolicies(ctx context.Context) error {
	if l.report.PolicyAfter != "" {
		return nil
	}
	after, err := l.keyPolicy(ctx)
	if err != nil {
		return err
	}
	p, err := keypolicy.Parse(after)
	if err != nil {
		return policyShape(err)
	}
	if _, err := p.Remove(l.userARN, keypolicy.SidUsers, keypolicy.SidAttachment); err != nil {
		return nil // it was given another way: the report shows no difference
	}
	l.notePolicies(keypolicy.Layout(p.Text()), keypolicy.Layout(after))
	return nil
}

// table describes a table, or returns nil if there is none.
func (l *Lab) table(ctx context.Context, name string) (*dynamodbtypes.TableDescription, error) {
	out, err := l.administrator.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
	var missing *dynamodbtypes.ResourceNotFoundException
	if errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return out.Table, nil
}

func (l *Lab) lookTable(name string) func(context.Context) (Finding, error) {
	return func(ctx context.Context) (Finding, error) {
		name := l.actual(name)
		t, err := l.table(ctx, name)
		switch {
		case err != nil:
			return Finding{}, err
		case t == nil:
			return Finding{Text: "There is no table " + name + " yet."}, nil
		case len(t.KeySchema) != 1 || aws.ToString(t.KeySchema[0].AttributeName) != "id" ||
			len(t.AttributeDefinitions) == 0 ||
			t.AttributeDefinitions[0].AttributeType != dynamodbtypes.ScalarAttributeTypeS:
			return Finding{Text: "The table " + name + " needs the partition key id (String) and no sort key. Delete " +
				"it, and make it again."}, nil
		}
		return l.foreign(Finding{Done: true, Text: "The table " + name + " is there."}, name,
			l.checkTableOurs(ctx, name))
	}
}

func (l *Lab) lookTableKey(name string) func(context.Context) (Finding, error) {
	return func(ctx context.Context) (Finding, error) {
		name := l.actual(name)
		t, err := l.table(ctx, name)
		if err != nil || t == nil {
			return Finding{Text: "There is no table " + name + "."}, err
		}
		key, err := l.theKey(ctx)
		if err != nil {
			return Finding{}, err
		}
		if s := t.SSEDescription; s == nil || aws.ToString(s.KMSMasterKeyArn) != key {
			return Finding{Text: "The table " + name + " is not under the key " + l.actual(KeyAlias) + " yet."}, nil
		}
		return Finding{Done: true, Text: "The table " + name + " is under the key " + l.actual(KeyAlias) + "."}, nil
	}
}

func (l *Lab) lookRecord(table, mode string) func(context.Context) (Finding, error) {
	return func(ctx context.Context) (Finding, error) {
		name, r := l.actual(table), theRecord()
		key, err := l.theKey(ctx)
		if err != nil {
			return Finding{}, err
		}
		open, err := OpenNamedTable(l.cfg.Administrator, key, mode, name)
		if err != nil {
			return Finding{}, err
		}
		values := fmt.Sprintf("id %s, name %s, diagnosis %s, ward %s", r.ID, r.Name, r.Diagnosis, r.Ward)
		got, err := open.Get(ctx, store.Key{Partition: r.ID})
		switch {
		case errors.Is(err, store.ErrNotFound):
			return Finding{Text: "The table " + name + " does not have this record yet: " + values + "."}, nil
		case err != nil:
			return Finding{Text: "The item " + r.ID + " of " + name + " cannot be read as the lab's record (" +
				classify("", err) + "). It needs " + values + "."}, nil
		case got != r:
			return Finding{Text: "The item " + r.ID + " of " + name + " is another record. It needs " + values + "."},
				nil
		}
		return Finding{Done: true, Text: "The record is in " + name + "."}, nil
	}
}

func (l *Lab) lookUser(ctx context.Context) (Finding, error) {
	name := l.actual(UserName)
	out, err := l.iam().ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: aws.String(name)})
	if missing(err) {
		return Finding{Text: "There is no user " + name + " yet."}, nil
	}
	if err != nil {
		return Finding{}, err
	}
	for _, p := range out.AttachedPolicies {
		if a := aws.ToString(p.PolicyArn); a == PolicyFull || a == PolicyFullV2 || a == PolicyReadOnly {
			return l.foreign(Finding{Done: true, Text: "The user " + name + " is there and has " +
				aws.ToString(p.PolicyName) + "."}, name, l.checkUserOurs(ctx, name))
		}
	}
	return Finding{Text: "The user " + name + " is there, without a managed policy for DynamoDB."}, nil
}

func (l *Lab) lookPassword(ctx context.Context) (Finding, error) {
	name := l.actual(UserName)
	_, err := l.iam().GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: aws.String(name)})
	if missing(err) {
		return Finding{Text: "The user " + name + " has no console password yet."}, nil
	}
	return Finding{Done: err == nil, Text: "The user " + name + " has a console password, which stays as it is."}, err
}

func (l *Lab) lookUserKey(context.Context) (Finding, error) {
	return Finding{Text: "The lab signs its requests as " + l.actual(UserName) + " with an access key of its own: " +
		"AWS shows the secret of a key only once."}, nil
}
