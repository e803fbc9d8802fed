// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

func TestSimulatePages(t *testing.T) {
	w := newWorld(t, nil)
	w.user(account1, "alice", "AdministratorAccess")
	in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111122223333:user/alice"),
		ActionNames: []string{"kms:Decrypt", "kms:Encrypt"}}
	for i := range 80 {
		in.ResourceArns = append(in.ResourceArns, fmt.Sprintf("arn:aws:kms:us-east-1:111122223333:key/%d", i))
	}
	seen := map[string]bool{}
	pages := 0
	for p := iam.NewSimulatePrincipalPolicyPaginator(w.iam(w.root(account1)), in); p.HasMorePages(); pages++ {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.EvaluationResults {
			seen[*r.EvalActionName+*r.EvalResourceName] = true
			if r.EvalDecision != types.PolicyEvaluationDecisionTypeAllowed {
				t.Fatalf("%+v", r)
			}
		}
	}
	if pages != 2 || len(seen) != 160 {
		t.Fatalf("%d pages with %d results", pages, len(seen))
	}
	in.Marker = aws.String("-1")
	_, err := w.iam(w.root(account1)).SimulatePrincipalPolicy(t.Context(), in)
	wantCode(t, err, "InvalidInput", "Marker")
}

func TestSimulateBoundaryAndContext(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	w.user(account1, "alice")
	w.give("alice", allowing("kms:*", "*", `{"StringEquals":{"kms:ViaService":"dynamodb.us-east-1.amazonaws.com"}}`))
	in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111122223333:user/alice"),
		ActionNames: []string{"kms:Decrypt"}}
	result := func() types.EvaluationResult {
		t.Helper()
		out, err := c.SimulatePrincipalPolicy(ctx, in)
		if err != nil || len(out.EvaluationResults) != 1 {
			t.Fatal(out, err)
		}
		return out.EvaluationResults[0]
	}
	r := result()
	if r.EvalDecision != types.PolicyEvaluationDecisionTypeImplicitDeny || len(r.MissingContextValues) != 1 ||
		r.MissingContextValues[0] != "kms:ViaService" {
		t.Fatalf("%+v", r)
	}
	in.ContextEntries = []types.ContextEntry{{ContextKeyName: aws.String("kms:viaservice"),
		ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{"dynamodb.us-east-1.amazonaws.com"}}}
	if r = result(); r.EvalDecision != types.PolicyEvaluationDecisionTypeAllowed ||
		r.PermissionsBoundaryDecisionDetail != nil {
		t.Fatalf("%+v", r)
	}
	in.PermissionsBoundaryPolicyInputList = []string{*allowing("kms:Encrypt", "*", "")}
	if r = result(); r.EvalDecision != types.PolicyEvaluationDecisionTypeImplicitDeny ||
		r.PermissionsBoundaryDecisionDetail == nil || r.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary {
		t.Fatalf("%+v", r)
	}
	in.PermissionsBoundaryPolicyInputList = nil
	must(t)(c.PutUserPermissionsBoundary(ctx,
		&iam.PutUserPermissionsBoundaryInput{UserName: aws.String("alice"),
			PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")}))
	if r = result(); r.EvalDecision != types.PolicyEvaluationDecisionTypeImplicitDeny ||
		r.PermissionsBoundaryDecisionDetail == nil || r.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary {
		t.Fatalf("%+v", r)
	}
	must(t)(c.PutUserPermissionsBoundary(ctx,
		&iam.PutUserPermissionsBoundaryInput{UserName: aws.String("alice"),
			PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))
	if r = result(); r.EvalDecision != types.PolicyEvaluationDecisionTypeAllowed ||
		r.PermissionsBoundaryDecisionDetail == nil ||
		!r.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary {
		t.Fatalf("%+v", r)
	}
	in.ResourceHandlingOption = aws.String("EC2-VPC-EBS")
	_, err := c.SimulatePrincipalPolicy(ctx, in)
	wantCode(t, err, "InvalidInput", "not supported by this server")
}

func TestSimulateCustomPolicy(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	in := &iam.SimulateCustomPolicyInput{PolicyInputList: []string{*allowing("kms:*", "*", ""),
		`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}}`},
		ActionNames: []string{"kms:Decrypt", "kms:Encrypt", "dynamodb:GetItem"}, MaxItems: aws.Int32(2)}
	var got string
	for p := iam.NewSimulateCustomPolicyPaginator(c, in); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.EvaluationResults {
			got += fmt.Sprint(*r.EvalActionName, " ", r.EvalDecision, " ")
			for _, m := range r.MatchedStatements {
				got += *m.SourcePolicyId + " "
			}
		}
	}
	if want := "kms:Decrypt allowed PolicyInputList.1 kms:Encrypt explicitDeny PolicyInputList.1 PolicyInputList.2 " +
		"dynamodb:GetItem implicitDeny "; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	in.PolicyInputList = []string{"{"}
	_, err := c.SimulateCustomPolicy(ctx, in)
	wantCode(t, err, "MalformedPolicyDocument", "")
	alice := w.user(account1, "alice")
	_, err = w.iam(alice).SimulateCustomPolicy(ctx, in)
	wantCode(t, err, "AccessDenied", "iam:SimulateCustomPolicy")
}

// However much is asked at once, one page is little work and a short answer.
func TestSimulatePagesShrinkWithPolicies(t *testing.T) {
	w := newWorld(t, nil)
	c := w.iam(w.root(account1))
	statement := `{"Effect":"Allow","Action":"*","Resource":"*"}`
	pattern := `"kms:*` + strings.Repeat("a", 5000) + `b"`
	document := `{"Version":"2012-10-17","Statement":[` + strings.Repeat(statement+",", 99) + statement + `]}`
	in := &iam.SimulateCustomPolicyInput{ActionNames: []string{"kms:Decrypt"}, MaxItems: aws.Int32(1000)}
	for range 50 {
		in.PolicyInputList = append(in.PolicyInputList, document)
	}
	for i := range 200 {
		in.ResourceArns = append(in.ResourceArns, fmt.Sprintf("arn:aws:kms:us-east-1:111122223333:key/%d", i))
	}
	out, err := c.SimulateCustomPolicy(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(out.EvaluationResults); n == 0 || n > 20 || !out.IsTruncated ||
		len(out.EvaluationResults[0].MatchedStatements) != 50 {
		t.Fatalf("%d results, first with %d matches", n, len(out.EvaluationResults[0].MatchedStatements))
	}
	// Few statements with long patterns are as much work.
	for i := range in.PolicyInputList {
		in.PolicyInputList[i] = strings.Replace(`{"Version":"2012-10-17","Statement":[`+statement+`]}`, `"*"`, pattern,
			1)
	}
	out, err = c.SimulateCustomPolicy(t.Context(), in)
	if err != nil || len(out.EvaluationResults) > 20 {
		t.Fatalf("%v %v", out, err)
	}
	in.ActionNames = []string{"kms:" + strings.Repeat("a", 200)}
	_, err = c.SimulateCustomPolicy(t.Context(), in)
	wantCode(t, err, "ValidationError", "actionNames")
}

// Names are no longer than IAM's longest, for every caller: they are compared with
// patterns before the caller's permission is known.
func TestLongNames(t *testing.T) {
	w := newWorld(t, nil)
	alice := w.user(account1, "alice")
	_, err := w.iam(alice).GetUser(t.Context(),
		&iam.GetUserInput{UserName: aws.String(strings.Repeat("a", wire.MaxText))})
	wantCode(t, err, "AccessDenied", "iam:GetUser")
	_, err = w.iam(alice).GetUser(t.Context(),
		&iam.GetUserInput{UserName: aws.String(strings.Repeat("a", wire.MaxText+1))})
	wantCode(t, err, "ValidationError", "userName")
}

// TestContextKeys: the condition keys that the policies of a request and of a user
// ask for, each once.
func TestContextKeys(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	w.user(account1, "alice")
	w.give("alice", allowing("kms:*", "*", `{"StringEquals":{"kms:ViaService":"x","aws:PrincipalTag/team":"red"}}`))
	given := []string{*allowing("kms:*", "*", `{"StringLike":{"kms:ViaService":"x","aws:UserAgent":"y"}}`)}
	custom, err := c.GetContextKeysForCustomPolicy(ctx, &iam.GetContextKeysForCustomPolicyInput{PolicyInputList: given})
	if err != nil || fmt.Sprint(custom.ContextKeyNames) != "[aws:UserAgent kms:ViaService]" {
		t.Errorf("of policies: %v, %v", custom, err)
	}
	own, err := c.GetContextKeysForPrincipalPolicy(ctx,
		&iam.GetContextKeysForPrincipalPolicyInput{PolicyInputList: given,
			PolicySourceArn: aws.String("arn:aws:iam::" + account1 + ":user/alice")})
	if err != nil || fmt.Sprint(own.ContextKeyNames) != "[aws:PrincipalTag/team aws:UserAgent kms:ViaService]" {
		t.Errorf("of a user: %v, %v", own, err)
	}
	_, err = c.GetContextKeysForPrincipalPolicy(ctx, &iam.GetContextKeysForPrincipalPolicyInput{
		PolicySourceArn: aws.String("arn:aws:iam::" + account1 + ":user/missing")})
	wantCode(t, err, "NoSuchEntity", "user/missing")
}
