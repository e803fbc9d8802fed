// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/envelope/legacy/metatable"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/peer"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

const (
	storeTable  = "branch-keys"
	logicalName = "logical-branch-keys"
	otherRegion = "eu-west-1" // where the multi-Region key's replica is
)

// The official libraries, by the names that interop/run takes.
var libraries = []string{"java", "rust"}

// eachPeer runs the test against each official library, with an embedded AWS
// that both sides talk to, and enters the outcome into the summary.
func eachPeer(t *testing.T, d direction, test func(*testing.T, *cloud)) {
	for _, name := range libraries {
		if !has(name, d) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			results.watch(t, d, name)
			test(t, startCloud(t, d, name))
		})
	}
}

// start skips when the program is not built, except when interop/run names it
// among those that must be (DDBSEAL_INTEROP_REQUIRED).
func start(t *testing.T, name string, env ...string) *peer.Peer {
	t.Helper()
	starter := map[string]func(...string) (*peer.Peer, error){"java": peer.StartJava, "rust": peer.StartRust}[name]
	p, err := starter(env...)
	if errors.Is(err, peer.ErrNotBuilt) && !required(name) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	return p
}

func required(name string) bool {
	return slices.Contains(strings.Fields(os.Getenv("DDBSEAL_INTEROP_REQUIRED")), name)
}

// cloud is an embedded AWS that both libraries talk to over HTTP.
type cloud struct {
	direction direction
	peer      *peer.Peer
	cfg       aws.Config
	kms       *kms.Client
	ddb       *dynamodb.Client
	store     *keystore.KeyStore
	keyARN    string // wraps the branch keys
	resources resources
}

func startCloud(t *testing.T, d direction, name string) *cloud {
	t.Helper()
	server := localawstest.New(t).Server
	listener, err := server.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	// No profile of the developer's gets in the way.
	profile := filepath.Join(t.TempDir(), "profile")
	if err := os.WriteFile(profile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	root := server.RootCredentials()
	c := &cloud{
		direction: d,
		peer: start(t, name, "AWS_ENDPOINT_URL="+listener.URL(), "AWS_REGION="+server.Region(),
			"AWS_ACCESS_KEY_ID="+root.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+root.SecretAccessKey, "AWS_SESSION_TOKEN=",
			"AWS_CONFIG_FILE="+profile, "AWS_SHARED_CREDENTIALS_FILE="+profile, "AWS_EC2_METADATA_DISABLED=true"),
		cfg: server.Config(root),
		kms: kms.NewFromConfig(server.Config(root)),
		ddb: dynamodb.NewFromConfig(server.Config(root)),
	}
	for range 3 {
		key, err := c.kms.CreateKey(t.Context(), &kms.CreateKeyInput{})
		if err != nil {
			t.Fatal(err)
		}
		c.resources.kmsKeys = append(c.resources.kmsKeys, aws.ToString(key.KeyMetadata.Arn))
	}
	c.keyARN = c.resources.kmsKeys[0]
	primary, err := c.kms.CreateKey(t.Context(), &kms.CreateKeyInput{MultiRegion: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	replica, err := c.kms.ReplicateKey(t.Context(),
		&kms.ReplicateKeyInput{KeyId: primary.KeyMetadata.KeyId, ReplicaRegion: aws.String(otherRegion)})
	if err != nil {
		t.Fatal(err)
	}
	c.resources.mrks = []string{aws.ToString(primary.KeyMetadata.Arn), aws.ToString(replica.ReplicaKeyMetadata.Arn)}
	c.store, err = keystore.New(keystore.Config{LogicalName: logicalName, KMS: keystore.KMSKey(c.keyARN),
		KMSClient: c.kms, DynamoDB: c.ddb, TableName: storeTable})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.store.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// createBranchKeys has either side make one, for random keyrings to use.
func (c *cloud) createBranchKeys(t *testing.T) {
	t.Helper()
	ours, err := c.store.CreateKey(t.Context(),
		keystore.CreateKeyInput{BranchKeyID: "made here é", EncryptionContext: map[string]string{"tenant": "é"}})
	if err != nil {
		t.Fatal(err)
	}
	c.theirStore(t, "create-key", "made by them")
	c.resources.branchKeys = []itemconfig.Keyring{c.hierarchical(ours), c.hierarchical("made by them")}
}

// theirStore has the peer do one operation of a key store.
func (c *cloud) theirStore(t *testing.T, op, id string) {
	t.Helper()
	config := map[string]any{"table": storeTable, "logicalName": logicalName, "kmsKeyId": c.keyARN, "branchKeyId": id,
		"context": map[string]string{"tenant": "t"}}
	if _, err := c.peer.Do(map[string]any{"op": op, "config": config}); err != nil {
		t.Fatalf("%s %s: %v", c.peer.Name, op, err)
	}
}

func (c *cloud) hierarchical(branchKeyID string) itemconfig.Keyring {
	return itemconfig.Keyring{Type: "hierarchical", Table: storeTable, LogicalName: logicalName, KMSKeyID: c.keyARN,
		BranchKeyID: branchKeyID}
}

func (c *cloud) providers() itemconfig.Providers {
	return itemconfig.Providers{
		KMS: func(_ context.Context, region string) (awskms.KMSClient, error) {
			return kms.NewFromConfig(c.cfg, func(o *kms.Options) { o.Region = region }), nil
		},
		KeyStore: func(context.Context, itemconfig.Keyring) (materials.BranchKeySource, error) { return c.store, nil },
		MetaTable: func(_ context.Context, name string) (legacy.MetaTable, error) {
			return metatable.New(c.ddb, name)
		},
		BeaconKeys: func(context.Context, itemconfig.BeaconKeySource) (materials.BeaconKeySource, error) {
			return c.store, nil
		},
	}
}

// tester is what testing.T and rapid.T have in common here.
type tester interface {
	Helper()
	Context() context.Context
	Fatal(...any)
	Fatalf(string, ...any)
}

func (c *cloud) encryptor(t tester, config *itemconfig.Config) *envelope.ItemEncryptor {
	t.Helper()
	e, err := config.Encryptor(t.Context(), c.providers())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (c *cloud) seal(t tester, config *itemconfig.Config, item envelope.Item) envelope.Item {
	t.Helper()
	sealed, err := c.encryptor(t, config).EncryptItem(t.Context(), item)
	if err != nil {
		t.Fatalf("encrypt here: %v", err)
	}
	return sealed
}

func (c *cloud) theySeal(t tester, config *itemconfig.Config, item envelope.Item) envelope.Item {
	t.Helper()
	sealed, err := c.peer.Encrypt(config, item)
	if err != nil {
		t.Fatalf("%s encrypts: %v", c.peer.Name, err)
	}
	return sealed
}

// mustOpen has us open the item.
func (c *cloud) mustOpen(t tester, config *itemconfig.Config, sealed, want envelope.Item) {
	t.Helper()
	opened, err := c.encryptor(t, config).DecryptItem(t.Context(), sealed)
	if err != nil {
		t.Fatalf("we open theirs: %v", err)
	}
	if !peer.EqualItems(want, opened) {
		t.Fatalf("decrypted another item here than was encrypted")
	}
	results.count(c.direction, c.peer.Name)
}

// theyMustOpen has the peer open the item.
func (c *cloud) theyMustOpen(t tester, config *itemconfig.Config, sealed, want envelope.Item) {
	t.Helper()
	opened, err := c.peer.Decrypt(config, sealed)
	if err != nil {
		t.Fatalf("%s opens ours: %v", c.peer.Name, err)
	}
	if !peer.EqualItems(want, opened) {
		t.Fatalf("%s decrypted another item than was encrypted", c.peer.Name)
	}
	results.count(c.direction, c.peer.Name)
}

// bothMustRefuse has either side meet an item that was changed. Another
// failure of the peer than a refusal by its library fails the test.
func (c *cloud) bothMustRefuse(t tester, config *itemconfig.Config, broken envelope.Item, what string) {
	t.Helper()
	if _, err := c.encryptor(t, config).DecryptItem(t.Context(), broken); err == nil {
		t.Fatalf("%s: went unnoticed here", what)
	}
	var refusal *peer.Refusal
	if _, err := c.peer.Decrypt(config, broken); !errors.As(err, &refusal) {
		t.Fatalf("%s: went unnoticed by %s: %v", what, c.peer.Name, err)
	}
	results.count(c.direction, c.peer.Name)
}
