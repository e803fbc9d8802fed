package iam

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func TestSimulatePages(t *testing.T) {
	w := newWorld(t, nil)
	w.user(account1, "alice", "AdministratorAccess")
	in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111122223333:user/alice"), ActionNames: []string{"kms:Decrypt", "kms:Encrypt"}}
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
	in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111122223333:user/alice"), ActionNames: []string{"kms:Decrypt"}}
	result := func() types.EvaluationResult {
		t.Helper()
		out, err := c.SimulatePrincipalPolicy(ctx, in)
		if err != nil || len(out.EvaluationResults) != 1 {
			t.Fatal(out, err)
		}
		return out.EvaluationResults[0]
	}
	r := result()
	if r.EvalDecision != types.PolicyEvaluationDecisionTypeImplicitDeny || len(r.MissingContextValues) != 1 || r.MissingContextValues[0] != "kms:ViaService" {
		t.Fatalf("%+v", r)
	}
	in.ContextEntries = []types.ContextEntry{{ContextKeyName: aws.String("kms:viaservice"), ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{"dynamodb.us-east-1.amazonaws.com"}}}
	if r = result(); r.EvalDecision != types.PolicyEvaluationDecisionTypeAllowed || r.PermissionsBoundaryDecisionDetail != nil {
		t.Fatalf("%+v", r)
	}
	in.PermissionsBoundaryPolicyInputList = []string{*allowing("kms:Encrypt", "*", "")}
	if r = result(); r.EvalDecision != types.PolicyEvaluationDecisionTypeImplicitDeny || r.PermissionsBoundaryDecisionDetail == nil || r.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary {
		t.Fatalf("%+v", r)
	}
	in.PermissionsBoundaryPolicyInputList = nil
	must(t)(c.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: aws.String("alice"), PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")}))
	if r = result(); r.EvalDecision != types.PolicyEvaluationDecisionTypeImplicitDeny || r.PermissionsBoundaryDecisionDetail == nil || r.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary {
		t.Fatalf("%+v", r)
	}
	must(t)(c.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: aws.String("alice"), PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))
	if r = result(); r.EvalDecision != types.PolicyEvaluationDecisionTypeAllowed || r.PermissionsBoundaryDecisionDetail == nil || !r.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary {
		t.Fatalf("%+v", r)
	}
	in.ResourcePolicy = aws.String("{}")
	_, err := c.SimulatePrincipalPolicy(ctx, in)
	wantCode(t, err, "InvalidInput", "not supported")
}
