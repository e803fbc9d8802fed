// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/access"
)

// moto fills a fresh moto server with principals and tables.
func moto(t *testing.T) aws.Config {
	t.Helper()
	url := os.Getenv("DDBSEAL_MOTO")
	if url == "" {
		t.Skip("DDBSEAL_MOTO is the address of a moto server: see .ci/suite-access")
	}
	ctx := t.Context()
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider("x", "x", "")}
	keys, tables, people := kms.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg), iam.NewFromConfig(cfg)
	key := must(keys.CreateKey(ctx, &kms.CreateKeyInput{})).KeyMetadata.Arn
	for name, sse := range map[string]*types.SSESpecification{
		"Orders": {Enabled: aws.Bool(true), SSEType: types.SSETypeKms, KMSMasterKeyId: key}, "Plain": nil,
		"Managed": {Enabled: aws.Bool(true), SSEType: types.SSETypeKms}} {
		in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest,
			SSESpecification: sse,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"),
				AttributeType: types.ScalarAttributeTypeS}},
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}}}
		if name == "Orders" {
			in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true),
				StreamViewType: types.StreamViewTypeNewImage}
		}
		must(tables.CreateTable(ctx, in))
	}
	user := func(name string, policies ...string) {
		must(people.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}))
		for i, p := range policies {
			must(people.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyDocument: &p,
				PolicyName: aws.String("p" + string(rune('0'+i)))}))
		}
	}
	user("attached")
	managed := must(people.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("m"),
		PolicyDocument: aws.String(identity("dynamodb:*"))})).Policy.Arn
	must(people.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("attached"), PolicyArn: managed}))
	user("reader", readItems, useKey)
	user("grantee", readItems)
	must(keys.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key, Operations: grantOperations("Decrypt"),
		GranteePrincipal: aws.String("arn:aws:iam::123456789012:user/grantee")}))
	must(people.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("bounded"), PermissionsBoundary: managed}))
	must(people.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("bounded"), PolicyName: aws.String("p"),
		PolicyDocument: aws.String(identity("*"))}))
	user("member", useKey)
	must(people.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("g")}))
	must(people.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: aws.String("g"), PolicyName: aws.String("p"),
		PolicyDocument: aws.String(readItems)}))
	must(people.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: aws.String("g"),
		UserName: aws.String("member")}))
	user("assumer", identity("sts:AssumeRole"))
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",` +
		`"Principal":{"AWS":"arn:aws:iam::123456789012:root"}}}`
	role := func(name, trust string) {
		must(people.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}))
	}
	role("app", trust)
	for i, p := range []string{readItems, useKey} {
		must(people.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("app"), PolicyDocument: &p,
			PolicyName: aws.String("p" + string(rune('0'+i)))}))
	}
	// AWS refuses this trust policy, and this server does not.
	role("odd", naming(`{"AWS":"arn:aws:iam::123456789012:root"}`, "sts:AssumeRole"))
	return cfg
}

// TestMoto: Load reads a server of another project, says what it cannot read
// there, and no answer that depends on it is "no".
func TestMoto(t *testing.T) {
	cfg := moto(t)
	s, err := access.Load(t.Context(), cfg, access.Table{Name: "Orders"}, access.Table{Name: "Plain"},
		access.Table{Name: "Managed"})
	if err != nil {
		t.Fatal(err)
	}
	a := analyze(t, s)
	text := a.Text(access.TextOptions{Why: true})
	for _, want := range []string{
		// It has streams and does not find them by their ARNs.
		"Not read: dynamodb:GetResourcePolicy of arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/",
		"Not read: policy of arn:aws:iam::123456789012:role/odd: the policy cannot be read: trust policy: ",
		"The key alone keeps 1 principal from reading Orders, and a principal can take the table off the key",
		"arn:aws:iam::123456789012:user/assumer assumes the role arn:aws:iam::123456789012:role/app (sts:AssumeRole)",
		"kms:Decrypt: grant ", "dynamodb:GetItem: group's inline policy"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q", want)
		}
	}
	// It tells no user's permissions boundary, so that bounded reads Orders: a boundary
	// that is left out turns a no into a yes, never a yes into a no.
	for table, want := range map[string]map[string]access.Verdict{
		"Orders": {"attached": access.No, "reader": access.Yes, "grantee": access.Yes, "member": access.Yes,
			"bounded": access.Yes, "app": access.Yes, "assumer": access.No, "odd": access.No},
		"Plain":   {"attached": access.Yes, "reader": access.Yes, "grantee": access.Yes, "assumer": access.No},
		"Managed": {"attached": access.No, "reader": access.Yes, "grantee": access.No},
	} {
		i := slices.IndexFunc(a.Tables, func(x access.TableAnalysis) bool { return x.Name == table })
		for _, r := range a.Tables[i].Rows {
			name := r.Principal[strings.LastIndexByte(r.Principal, '/')+1:]
			if v, ok := want[name]; ok && r.Cells.ReadClear.Verdict != v {
				t.Errorf("%s of %s: %v", name, table, r.Cells.ReadClear.Verdict)
			}
			delete(want, name)
		}
		if len(want) > 0 {
			t.Errorf("%s lacks %v", table, want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	// The same, one call at a time.
	cfg.HTTPClient = &foreign{http.DefaultClient, 500, []string{"GetAccountAuthorizationDetails"}}
	cfg.RetryMaxAttempts = 1
	one, err := access.Load(t.Context(), cfg, access.Table{Name: "Orders"})
	if err != nil {
		t.Fatal(err)
	}
	whole := *a
	whole.Tables = a.Tables[:1]
	for _, c := range access.Diff(&whole, analyze(t, one)) {
		t.Errorf("one call at a time: %s", c)
	}
}
