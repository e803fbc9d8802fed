package interop_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/itemconfig"
	"github.com/ddbseal/ddbseal/interop/peer"
	"github.com/ddbseal/ddbseal/localaws"
)

const (
	storeTable  = "branch-keys"
	logicalName = "logical-branch-keys"
)

// cloud is an embedded AWS that both libraries talk to over HTTP.
type cloud struct {
	java   *peer.Peer
	kms    *kms.Client
	ddb    *dynamodb.Client
	keyARN string
	store  *keystore.KeyStore
}

func startCloud(t *testing.T) *cloud {
	t.Helper()
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, failure := range server.Failures() {
			t.Error(failure)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	listener, err := server.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	root := server.RootCredentials()
	c := &cloud{
		java: start(t, "java", "AWS_ENDPOINT_URL="+listener.URL(), "AWS_REGION="+server.Region(),
			"AWS_ACCESS_KEY_ID="+root.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+root.SecretAccessKey, "AWS_SESSION_TOKEN="),
		kms: kms.NewFromConfig(server.Config(root)),
		ddb: dynamodb.NewFromConfig(server.Config(root)),
	}
	key, err := c.kms.CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	c.keyARN = aws.ToString(key.KeyMetadata.Arn)
	c.store, err = keystore.New(keystore.Config{LogicalName: logicalName, KMS: keystore.KMSKey(c.keyARN), KMSClient: c.kms, DynamoDB: c.ddb, TableName: storeTable})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.store.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cloud) providers() itemconfig.Providers {
	return itemconfig.Providers{
		KMS:      func(context.Context, string) (awskms.KMSClient, error) { return c.kms, nil },
		KeyStore: func(context.Context, itemconfig.Keyring) (materials.BranchKeySource, error) { return c.store, nil },
	}
}

func (c *cloud) hierarchical(branchKeyID string) itemconfig.Keyring {
	return itemconfig.Keyring{Type: "hierarchical", Table: storeTable, LogicalName: logicalName, KMSKeyID: c.keyARN, BranchKeyID: branchKeyID}
}

// exchange has each side open what the other writes under the keyring, in both
// suites and header versions.
func (c *cloud) exchange(t *testing.T, k itemconfig.Keyring) {
	t.Helper()
	for _, suite := range []envelope.AlgorithmSuite{envelope.SuiteDigitalSignature, envelope.SuiteSymmetricSignature} {
		for _, keyAction := range []envelope.Action{envelope.SignOnly, envelope.SignAndIncludeInEncryptionContext} {
			config := &itemconfig.Config{Table: "t", PartitionKey: "pk", AlgorithmSuite: suite.String(), Keyring: k,
				AttributeActions: map[string]envelope.Action{"pk": keyAction, "secret": envelope.EncryptAndSign, "signed": keyAction}}
			item := envelope.Item{"pk": &types.AttributeValueMemberS{Value: "é"}, "secret": &types.AttributeValueMemberN{Value: "12.5"}, "signed": &types.AttributeValueMemberSS{Value: []string{"b", "a"}}}
			ours, err := config.Encryptor(t.Context(), c.providers())
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := ours.EncryptItem(t.Context(), item)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := c.java.Decrypt(config, sealed)
			if err != nil || !peer.EqualItems(item, opened) {
				t.Fatalf("java opens ours: %v %v", opened, err)
			}
			if sealed, err = c.java.Encrypt(config, item); err != nil {
				t.Fatal(err)
			}
			opened, err = ours.DecryptItem(t.Context(), sealed)
			if err != nil || !peer.EqualItems(item, opened) {
				t.Fatalf("we open java's: %v %v", opened, err)
			}
		}
	}
}

func TestKMSKeyringWithJava(t *testing.T) {
	c := startCloud(t)
	c.exchange(t, itemconfig.Keyring{Type: "aws-kms", KeyID: c.keyARN})
}

// TestKeyStoreWithJava makes and rotates branch keys on either side.
func TestKeyStoreWithJava(t *testing.T) {
	c := startCloud(t)
	ours, err := c.store.CreateKey(t.Context(), keystore.CreateKeyInput{BranchKeyID: "made-here", EncryptionContext: map[string]string{"tenant": "é"}})
	if err != nil {
		t.Fatal(err)
	}
	c.exchange(t, c.hierarchical(ours))

	javaStore := func(op, id string) {
		t.Helper()
		_, err := c.java.Do(map[string]any{"op": op, "config": map[string]any{"table": storeTable, "logicalName": logicalName, "kmsKeyId": c.keyARN, "branchKeyId": id, "context": map[string]string{"tenant": "t"}}})
		if err != nil {
			t.Fatalf("java %s: %v", op, err)
		}
	}
	javaStore("create-key", "made-by-java")
	c.exchange(t, c.hierarchical("made-by-java"))

	// Each rotates the other's key; both go on reading and writing.
	old, err := c.store.Active(t.Context(), "made-by-java")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.store.VersionKey(t.Context(), "made-by-java"); err != nil {
		t.Fatal(err)
	}
	javaStore("version-key", ours)
	c.exchange(t, c.hierarchical("made-by-java"))
	c.exchange(t, c.hierarchical(ours))
	if _, err := c.store.Version(t.Context(), "made-by-java", old.Version); err != nil {
		t.Fatalf("the version before rotation: %v", err)
	}
}
