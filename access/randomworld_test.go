// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/access"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// randomWorld is a server with random policies, and clients of each principal.
type randomWorld struct {
	t       testing.TB
	r       *rand.Rand
	server  *localawstest.Server
	configs map[string]aws.Config // by ARN
	users   []string              // ARNs
	roles   []string
	table   access.Table
	key     string // of the table; empty: AWS's
	item    string // of the items; empty: none
	sealed  []byte // under item
}

const (
	account  = "111122223333"
	ordersID = "arn:aws:dynamodb:us-east-1:111122223333:table/Orders"
)

// readsPolicies is what Load needs.
const readsPolicies = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Resource":"*","Action":[
	"dynamodb:DescribeTable","dynamodb:GetResourcePolicy","dynamodb:ListTagsOfResource",
	"kms:DescribeKey","kms:GetKeyPolicy","kms:ListGrants","kms:ListResourceTags",
	"iam:GetAccountAuthorizationDetails","iam:GetPolicy","iam:GetPolicyVersion"]}}`

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// statement is a random statement of an identity policy.
func (w *randomWorld) statement() map[string]any {
	r := w.r
	s := map[string]any{"Effect": pick(r, "Allow", "Allow", "Allow", "Allow", "Allow", "Deny"),
		pick(r, "Action", "Action", "Action", "Action", "NotAction"): pick(r, "dynamodb:GetItem", "dynamodb:GetItem",
			"dynamodb:*", "dynamodb:Scan",
			"kms:Decrypt", "kms:Decrypt", "kms:*", "kms:PutKeyPolicy", "kms:CreateGrant", "sts:AssumeRole", "sts:*",
			"iam:PutUserPolicy", "iam:AttachRolePolicy", "iam:CreateAccessKey", "iam:UpdateAssumeRolePolicy",
			"iam:CreatePolicyVersion", "iam:AddUserToGroup", "iam:*", "dynamodb:PutResourcePolicy", "iam:PutGroupPolicy",
			"iam:DeleteUserPermissionsBoundary", "*"),
		"Resource": pick(r, "*", "*", "*", ordersID, "arn:aws:kms:us-east-1:111122223333:key/*",
			pick(r, w.users...), pick(r, w.roles...), "arn:aws:iam::111122223333:user/${aws:username}",
			"arn:aws:iam::111122223333:group/*")}
	if r.IntN(4) == 0 {
		s["Condition"] = w.condition()
	}
	return s
}

func (w *randomWorld) condition() any {
	return pick[any](w.r,
		map[string]any{"StringEquals": map[string]any{"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"}},
		map[string]any{"Bool": map[string]any{"aws:ViaAWSService": "true"}},
		map[string]any{"BoolIfExists": map[string]any{"aws:MultiFactorAuthPresent": "true"}},
		map[string]any{"StringEquals": map[string]any{"kms:EncryptionContext:aws-crypto-table-name": "Orders"}},
		map[string]any{"StringEquals": map[string]any{"aws:PrincipalTag/team": "blue"}},
		map[string]any{"StringLike": map[string]any{"aws:username": "u[01]"}},
		map[string]any{"StringNotEquals": map[string]any{"aws:PrincipalAccount": account}},
		map[string]any{"ArnLike": map[string]any{"aws:PrincipalArn": "arn:aws:iam::*:role/r*"}},
		map[string]any{"DateGreaterThan": map[string]any{"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
		map[string]any{"StringNotEquals": map[string]any{"aws:PrincipalOrgID": "o-1"}})
}

func document(statements ...map[string]any) string {
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (w *randomWorld) identityPolicy() string {
	var all []map[string]any
	for range 1 + w.r.IntN(3) {
		all = append(all, w.statement())
	}
	return document(all...)
}

// anyone is a random principal of the account.
func (w *randomWorld) anyone() string {
	return pick(w.r, append(append([]string{"arn:aws:iam::111122223333:root"}, w.users...), w.roles...)...)
}

func (w *randomWorld) keyPolicy() string {
	r := w.r
	all := []map[string]any{{"Effect": "Allow", "Principal": map[string]any{"AWS": w.anyone()},
		"Action": pick(r, "kms:Decrypt", "kms:*"), "Resource": "*"},
		{"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::111122223333:user/helper"},
			"Action": []string{"kms:Describe*", "kms:Get*", "kms:List*"}, "Resource": "*"}}
	if r.IntN(3) > 0 {
		all = append(all, map[string]any{"Effect": "Allow",
			"Principal": map[string]any{"AWS": "arn:aws:iam::111122223333:root"},
			"Action":    pick(r, "kms:*", "kms:*", "kms:Put*"), "Resource": "*"})
	}
	for range r.IntN(3) {
		s := map[string]any{"Effect": pick(r, "Allow", "Allow", "Deny"), "Action": pick(r, "kms:Decrypt", "kms:*",
			"kms:PutKeyPolicy", "kms:CreateGrant"),
			"Resource": "*", "Principal": map[string]any{"AWS": pick(r, w.anyone(), w.anyone(), "*")}}
		if r.IntN(2) == 0 {
			s["Condition"] = w.condition()
		}
		all = append(all, s)
	}
	return document(all...)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newRandomWorld(t testing.TB, seed uint64) *randomWorld {
	ctx := context.Background()
	w := &randomWorld{t: t, r: rand.New(rand.NewPCG(seed, 1)), configs: map[string]aws.Config{},
		table: access.Table{Name: "Orders"}}
	helper := "arn:aws:iam::111122223333:user/helper"
	trust := document(map[string]any{"Effect": "Allow", "Principal": map[string]any{"AWS": helper},
		"Action": "sts:AssumeRole"})
	s := localawstest.Seed{Groups: []localawstest.Group{{Name: "g0"}, {Name: "g1"}},
		Users: []localawstest.User{{Name: "helper", Policies: map[string]any{"reads": readsPolicies}}},
		Keys:  []localawstest.Key{{Name: "table"}, {Name: "item"}}}
	for i := range 4 {
		w.users = append(w.users, "arn:aws:iam::111122223333:user/u"+strconv.Itoa(i))
		u := localawstest.User{Name: "u" + strconv.Itoa(i)}
		if w.r.IntN(3) == 0 {
			u.Groups = []string{"g" + strconv.Itoa(w.r.IntN(2))}
		}
		s.Users = append(s.Users, u)
	}
	for i := range 3 {
		w.roles = append(w.roles, "arn:aws:iam::111122223333:role/r"+strconv.Itoa(i))
		s.Roles = append(s.Roles, localawstest.Role{Name: "r" + strconv.Itoa(i), Trust: trust})
	}
	orders := localawstest.Table{Name: "Orders", PartitionKey: "id", Key: pick(w.r, "table", "table", "table", "",
		"alias/aws/dynamodb")}
	s.Tables = []localawstest.Table{orders}
	w.server = localawstest.New(t, localawstest.WithSeed(s))
	root := w.server.Root()
	if orders.Key == "table" {
		w.key = w.server.Key("table")
	}
	must(dynamodb.NewFromConfig(root).PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("Orders"),
		Item: map[string]ddbtypes.AttributeValue{"id": &ddbtypes.AttributeValueMemberS{Value: "1"}}}))
	if w.r.IntN(3) == 0 {
		w.item = w.server.Key("item")
		w.table.ItemKeys = []access.ItemKey{{ARN: w.item}}
		w.sealed = must(kms.NewFromConfig(root).Encrypt(ctx, &kms.EncryptInput{KeyId: &w.item, Plaintext: []byte("x"),
			EncryptionContext: map[string]string{"aws-crypto-table-name": "Orders"}})).CiphertextBlob
	}
	w.clients(ctx, helper)
	w.policies(ctx)
	return w
}

// clients makes a configuration for each principal, before the policies forbid it.
func (w *randomWorld) clients(ctx context.Context, helper string) {
	for _, arn := range w.users {
		w.configs[arn] = w.server.User(arn[strings.LastIndex(arn, "/")+1:])
	}
	as := w.server.User("helper")
	for _, arn := range w.roles {
		w.configs[arn] = w.server.Assume(as, arn[strings.LastIndex(arn, "/")+1:], "first")
	}
	w.configs["arn:aws:iam::111122223333:root"] = w.server.Root()
}

// policies puts the random policies.
func (w *randomWorld) policies(ctx context.Context) {
	r, people, root := w.r, iam.NewFromConfig(w.server.Root()), w.server.Root()
	managed := must(people.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("m"),
		PolicyDocument: aws.String(w.identityPolicy())})).Policy.Arn
	boundary := must(people.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("b"),
		PolicyDocument: aws.String(document(w.statement(), map[string]any{"Effect": "Allow", "Action": pick(r, "*",
			"dynamodb:*", "kms:*"),
			"Resource": "*"}))})).Policy.Arn
	for i := range 4 {
		name := aws.String("u" + strconv.Itoa(i))
		if r.IntN(5) > 0 {
			must(people.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("p"),
				PolicyDocument: aws.String(w.identityPolicy())}))
		}
		if r.IntN(4) == 0 {
			must(people.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: name, PolicyArn: managed}))
		}
		if r.IntN(5) == 0 {
			must(people.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: name,
				PermissionsBoundary: boundary}))
		}
		if r.IntN(3) == 0 {
			must(people.TagUser(ctx, &iam.TagUserInput{UserName: name, Tags: iamTags("team", pick(r, "blue", "red"))}))
		}
	}
	for i := range 3 {
		name := aws.String("r" + strconv.Itoa(i))
		must(people.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("p"),
			PolicyDocument: aws.String(w.identityPolicy())}))
		if r.IntN(4) == 0 {
			must(people.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: managed}))
		}
		if r.IntN(5) == 0 {
			must(people.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: name,
				PermissionsBoundary: boundary}))
		}
		trust := map[string]any{"Effect": "Allow", "Principal": map[string]any{"AWS": w.anyone()},
			"Action": "sts:AssumeRole"}
		must(people.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: name,
			PolicyDocument: aws.String(document(trust))}))
	}
	for i := range 2 {
		must(people.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: aws.String("g" + strconv.Itoa(i)),
			PolicyName:     aws.String("p"),
			PolicyDocument: aws.String(w.identityPolicy())}))
	}
	for _, key := range []string{"table", "item"} {
		id := w.server.Key(key)
		if r.IntN(3) == 0 {
			in := &kms.CreateGrantInput{KeyId: &id, GranteePrincipal: aws.String(w.anyone()),
				Operations: grantOperations("Decrypt")}
			if key == "table" && r.IntN(2) == 0 {
				in.Constraints = subset("aws:dynamodb:tableName", pick(r, "Orders", "Other"))
			}
			must(kms.NewFromConfig(root).CreateGrant(ctx, in))
		}
		w.server.SetKeyPolicy(key, w.keyPolicy())
	}
	if r.IntN(3) == 0 {
		s := map[string]any{"Effect": pick(r, "Allow", "Deny"), "Principal": map[string]any{"AWS": w.anyone()},
			"Action": pick(r, "dynamodb:GetItem", "dynamodb:*"), "Resource": ordersID}
		if _, err := dynamodb.NewFromConfig(root).PutResourcePolicy(ctx,
			&dynamodb.PutResourcePolicyInput{ResourceArn: aws.String(ordersID),
				Policy: aws.String(document(s))}); err != nil && !denied(err) {
			w.t.Fatal(err)
		}
	}
}

// denied reports whether a call was made and refused for want of permission.
func denied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "AccessDenied")
}

// reads tries to read in clear. Any of the reading calls will do.
func (w *randomWorld) reads(cfg aws.Config) bool {
	ctx, client := context.Background(), dynamodb.NewFromConfig(cfg)
	_, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("Orders"),
		Key: map[string]ddbtypes.AttributeValue{"id": &ddbtypes.AttributeValueMemberS{Value: "1"}}})
	if denied(err) {
		_, err = client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("Orders")})
	}
	if denied(err) {
		_, err = client.Query(ctx, &dynamodb.QueryInput{TableName: aws.String("Orders"),
			KeyConditionExpression: aws.String("id = :i"),
			ExpressionAttributeValues: map[string]ddbtypes.AttributeValue{
				":i": &ddbtypes.AttributeValueMemberS{Value: "1"}}})
	}
	if err == nil && w.item != "" {
		_, err = kms.NewFromConfig(cfg).Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: w.sealed,
			EncryptionContext: map[string]string{"aws-crypto-table-name": "Orders"}})
	}
	if err != nil && !denied(err) {
		w.t.Fatal(err)
	}
	return err == nil
}

// TestRandomWorlds makes in random worlds for real the calls that an analysis is
// about: a principal that reads by a Yes reads, one that does not by a No is denied, and a
// path leads where it says.
//
// DDBSEAL_ACCESS_WORLDS is the number of worlds.
func TestRandomWorlds(t *testing.T) {
	n := 15
	if text := os.Getenv("DDBSEAL_ACCESS_WORLDS"); text != "" {
		n = must(strconv.Atoi(text))
	}
	seen := map[access.Verdict]int{}
	paths := map[string]int{}
	for seed := range n {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			w := newRandomWorld(t, uint64(seed))
			s, err := access.Load(context.Background(), w.server.User("helper"), w.table)
			if err != nil && denied(err) {
				return // from describing the table
			} else if err != nil {
				t.Fatal(err)
			}
			a := analyze(t, s)
			explain := func(r *access.Row) string {
				return a.Filter(access.TextOptions{}).Text(access.TextOptions{Principal: r.Principal, Why: true})
			}
			var ways, shut []*access.Row
			for i := range a.Tables[0].Rows {
				r := &a.Tables[0].Rows[i]
				cfg, ok := w.configs[r.Principal]
				if !ok {
					continue
				}
				got, v := w.reads(cfg), r.Cells.ReadClear.Verdict
				seen[v]++
				if v == access.Yes && !got || v == access.No && got {
					t.Errorf("%s: %v, and reads: %v\n%s", r.Principal, v, got, explain(r))
				}
				if v == access.Unknown && len(a.NotRead) == 0 {
					t.Errorf("%s: unknown in a world that was read\n%s", r.Principal, explain(r))
				}
				if len(r.Paths) > 0 && r.Paths[0].Verdict == access.Yes && v == access.No {
					ways = append(ways, r)
				}
				if r.Reads() == access.No {
					w.shut(cfg, r, a.Tables[0].Rows)
					shut = append(shut, r)
				}
			}
			if t.Failed() {
				return
			}
			if len(shut) > 0 && (len(ways) == 0 || w.r.IntN(2) == 0) {
				if r := pick(w.r, shut...); w.attack(r.Principal) {
					t.Errorf("%s has no path, and comes to read\n%s", r.Principal, explain(r))
				}
				return
			}
			if len(ways) > 0 {
				r := pick(w.r, ways...)
				p := pick(w.r, slices.DeleteFunc(slices.Clone(r.Paths), func(
					p access.Path) bool {
					return p.Verdict < access.Yes
				})...)
				for _, step := range p.Steps {
					paths[step.Action]++
				}
				if err := w.walk(p); err != nil {
					t.Errorf("%s\n%v\n%s", p, err, explain(r))
				}
			}
		})
	}
	if seen[access.Yes] == 0 || seen[access.No] == 0 || n >= 100 && seen[access.OnlyIf] == 0 {
		t.Errorf("the worlds gave %v", seen)
	}
	t.Log(seen, paths)
	if len(paths) < 4 {
		t.Errorf("only these steps were tried: %v", paths)
	}
}

// shut checks that a principal without a path cannot become one that reads.
func (w *randomWorld) shut(cfg aws.Config, r *access.Row, rows []access.Row) {
	ctx := context.Background()
	for i := range rows {
		to := &rows[i]
		if to.Reads() == access.No || to.Kind != access.KindRole {
			continue
		}
		if _, err := w.assume(ctx, cfg, to.Principal); err == nil {
			w.t.Errorf("%s has no path, and assumes %s, which reads: %v", r.Principal, to.Principal, to.Reads())
			if os.Getenv("DDBSEAL_ACCESS_WORLDS") != "" {
				w.t.Errorf("trust %v", to.AssumedBy)
			}
		}
	}
}

var errStep = errors.New("a step failed")

func stepError(s access.Step, err error) error {
	return fmt.Errorf("%w: %s: %w", errStep, s.Action, err)
}
