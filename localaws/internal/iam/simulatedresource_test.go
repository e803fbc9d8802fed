// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// TestSimulateResourcePolicy: the policy of a resource counts, for the caller and
// the owner that the request names.
func TestSimulateResourcePolicy(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	w.user(account1, "alice")
	const (
		alice   = "arn:aws:iam::" + account1 + ":user/alice"
		ghost   = "arn:aws:iam::" + account2 + ":user/ghost" // there is no such user
		role    = "arn:aws:iam::" + account1 + ":role/reader"
		table   = "arn:aws:dynamodb:us-east-1:" + account1 + ":table/t"
		bucket  = "arn:aws:s3:::bucket/x"
		key     = "arn:aws:kms:us-east-1:" + account1 + ":key/1"
		nothing = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}`
	)
	resource := func(effect, principal, action string) string {
		return `{"Version":"2012-10-17","Statement":{"Sid":"S","Effect":"` + effect + `","Principal":{"AWS":"` + principal + `"},"Action":"` + action + `","Resource":"*"}}`
	}
	for name, x := range map[string]struct {
		identity, resource, caller, owner, action, arn string
		want                                           types.PolicyEvaluationDecisionType
	}{
		"resource policy allows":     {nothing, resource("Allow", alice, "dynamodb:*"), alice, "", "dynamodb:GetItem", table, "allowed"},
		"resource policy of another": {nothing, resource("Allow", ghost, "dynamodb:*"), alice, "", "dynamodb:GetItem", table, "implicitDeny"},
		"resource policy denies":     {*allowing("dynamodb:*", "*", ""), resource("Deny", "*", "dynamodb:*"), alice, "", "dynamodb:GetItem", table, "explicitDeny"},
		"role by its ARN":            {nothing, resource("Allow", role, "dynamodb:*"), role, "", "dynamodb:GetItem", table, "allowed"},
		"across accounts, one side":  {nothing, resource("Allow", ghost, "dynamodb:*"), ghost, "", "dynamodb:GetItem", table, "implicitDeny"},
		"across accounts, the other": {*allowing("dynamodb:*", "*", ""), resource("Allow", alice, "dynamodb:*"), ghost, "", "dynamodb:GetItem", table, "implicitDeny"},
		"across accounts, both":      {*allowing("dynamodb:*", "*", ""), resource("Allow", ghost, "dynamodb:*"), ghost, "", "dynamodb:GetItem", table, "allowed"},
		"own bucket":                 {nothing, resource("Allow", alice, "s3:*"), alice, "", "s3:GetObject", bucket, "allowed"},
		"bucket of another":          {nothing, resource("Allow", alice, "s3:*"), alice, account2, "s3:GetObject", bucket, "implicitDeny"},
		"bucket of another, by ARN":  {nothing, resource("Allow", alice, "s3:*"), alice, "arn:aws:iam::" + account2 + ":root", "s3:GetObject", bucket, "implicitDeny"},
		"key policy without root":    {*allowing("kms:*", "*", ""), resource("Allow", ghost, "kms:*"), alice, "", "kms:Decrypt", key, "implicitDeny"},
		"key policy with root":       {*allowing("kms:*", "*", ""), resource("Allow", account1, "kms:*"), alice, "", "kms:Decrypt", key, "allowed"},
	} {
		in := &iam.SimulateCustomPolicyInput{PolicyInputList: []string{x.identity}, ResourcePolicy: &x.resource,
			CallerArn:   &x.caller,
			ActionNames: []string{x.action}, ResourceArns: []string{x.arn}}
		if x.owner != "" {
			in.ResourceOwner = &x.owner
		}
		out, err := c.SimulateCustomPolicy(ctx, in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := out.EvaluationResults[0]; got.EvalDecision != x.want {
			t.Errorf("%s: %s, want %s", name, got.EvalDecision, x.want)
		} else if name == "resource policy denies" &&
			*got.MatchedStatements[len(got.MatchedStatements)-1].SourcePolicyId != "ResourcePolicy" {
			t.Errorf("%s: matched %v", name, got.MatchedStatements)
		}
	}

	// The user of SimulatePrincipalPolicy is the caller unless another is named.
	principal := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(alice),
		ActionNames:  []string{"dynamodb:GetItem"},
		ResourceArns: []string{table}, ResourcePolicy: aws.String(resource("Allow", alice, "dynamodb:*"))}
	for caller, want := range map[string]types.PolicyEvaluationDecisionType{"": "allowed", role: "implicitDeny"} {
		if caller != "" {
			principal.CallerArn = &caller
		}
		out, err := c.SimulatePrincipalPolicy(ctx, principal)
		if err != nil || out.EvaluationResults[0].EvalDecision != want {
			t.Errorf("as %q: %v %v, want %s", caller, out, err, want)
		}
		principal.CallerArn = nil
	}

	for name, x := range map[string]struct {
		edit       func(*iam.SimulateCustomPolicyInput)
		code, text string
	}{
		"no caller": {func(in *iam.SimulateCustomPolicyInput) { in.CallerArn = nil }, "InvalidInput", "CallerArn is required"},
		"assumed role": {func(in *iam.SimulateCustomPolicyInput) {
			in.CallerArn = aws.String("arn:aws:sts::" + account1 + ":assumed-role/a/b")
		}, "InvalidInput", "user, group or role"},
		"the root user": {func(in *iam.SimulateCustomPolicyInput) {
			in.CallerArn = aws.String("arn:aws:iam::" + account1 + ":root")
		}, "InvalidInput", "user, group or role"},
		"no ARN":          {func(in *iam.SimulateCustomPolicyInput) { in.CallerArn = aws.String("neither an arn nor short") }, "ValidationError", "Invalid ARN"},
		"no owner":        {func(in *iam.SimulateCustomPolicyInput) { in.ResourceOwner = aws.String("me") }, "InvalidInput", "ResourceOwner"},
		"identity policy": {func(in *iam.SimulateCustomPolicyInput) { in.ResourcePolicy = aws.String(nothing) }, "MalformedPolicyDocument", ""},
	} {
		in := &iam.SimulateCustomPolicyInput{PolicyInputList: []string{nothing}, CallerArn: aws.String(alice),
			ActionNames:    []string{"kms:Decrypt"},
			ResourcePolicy: aws.String(resource("Allow", alice, "kms:*"))}
		x.edit(in)
		_, err := c.SimulateCustomPolicy(ctx, in)
		t.Run(name, func(t *testing.T) { wantCode(t, err, x.code, x.text) })
	}
}
