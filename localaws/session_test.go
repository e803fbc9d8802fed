// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/ddbseal/ddbseal/localaws"
)

// A role's session: its events name the role behind it, its end is the
// clock's, and its secret is worth nothing without its token.
func TestRoleSession(t *testing.T) {
	clock := newClock()
	bothWays(t, localaws.Options{Clock: clock.Now},
		func(t *testing.T, s *localaws.Server, config func(aws.Credentials) aws.Config) {
			l := newLab(t, clock, s, config)
			people := iam.NewFromConfig(l.root)
			role, err := people.CreateRole(ctx,
				&iam.CreateRoleInput{RoleName: aws.String("job"), AssumeRolePolicyDocument: aws.String(
					`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + aliceARN +
						`"},"Action":"sts:AssumeRole"}}`)})
			l.must(err)
			access, err := people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")})
			l.must(err)
			alice := config(aws.Credentials{AccessKeyID: *access.AccessKey.AccessKeyId,
				SecretAccessKey: *access.AccessKey.SecretAccessKey})
			began := clock.Now()
			out, err := sts.NewFromConfig(alice).AssumeRole(ctx,
				&sts.AssumeRoleInput{RoleArn: role.Role.Arn, RoleSessionName: aws.String("night"),
					DurationSeconds: aws.Int32(900)})
			l.must(err)
			session := aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId,
				SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}

			found, err := cloudtrail.NewFromConfig(l.root).LookupEvents(ctx,
				&cloudtrail.LookupEventsInput{LookupAttributes: []cloudtrailtypes.LookupAttribute{
					{AttributeKey: cloudtrailtypes.LookupAttributeKeyResourceName, AttributeValue: role.Role.Arn}}})
			l.must(err)
			if len(found.Events) != 1 || *found.Events[0].EventName != "AssumeRole" ||
				!strings.Contains(*found.Events[0].CloudTrailEvent, session.AccessKeyID) ||
				strings.Contains(*found.Events[0].CloudTrailEvent, session.SecretAccessKey) ||
				strings.Contains(*found.Events[0].CloudTrailEvent, session.SessionToken) {
				t.Errorf("events about the role: %+v", found.Events)
			}

			keys := kms.NewFromConfig(config(session))
			_, err = keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &l.key})
			if code(err) != "AccessDeniedException" ||
				!strings.Contains(err.Error(),
					"User: arn:aws:sts::111122223333:assumed-role/job/night is not authorized to perform: "+
						"kms:DescribeKey") {
				t.Errorf("before: %v", err)
			}
			l.setPolicy(`,{"Effect":"Allow","Principal":{"AWS":"` + *role.Role.Arn +
				`"},"Action":"kms:DescribeKey","Resource":"*"}`)
			if _, err = keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &l.key}); err != nil {
				t.Errorf("after: %v", err)
			}
			events := s.Audit().Events()
			u := events[len(events)-1].UserIdentity
			if u.Type != "AssumedRole" || u.SessionContext == nil || u.SessionContext.SessionIssuer == nil ||
				u.SessionContext.SessionIssuer.ARN != *role.Role.Arn ||
				u.SessionContext.SessionIssuer.UserName != "job" ||
				u.SessionContext.Attributes["creationDate"] != began.Format(time.RFC3339) ||
				u.AccessKeyID != session.AccessKeyID {
				t.Errorf("the event's identity is %+v", u)
			}

			naked := session
			naked.SessionToken = ""
			if _, err := sts.NewFromConfig(config(naked)).GetCallerIdentity(ctx,
				nil); code(err) != "InvalidClientTokenId" {
				t.Errorf("without token: %v", err)
			}
			clock.Advance(901 * time.Second)
			if _, err := sts.NewFromConfig(config(session)).GetCallerIdentity(ctx, nil); code(err) != "ExpiredToken" {
				t.Errorf("IAM services after the session's end: %v", err)
			}
			if _, err = keys.DescribeKey(ctx,
				&kms.DescribeKeyInput{KeyId: &l.key}); code(err) != "ExpiredTokenException" {
				t.Errorf("JSON services after the session's end: %v", err)
			}
		})
}

// A key policy and a grant that name a role are bound to it, so a session that
// outlives the role must not go on decrypting under them.
func TestSessionEndsWithItsRole(t *testing.T) {
	clock := newClock()
	s := start(t, localaws.Options{Clock: clock.Now})
	l := newLab(t, clock, s, s.Config)
	people := iam.NewFromConfig(l.root)
	role, err := people.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: aws.String("job"), AssumeRolePolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + aliceARN +
				`"},"Action":"sts:AssumeRole"}}`)})
	l.must(err)
	_, err = l.keys.CreateGrant(ctx,
		&kms.CreateGrantInput{KeyId: &l.key, GranteePrincipal: role.Role.Arn,
			Operations: []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt}})
	l.must(err)
	access, err := people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")})
	l.must(err)
	alice := s.Config(aws.Credentials{AccessKeyID: *access.AccessKey.AccessKeyId,
		SecretAccessKey: *access.AccessKey.SecretAccessKey})
	out, err := sts.NewFromConfig(alice).AssumeRole(ctx,
		&sts.AssumeRoleInput{RoleArn: role.Role.Arn, RoleSessionName: aws.String("night")})
	l.must(err)
	keys := kms.NewFromConfig(s.Config(aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId,
		SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}))
	sealed, err := l.keys.Encrypt(ctx, &kms.EncryptInput{KeyId: &l.key, Plaintext: []byte("text")})
	l.must(err)
	_, err = keys.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob})
	l.must(err)
	_, err = people.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("job")})
	l.must(err)
	if _, err = keys.Decrypt(ctx,
		&kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob}); code(err) != "UnrecognizedClientException" {
		t.Errorf("after the role was deleted: %v", err)
	}
}

// Options.KeyCacheTTL: a permission given works at once, one withdrawn works
// on until the cache forgets, and denials are not remembered.
func TestKeyCache(t *testing.T) {
	clock := newClock()
	s := start(t, localaws.Options{Clock: clock.Now, KeyCacheTTL: 5 * time.Minute})
	l := newLab(t, clock, s, s.Config)
	scan := func(want string) {
		t.Helper()
		if _, err := l.alice.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(labTable)}); code(err) != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	scan("AccessDeniedException")
	l.setPolicy(`,{"Effect":"Allow","Principal":{"AWS":"` + aliceARN + `"},"Action":"kms:Decrypt","Resource":"*"}`)
	scan("")
	l.setPolicy("")
	scan("")
	clock.Advance(4 * time.Minute)
	scan("")
	clock.Advance(2 * time.Minute)
	scan("AccessDeniedException")
}

// Options.TableActivation: a new table is CREATING for a while.
func TestTableActivation(t *testing.T) {
	clock := newClock()
	s := start(t, localaws.Options{Clock: clock.Now, TableActivation: time.Minute})
	status, _, body := send(t, s,
		rawRequest{target: "DynamoDB_20120810.CreateTable", contentType: json10, service: "dynamodb",
			creds: s.RootCredentials(),
			body:  `{"TableName":"Slow","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"}`})
	if status != 200 || !strings.Contains(body, `"CREATING"`) {
		t.Fatalf("%d %s", status, body)
	}
	scan := rawRequest{target: "DynamoDB_20120810.Scan", contentType: json10, service: "dynamodb",
		creds: s.RootCredentials(), body: `{"TableName":"Slow"}`}
	if status, _, body := send(t, s, scan); status != 400 || !strings.Contains(body, "ResourceNotFoundException") {
		t.Errorf("while it is created: %d %s", status, body)
	}
	clock.Advance(time.Minute)
	if status, _, body := send(t, s, scan); status != 200 {
		t.Errorf("afterwards: %d %s", status, body)
	}
}

// The longest session policies still fit into a request's headers.
func TestLargeSessionToken(t *testing.T) {
	s := start(t, localaws.Options{})
	l := listen(t, s)
	root := l.Config(s.RootCredentials())
	people := iam.NewFromConfig(root)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := people.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("alice")})
	must(err)
	_, err = people.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: aws.String("job"), AssumeRolePolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + aliceARN +
				`"},"Action":"sts:AssumeRole"}}`)})
	must(err)
	access, err := people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")})
	must(err)
	var attached []ststypes.PolicyDescriptorType
	for i := range 10 {
		document := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"},{"Effect":"Deny","Action":"kms:*","Resource":["arn:aws:kms:*:*:key/` +
			strings.Repeat("x", 5900) + `"]}]}`
		p, err := people.CreatePolicy(ctx,
			&iam.CreatePolicyInput{PolicyName: aws.String("large" + string(rune('a'+i))), PolicyDocument: &document})
		must(err)
		attached = append(attached, ststypes.PolicyDescriptorType{Arn: p.Policy.Arn})
	}
	alice := sts.NewFromConfig(l.Config(aws.Credentials{AccessKeyID: *access.AccessKey.AccessKeyId,
		SecretAccessKey: *access.AccessKey.SecretAccessKey}))
	out, err := alice.AssumeRole(ctx,
		&sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::111122223333:role/job"),
			RoleSessionName: aws.String("large"), PolicyArns: attached})
	must(err)
	session := aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId,
		SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
	who, err := sts.NewFromConfig(l.Config(session)).GetCallerIdentity(ctx, nil)
	if err != nil || !strings.HasSuffix(aws.ToString(who.Arn), "/job/large") {
		t.Errorf("with a token of %d bytes: %v", len(session.SessionToken), err)
	}
	t.Logf("token of %d bytes", len(session.SessionToken))
}
