// SPDX-License-Identifier: Apache-2.0

package localawstest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/localaws"
)

// PolicyTest says what a key policy must allow and deny. Every case makes a
// real call to a server and a key of its own, so that the key policy, IAM
// policies and permissions boundaries decide together. The document names its
// principals as arn:aws:iam::{{account}}:user/<name>.
type PolicyTest struct {
	KeyPolicy any // a policy document as in Seed
	// Seed has the principals: users and roles, with their policies.
	Seed  Seed
	Cases []PolicyCase
}

// PolicyCase is one call and its expected outcome.
type PolicyCase struct {
	Name string // of the subtest; empty: composed of Action, As and the outcome
	// As is the caller: "root", "user/<name>" or "role/<name>". A user who may
	// assume every role whose trust policy admits the account assumes the role.
	As string
	// Action is the call: kms:Encrypt, Decrypt, ReEncryptFrom,
	// GenerateDataKey, GenerateDataKeyWithoutPlaintext, DescribeKey,
	// GetKeyPolicy, PutKeyPolicy, CreateGrant, ListGrants, EnableKey,
	// DisableKey, UpdateKeyDescription, TagResource, GetKeyRotationStatus,
	// EnableKeyRotation, ScheduleKeyDeletion; or dynamodb:GetItem and PutItem,
	// on a table under the key: then Denies is usually "kms:Decrypt".
	Action string
	// EncryptionContext is the context that the cryptographic calls pass.
	EncryptionContext map[string]string
	// Denies is the action that must be denied; empty: the call must succeed.
	Denies string
	// Because is a part of the denial's message; empty: any message.
	Because string
}

// Run runs every case as a subtest. If the outcome of a case is not the expected
// one, the failure lists how each statement and grant applied to the call.
func (p PolicyTest) Run(t *testing.T) {
	t.Helper()
	if len(p.Cases) == 0 {
		t.Fatal("a PolicyTest without cases tests nothing")
	}
	for _, c := range p.Cases {
		t.Run(c.name(), func(t *testing.T) {
			if wrong := p.judge(t, c); wrong != "" {
				t.Error(wrong)
			}
		})
	}
}

func (c PolicyCase) name() string {
	if c.Name != "" {
		return c.Name
	}
	outcome := "allowed"
	if c.Denies != "" {
		outcome = "denied"
	}
	return fmt.Sprintf("%s as %s is %s", c.Action, c.As, outcome)
}

// subject is the key of one case and what belongs to it.
type subject struct {
	arn, policy, table string
	ciphertext         []byte
	context            map[string]string
}

// policyTestTable is the table of dynamodb: calls.
const policyTestTable = "PolicyTest"

// assumer is the user through whom roles are assumed.
const assumer = "localawstest-assumer"

// judge makes the call of a case and says how its outcome is not the expected one,
// nothing when it is.
func (p PolicyTest) judge(t testing.TB, c PolicyCase) string {
	t.Helper()
	s, call := p.prepare(t, c)
	err := call()
	wrong := ""
	switch {
	case c.Denies != "":
		wrong = notDenied(err, c.Denies, c.Because)
	case err != nil:
		wrong = err.Error() + "; want it allowed"
	}
	if wrong == "" {
		return ""
	}
	text := fmt.Sprintf("%s as %s: %s", c.Action, c.As, wrong)
	if err == nil {
		// Only a denial is explained: deny the call besides, and list the others.
		s.SetKeyPolicy("subject", denying(s.document(p.KeyPolicy)))
		_ = call()
	}
	for _, r := range s.lastReasons() {
		if r.Sid != denyingSid {
			text += "\n\t" + r.Text
		}
	}
	return text
}

// denyingSid names the statement that makes the evaluator explain an allowed call.
const denyingSid = "localawstestExplains"

// denying adds a statement that denies everything to a policy.
func denying(text string) string {
	var document map[string]any
	if json.Unmarshal([]byte(text), &document) != nil {
		return text
	}
	statements, several := document["Statement"].([]any)
	if !several {
		statements = []any{document["Statement"]}
	}
	document["Statement"] = append(statements, map[string]any{"Sid": denyingSid, "Effect": "Deny", "Principal": "*",
		"Action": "kms:*", "Resource": "*"})
	out, err := compact(document)
	if err != nil {
		return text
	}
	return out
}

// lastReasons returns how each statement and grant bore on the last denied call.
func (s *Server) lastReasons() []localaws.Reason {
	for _, e := range slices.Backward(s.Audit().Events()) {
		if reasons := e.Explanation(); len(reasons) > 0 {
			return reasons
		}
	}
	return nil
}

// prepare makes a server as the case needs it and returns the call.
func (p PolicyTest) prepare(t testing.TB, c PolicyCase) (*Server, func() error) {
	t.Helper()
	call, ok := policyCalls[c.Action]
	if !ok {
		t.Fatalf("PolicyTest has no call for action %q", c.Action)
	}
	s := New(t, WithSeed(p.Seed), WithSeed(Seed{
		Keys: []Key{{Name: "subject"}},
		Users: []User{{Name: assumer,
			Policies: map[string]any{
				"assume": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}`}}},
	}))
	x := subject{arn: s.Key("subject"), table: policyTestTable, context: c.EncryptionContext}
	ctx := context.Background()
	// Prepared under the default policy, with which root may do everything.
	if strings.HasPrefix(c.Action, "dynamodb:") {
		s.Seed(Seed{Tables: []Table{{Name: x.table, PartitionKey: "id", Key: "subject"}}})
	}
	sealed, err := kms.NewFromConfig(s.Root()).Encrypt(ctx,
		&kms.EncryptInput{KeyId: &x.arn, Plaintext: []byte("plaintext"), EncryptionContext: c.EncryptionContext})
	s.must(err, "encrypt as root")
	x.ciphertext = sealed.CiphertextBlob
	x.policy = s.document(p.KeyPolicy)
	s.SetKeyPolicy("subject", x.policy)
	cfg := p.as(t, s, c.As)
	return s, func() error { return call(ctx, cfg, x) }
}

// as finds the configuration of a case's caller.
func (p PolicyTest) as(t testing.TB, s *Server, who string) aws.Config {
	t.Helper()
	kind, name, _ := strings.Cut(who, "/")
	switch {
	case who == "root":
		return s.Root()
	case kind == "user" && name != "":
		return s.User(name)
	case kind == "role" && name != "":
		return s.Assume(s.User(assumer), name, "policy-test")
	}
	t.Fatalf("the caller %q is neither root nor user/<name> nor role/<name>", who)
	return aws.Config{}
}

type policyCall func(context.Context, aws.Config, subject) error

// only makes a policyCall of a KMS operation whose output does not matter.
func only[In, Out any](op func(*kms.Client, context.Context, *In, ...func(*kms.Options)) (*Out, error),
	in func(subject) *In) policyCall {
	return func(ctx context.Context, cfg aws.Config, x subject) error {
		_, err := op(kms.NewFromConfig(cfg), ctx, in(x))
		return err
	}
}

var policyCalls = map[string]policyCall{
	"kms:Encrypt": only((*kms.Client).Encrypt, func(x subject) *kms.EncryptInput {
		return &kms.EncryptInput{KeyId: &x.arn, Plaintext: []byte("plaintext"), EncryptionContext: x.context}
	}),
	"kms:Decrypt": only((*kms.Client).Decrypt, func(x subject) *kms.DecryptInput {
		return &kms.DecryptInput{CiphertextBlob: x.ciphertext, EncryptionContext: x.context}
	}),
	"kms:ReEncryptFrom": only((*kms.Client).ReEncrypt, func(x subject) *kms.ReEncryptInput {
		return &kms.ReEncryptInput{CiphertextBlob: x.ciphertext, SourceEncryptionContext: x.context,
			DestinationKeyId: &x.arn, DestinationEncryptionContext: x.context}
	}),
	"kms:GenerateDataKey": only((*kms.Client).GenerateDataKey, func(x subject) *kms.GenerateDataKeyInput {
		return &kms.GenerateDataKeyInput{KeyId: &x.arn, KeySpec: kmstypes.DataKeySpecAes256,
			EncryptionContext: x.context}
	}),
	"kms:GenerateDataKeyWithoutPlaintext": only((*kms.Client).GenerateDataKeyWithoutPlaintext,
		func(x subject) *kms.GenerateDataKeyWithoutPlaintextInput {
			return &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: &x.arn, KeySpec: kmstypes.DataKeySpecAes256,
				EncryptionContext: x.context}
		}),
	"kms:DescribeKey": only((*kms.Client).DescribeKey,
		func(x subject) *kms.DescribeKeyInput { return &kms.DescribeKeyInput{KeyId: &x.arn} }),
	"kms:GetKeyPolicy": only((*kms.Client).GetKeyPolicy,
		func(x subject) *kms.GetKeyPolicyInput { return &kms.GetKeyPolicyInput{KeyId: &x.arn} }),
	"kms:PutKeyPolicy": only((*kms.Client).PutKeyPolicy, func(x subject) *kms.PutKeyPolicyInput {
		return &kms.PutKeyPolicyInput{KeyId: &x.arn, Policy: &x.policy, BypassPolicyLockoutSafetyCheck: true}
	}),
	"kms:CreateGrant": only((*kms.Client).CreateGrant, func(x subject) *kms.CreateGrantInput {
		root := "arn:aws:iam::" + strings.Split(x.arn, ":")[4] + ":root"
		return &kms.CreateGrantInput{KeyId: &x.arn, GranteePrincipal: &root,
			Operations: []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt}}
	}),
	"kms:ListGrants": only((*kms.Client).ListGrants,
		func(x subject) *kms.ListGrantsInput { return &kms.ListGrantsInput{KeyId: &x.arn} }),
	"kms:EnableKey": only((*kms.Client).EnableKey,
		func(x subject) *kms.EnableKeyInput { return &kms.EnableKeyInput{KeyId: &x.arn} }),
	"kms:DisableKey": only((*kms.Client).DisableKey,
		func(x subject) *kms.DisableKeyInput { return &kms.DisableKeyInput{KeyId: &x.arn} }),
	"kms:UpdateKeyDescription": only((*kms.Client).UpdateKeyDescription,
		func(x subject) *kms.UpdateKeyDescriptionInput {
			return &kms.UpdateKeyDescriptionInput{KeyId: &x.arn, Description: aws.String("another")}
		}),
	"kms:TagResource": only((*kms.Client).TagResource, func(x subject) *kms.TagResourceInput {
		return &kms.TagResourceInput{KeyId: &x.arn,
			Tags: []kmstypes.Tag{{TagKey: aws.String("k"), TagValue: aws.String("v")}}}
	}),
	"kms:GetKeyRotationStatus": only((*kms.Client).GetKeyRotationStatus,
		func(x subject) *kms.GetKeyRotationStatusInput {
			return &kms.GetKeyRotationStatusInput{KeyId: &x.arn}
		}),
	"kms:EnableKeyRotation": only((*kms.Client).EnableKeyRotation,
		func(x subject) *kms.EnableKeyRotationInput { return &kms.EnableKeyRotationInput{KeyId: &x.arn} }),
	"kms:ScheduleKeyDeletion": only((*kms.Client).ScheduleKeyDeletion, func(x subject) *kms.ScheduleKeyDeletionInput {
		return &kms.ScheduleKeyDeletionInput{KeyId: &x.arn, PendingWindowInDays: aws.Int32(7)}
	}),
	"dynamodb:GetItem": func(ctx context.Context, cfg aws.Config, x subject) error {
		_, err := dynamodb.NewFromConfig(cfg).GetItem(ctx, &dynamodb.GetItemInput{TableName: &x.table, Key: itemKey})
		return err
	},
	"dynamodb:PutItem": func(ctx context.Context, cfg aws.Config, x subject) error {
		_, err := dynamodb.NewFromConfig(cfg).PutItem(ctx, &dynamodb.PutItemInput{TableName: &x.table, Item: itemKey})
		return err
	},
}

var itemKey = map[string]dynamodbtypes.AttributeValue{"id": &dynamodbtypes.AttributeValueMemberS{Value: "1"}}
