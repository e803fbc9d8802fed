// SPDX-License-Identifier: Apache-2.0

package benchmarks

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/localaws"
)

// canned answers every request with the same bytes: what is left is the cost
// of the SDK's client.
type canned struct {
	header http.Header
	body   []byte
}

func (c *canned) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: c.header, Body: io.NopCloser(bytes.NewReader(c.body)),
		ContentLength: int64(len(c.body)), Request: r}, nil
}

// recording keeps the last request and answer of another client.
type recording struct {
	aws.HTTPClient
	request *http.Request
	sent    []byte
	last    canned
}

func (c *recording) Do(r *http.Request) (*http.Response, error) {
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	c.request, c.sent = r, sent
	resp, err := c.HTTPClient.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	c.last = canned{resp.Header.Clone(), body}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// besideEmpty measures call against the server in-process and against an empty
// transport with the same answer: the difference is the server's own cost. The
// first measurement sends the same signed request again and again below the
// SDK; it also fills the audit, so that the others see a steady state.
func besideEmpty(b *testing.B, cfg aws.Config, call func(aws.Config) func() error) {
	tape := &recording{HTTPClient: cfg.HTTPClient}
	recorded := cfg
	recorded.HTTPClient = tape
	if err := call(recorded)(); err != nil {
		b.Fatal(err)
	}
	empty := cfg
	empty.HTTPClient = &tape.last
	replay := func() error {
		tape.request.Body = io.NopCloser(bytes.NewReader(tape.sent))
		resp, err := cfg.HTTPClient.Do(tape.request)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = errors.New(resp.Status)
		}
		return err
	}
	for _, c := range []struct {
		name string
		do   func() error
	}{{"replay", replay}, {"server", call(cfg)}, {"empty", call(empty)}} {
		do := c.do
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpuTime()
			for b.Loop() {
				if err := do(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// frontDoor is a server, a user who is named in the policy of a key, and the
// key.
func frontDoor(b *testing.B) (user aws.Config, root aws.Config, key string) {
	b.Helper()
	ctx := context.Background()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	s, err := localaws.New(localaws.Options{})
	must(err)
	b.Cleanup(func() { must(s.Close()) })
	root = s.Config(s.RootCredentials())
	people := iam.NewFromConfig(root)
	_, err = people.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("alice")})
	must(err)
	_, err = people.AttachUserPolicy(ctx,
		&iam.AttachUserPolicyInput{UserName: aws.String("alice"),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")})
	must(err)
	access, err := people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")})
	must(err)
	made, err := kms.NewFromConfig(root).CreateKey(ctx,
		&kms.CreateKeyInput{Policy: aws.String(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"},
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":["kms:Encrypt","kms:Decrypt"],"Resource":"*"}]}`)})
	must(err)
	return s.Config(aws.Credentials{AccessKeyID: *access.AccessKey.AccessKeyId,
		SecretAccessKey: *access.AccessKey.SecretAccessKey}), root, *made.KeyMetadata.Arn
}

// BenchmarkFrontDoorDecrypt is a Decrypt of 32 bytes by a user: verify the
// signature, resolve the caller, evaluate key and IAM policies, decrypt, file
// the event.
func BenchmarkFrontDoorDecrypt(b *testing.B) {
	user, _, key := frontDoor(b)
	ctx := context.Background()
	encryption := map[string]string{"table": "Notes"}
	sealed, err := kms.NewFromConfig(user).Encrypt(ctx,
		&kms.EncryptInput{KeyId: &key, Plaintext: make([]byte, 32), EncryptionContext: encryption})
	if err != nil {
		b.Fatal(err)
	}
	besideEmpty(b, user, func(cfg aws.Config) func() error {
		client := kms.NewFromConfig(cfg)
		return func() error {
			_, err := client.Decrypt(ctx,
				&kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: encryption, KeyId: &key})
			return err
		}
	})
}

// BenchmarkFrontDoorGetItem reads 1 KB from a table under the key: two
// authorizations and two events.
func BenchmarkFrontDoorGetItem(b *testing.B) {
	user, root, key := frontDoor(b)
	ctx := context.Background()
	id := map[string]dynamodbtypes.AttributeValue{"id": &dynamodbtypes.AttributeValueMemberS{Value: "1"}}
	table := aws.String("Notes")
	tables := dynamodb.NewFromConfig(root)
	if _, err := tables.CreateTable(ctx,
		&dynamodb.CreateTableInput{TableName: table, BillingMode: dynamodbtypes.BillingModePayPerRequest,
			SSESpecification: &dynamodbtypes.SSESpecification{Enabled: aws.Bool(true),
				SSEType: dynamodbtypes.SSETypeKms, KMSMasterKeyId: &key},
			AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("id"),
				AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
			KeySchema: []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("id"),
				KeyType: dynamodbtypes.KeyTypeHash}}}); err != nil {
		b.Fatal(err)
	}
	if _, err := tables.PutItem(ctx,
		&dynamodb.PutItemInput{TableName: table,
			Item: map[string]dynamodbtypes.AttributeValue{"id": id["id"],
				"v": &dynamodbtypes.AttributeValueMemberB{Value: make([]byte, 1024)}}}); err != nil {
		b.Fatal(err)
	}
	besideEmpty(b, user, func(cfg aws.Config) func() error {
		client := dynamodb.NewFromConfig(cfg)
		return func() error {
			_, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: id})
			return err
		}
	})
}

// BenchmarkServerStart makes and closes a server: in memory, and over a data
// directory that exists.
func BenchmarkServerStart(b *testing.B) {
	for name, dir := range map[string]string{"memory": "", "durable": b.TempDir()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, err := localaws.New(localaws.Options{DataDir: dir})
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
