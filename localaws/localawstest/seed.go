// SPDX-License-Identifier: Apache-2.0

package localawstest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// Seed is what a server has before a test. The root user creates it in the
// order policies, groups, users, roles, keys, grants, tables. ParseSeed reads a
// Seed from JSON.
//
// A policy document is a string, a []byte, a json.RawMessage, or a Go value
// that marshals to one. In its text, {{account}}, {{region}} and {{key:name}}
// stand for the account's ID, the Region and the ARN of a key. The key must
// exist already, so a policy of a user who is in the same Seed as the key
// cannot name it: use two seeds.
type Seed struct {
	Policies []ManagedPolicy `json:"policies,omitempty"`
	Groups   []Group         `json:"groups,omitempty"`
	Users    []User          `json:"users,omitempty"`
	Roles    []Role          `json:"roles,omitempty"`
	Keys     []Key           `json:"keys,omitempty"`
	Grants   []Grant         `json:"grants,omitempty"`
	Tables   []Table         `json:"tables,omitempty"`
}

// ManagedPolicy is a customer managed policy.
type ManagedPolicy struct {
	Name     string `json:"name"`
	Document any    `json:"document"`
}

// Group is an IAM group. Attach has the ARNs of policies, the names of AWS
// managed policies, or the names of policies of the seed.
type Group struct {
	Name     string         `json:"name"`
	Policies map[string]any `json:"policies,omitempty"` // inline, by name
	Attach   []string       `json:"attach,omitempty"`
}

// User is an IAM user. Server.User returns a configuration with its access key.
type User struct {
	Name     string         `json:"name"`
	Policies map[string]any `json:"policies,omitempty"`
	Attach   []string       `json:"attach,omitempty"`
	Groups   []string       `json:"groups,omitempty"`
	Boundary string         `json:"boundary,omitempty"` // as in Attach
}

// Role is an IAM role. Server.Assume returns a configuration with a session of
// it.
type Role struct {
	Name     string         `json:"name"`
	Trust    any            `json:"trust"`
	Policies map[string]any `json:"policies,omitempty"`
	Attach   []string       `json:"attach,omitempty"`
	Boundary string         `json:"boundary,omitempty"`
}

// Key is a KMS key. Server.Key returns its ARN.
type Key struct {
	Name        string `json:"name"` // the key also gets the alias alias/<name>
	Description string `json:"description,omitempty"`
	Policy      any    `json:"policy,omitempty"` // nil: AWS's default, which lets IAM policies decide
	HMAC        bool   `json:"hmac,omitempty"`   // HMAC_256 instead of SYMMETRIC_DEFAULT
	// Spec is the key spec of an asymmetric key: RSA_2048, RSA_3072 or RSA_4096 for
	// encryption, ECC_NIST_P256, ECC_NIST_P384 or ECC_NIST_P521 for key agreement.
	Spec        string `json:"spec,omitempty"`
	MultiRegion bool   `json:"multiRegion,omitempty"`
	Disabled    bool   `json:"disabled,omitempty"`
}

// Grant is a grant on a key of the seed.
type Grant struct {
	Key           string            `json:"key"`
	Grantee       string            `json:"grantee"` // user name or ARN
	Operations    []string          `json:"operations"`
	ContextEquals map[string]string `json:"contextEquals,omitempty"`
	ContextSubset map[string]string `json:"contextSubset,omitempty"`
}

// Table is a DynamoDB table with on-demand capacity. Its keys, and the keys of its
// indexes, are names of attributes of type string. A name that ends in ":N" or
// ":B" is of type number or binary, such as "number:N".
type Table struct {
	Name         string `json:"name"`
	PartitionKey string `json:"partitionKey"`
	SortKey      string `json:"sortKey,omitempty"`
	// Indexes are the secondary indexes.
	Indexes []Index `json:"indexes,omitempty"`
	// Key is a key of the seed, "alias/aws/dynamodb" for the AWS managed key,
	// or empty for the AWS owned key.
	Key string `json:"key,omitempty"`
	// Policy is the resource-based policy, a document as in Seed, or nil for
	// none.
	Policy any `json:"policy,omitempty"`
	// Stream is the StreamViewType of the table's stream, such as
	// NEW_AND_OLD_IMAGES, or empty for a table without a stream.
	Stream string `json:"stream,omitempty"`
}

// Index is a secondary index of a table. A key of a global index can have several
// attributes, separated by commas, such as "tenant,region".
type Index struct {
	Name string `json:"name"`
	// PartitionKey is empty for a local index, which has the partition key of
	// the table.
	PartitionKey string `json:"partitionKey,omitempty"`
	SortKey      string `json:"sortKey,omitempty"`
	// Projection names the attributes that the index has in addition to the
	// keys. Nil: all attributes. Empty: the keys only.
	Projection []string `json:"projection"`
}

// ParseSeed reads a Seed from JSON. An unknown member is an error.
func ParseSeed(text []byte) (Seed, error) {
	var s Seed
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	return s, d.Decode(&s)
}

// Seed creates what the seed describes, in addition to what the server has.
func (s *Server) Seed(seed Seed) {
	s.t.Helper()
	ctx, people := context.Background(), iam.NewFromConfig(s.Root())
	for _, p := range seed.Policies {
		_, err := people.CreatePolicy(ctx,
			&iam.CreatePolicyInput{PolicyName: &p.Name, PolicyDocument: aws.String(s.document(p.Document))})
		s.must(err, "seed policy %s", p.Name)
	}
	for _, g := range seed.Groups {
		_, err := people.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &g.Name})
		s.must(err, "seed group %s", g.Name)
		for _, name := range slices.Sorted(maps.Keys(g.Policies)) {
			_, err := people.PutGroupPolicy(ctx,
				&iam.PutGroupPolicyInput{GroupName: &g.Name, PolicyName: &name,
					PolicyDocument: aws.String(s.document(g.Policies[name]))})
			s.must(err, "seed policy %s of group %s", name, g.Name)
		}
		for _, p := range g.Attach {
			_, err := people.AttachGroupPolicy(ctx,
				&iam.AttachGroupPolicyInput{GroupName: &g.Name, PolicyArn: s.policyARN(people, p)})
			s.must(err, "attach policy %s to group %s", p, g.Name)
		}
	}
	for _, u := range seed.Users {
		s.seedUser(ctx, people, u)
	}
	for _, r := range seed.Roles {
		s.seedRole(ctx, people, r)
	}
	for _, k := range seed.Keys {
		s.seedKey(ctx, k)
	}
	for _, g := range seed.Grants {
		in := &kms.CreateGrantInput{KeyId: aws.String(s.Key(g.Key)),
			GranteePrincipal: aws.String(s.arn("user", g.Grantee))}
		for _, o := range g.Operations {
			in.Operations = append(in.Operations, kmstypes.GrantOperation(o))
		}
		if g.ContextEquals != nil || g.ContextSubset != nil {
			in.Constraints = &kmstypes.GrantConstraints{EncryptionContextEquals: g.ContextEquals,
				EncryptionContextSubset: g.ContextSubset}
		}
		_, err := kms.NewFromConfig(s.Root()).CreateGrant(ctx, in)
		s.must(err, "seed a grant on key %s", g.Key)
	}
	for _, t := range seed.Tables {
		s.seedTable(ctx, t)
	}
}

func (s *Server) seedUser(ctx context.Context, people *iam.Client, u User) {
	s.t.Helper()
	_, err := people.CreateUser(ctx,
		&iam.CreateUserInput{UserName: &u.Name, PermissionsBoundary: s.boundary(people, u.Boundary)})
	s.must(err, "seed user %s", u.Name)
	for _, name := range slices.Sorted(maps.Keys(u.Policies)) {
		_, err := people.PutUserPolicy(ctx,
			&iam.PutUserPolicyInput{UserName: &u.Name, PolicyName: &name,
				PolicyDocument: aws.String(s.document(u.Policies[name]))})
		s.must(err, "seed policy %s of user %s", name, u.Name)
	}
	for _, p := range u.Attach {
		_, err := people.AttachUserPolicy(ctx,
			&iam.AttachUserPolicyInput{UserName: &u.Name, PolicyArn: s.policyARN(people, p)})
		s.must(err, "attach policy %s to user %s", p, u.Name)
	}
	for _, g := range u.Groups {
		_, err := people.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: &u.Name, GroupName: &g})
		s.must(err, "add user %s to group %s", u.Name, g)
	}
}

func (s *Server) seedRole(ctx context.Context, people *iam.Client, r Role) {
	s.t.Helper()
	_, err := people.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: &r.Name, AssumeRolePolicyDocument: aws.String(s.document(r.Trust)),
			PermissionsBoundary: s.boundary(people, r.Boundary)})
	s.must(err, "seed role %s", r.Name)
	for _, name := range slices.Sorted(maps.Keys(r.Policies)) {
		_, err := people.PutRolePolicy(ctx,
			&iam.PutRolePolicyInput{RoleName: &r.Name, PolicyName: &name,
				PolicyDocument: aws.String(s.document(r.Policies[name]))})
		s.must(err, "seed policy %s of role %s", name, r.Name)
	}
	for _, p := range r.Attach {
		_, err := people.AttachRolePolicy(ctx,
			&iam.AttachRolePolicyInput{RoleName: &r.Name, PolicyArn: s.policyARN(people, p)})
		s.must(err, "attach policy %s to role %s", p, r.Name)
	}
}

func (s *Server) seedKey(ctx context.Context, k Key) {
	s.t.Helper()
	client := kms.NewFromConfig(s.Root())
	in := &kms.CreateKeyInput{Description: aws.String(k.Description), MultiRegion: aws.Bool(k.MultiRegion)}
	if k.HMAC {
		in.KeySpec, in.KeyUsage = kmstypes.KeySpecHmac256, kmstypes.KeyUsageTypeGenerateVerifyMac
	}
	if k.Spec != "" {
		in.KeySpec, in.KeyUsage = kmstypes.KeySpec(k.Spec), kmstypes.KeyUsageTypeEncryptDecrypt
		if strings.HasPrefix(k.Spec, "ECC") {
			in.KeyUsage = kmstypes.KeyUsageTypeKeyAgreement
		}
	}
	out, err := client.CreateKey(ctx, in)
	s.must(err, "seed key %s", k.Name)
	arn := *out.KeyMetadata.Arn
	s.mu.Lock()
	s.keys[k.Name] = arn
	s.mu.Unlock()
	_, err = client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/" + k.Name), TargetKeyId: &arn})
	s.must(err, "seed alias/%s", k.Name)
	if k.Disabled {
		_, err := client.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &arn})
		s.must(err, "disable key %s", k.Name)
	}
	if k.Policy != nil {
		s.SetKeyPolicy(k.Name, k.Policy) // last: it may shut root out
	}
}

func (s *Server) seedTable(ctx context.Context, t Table) {
	s.t.Helper()
	in := s.tableInput(t)
	switch t.Key {
	case "":
	case "alias/aws/dynamodb":
		in.SSESpecification = &dynamodbtypes.SSESpecification{Enabled: aws.Bool(true),
			SSEType: dynamodbtypes.SSETypeKms}
	default:
		in.SSESpecification = &dynamodbtypes.SSESpecification{Enabled: aws.Bool(true),
			SSEType: dynamodbtypes.SSETypeKms, KMSMasterKeyId: aws.String(s.Key(t.Key))}
	}
	if t.Policy != nil {
		in.ResourcePolicy = aws.String(s.document(t.Policy))
	}
	if t.Stream != "" {
		in.StreamSpecification = &dynamodbtypes.StreamSpecification{StreamEnabled: aws.Bool(true),
			StreamViewType: dynamodbtypes.StreamViewType(t.Stream)}
	}
	_, err := dynamodb.NewFromConfig(s.Root()).CreateTable(ctx, in)
	s.must(err, "seed table %s", t.Name)
}

// document returns the text of a policy.
func (s *Server) document(v any) string {
	s.t.Helper()
	var text string
	switch v := v.(type) {
	case string:
		text = v
	case []byte:
		text = string(v)
	case json.RawMessage:
		text = string(v)
	default:
		var err error
		text, err = compact(v)
		s.must(err, "marshal a policy document")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pairs := []string{"{{account}}", s.AccountID(), "{{region}}", s.Region()}
	for name, arn := range s.keys {
		pairs = append(pairs, "{{key:"+name+"}}", arn)
	}
	text = strings.NewReplacer(pairs...).Replace(text)
	if i := strings.Index(text, "{{"); i >= 0 && strings.Contains(text[i:], "}}") {
		s.t.Fatalf("a policy document has a placeholder that nothing stands for: %.60s", text[i:])
	}
	return text
}

// arn completes the name of a user or role.
func (s *Server) arn(kind, name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return "arn:aws:iam::" + s.AccountID() + ":" + kind + "/" + name
}

// policyARN completes the name of a policy: the account's own, else AWS's.
func (s *Server) policyARN(people *iam.Client, name string) *string {
	if strings.HasPrefix(name, "arn:") {
		return &name
	}
	own := s.arn("policy", name)
	if _, err := people.GetPolicy(context.Background(), &iam.GetPolicyInput{PolicyArn: &own}); err == nil {
		return &own
	}
	return aws.String("arn:aws:iam::aws:policy/" + name)
}

func (s *Server) boundary(people *iam.Client, name string) *string {
	if name == "" {
		return nil
	}
	return s.policyARN(people, name)
}
