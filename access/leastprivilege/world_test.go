// SPDX-License-Identifier: Apache-2.0

package leastprivilege_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/access/leastprivilege"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/transparent"
)

const (
	account     = "111122223333"
	role        = "arn:aws:iam::111122223333:role/app"
	ordersARN   = "arn:aws:dynamodb:us-east-1:111122223333:table/Orders"
	storeARN    = "arn:aws:dynamodb:us-east-1:111122223333:table/Keys"
	branch      = "clinic"
	checkpoints = "Checkpoints"
)

// order is an item of the table Orders.
type order struct {
	ID   string `dynamodbav:"id" seal:"partition"`
	Ward string `dynamodbav:"ward" seal:"sign"`
	Name string `dynamodbav:"name"`
	Note string `dynamodbav:"note" seal:"none"`
}

var actions = map[string]envelope.Action{"id": envelope.SignOnly, "ward": envelope.SignOnly,
	"name": envelope.EncryptAndSign, "note": envelope.DoNothing}

// mode is a way to encrypt the table.
type mode struct {
	name string
	key  string // of the table, and of the key store's
	keys []string
	kind leastprivilege.KeyKind
	// store says that the items are under branch keys, beacons that they have beacons.
	store, beacons bool
	// alike says that another mode has the same statements: what happens without each
	// is tried there.
	alike bool
}

var modes = []mode{
	{name: "owned", alike: true},
	{name: "managed", key: "alias/aws/dynamodb", alike: true},
	{name: "customer key", key: "table"},
	{name: "client-side", keys: []string{"item"}, kind: leastprivilege.DataKeys},
	{name: "two keys", keys: []string{"item", "second"}, kind: leastprivilege.DataKeys, alike: true},
	{name: "RSA", keys: []string{"rsa"}, kind: leastprivilege.RSA},
	{name: "agreement", keys: []string{"agreement"}, kind: leastprivilege.Agreement},
	{name: "branch keys", store: true, alike: true},
	{name: "beacons", store: true, beacons: true, alike: true},
	{name: "both", key: "table", keys: []string{"item"}, kind: leastprivilege.DataKeys, alike: true},
	{name: "both, branch keys and beacons", key: "table", store: true, beacons: true},
}

// world is a server with the table in one mode, whose keys only the administrator
// can use.
type world struct {
	*localawstest.Server
	t     *testing.T
	mode  *mode
	admin aws.Config
	app   aws.Config      // a session of the role
	peer  *ecdh.PublicKey // public key of the other side of an agreement
	table leastprivilege.Table
}

// keyPolicy is a key's policy: the administrator's statement, and more.
func keyPolicy(more ...leastprivilege.Statement) any {
	return map[string]any{"Version": "2012-10-17", "Statement": append([]leastprivilege.Statement{{Sid: "Admin",
		Effect: "Allow", Principal: &leastprivilege.Principal{AWS: "arn:aws:iam::" + account + ":user/admin"},
		Action: []string{"kms:*"}, Resource: []string{"*"}}}, more...)}
}

func newWorld(t *testing.T, m *mode) *world {
	t.Helper()
	seed := localawstest.Seed{
		Users: []localawstest.User{{Name: "admin", Attach: []string{"AdministratorAccess"}}},
		Roles: []localawstest.Role{{Name: "app", Trust: map[string]any{"Version": "2012-10-17",
			"Statement": map[string]any{"Effect": "Allow", "Action": "sts:AssumeRole",
				"Principal": map[string]any{"AWS": "arn:aws:iam::{{account}}:user/admin"}}}}},
	}
	for _, k := range []localawstest.Key{{Name: "table"}, {Name: "item"}, {Name: "second"}, {Name: "branch"},
		{Name: "rsa", Spec: "RSA_2048"}, {Name: "agreement", Spec: "ECC_NIST_P256"}} {
		if k.Spec == "" || slices.Contains(m.keys, k.Name) {
			k.Policy = keyPolicy()
			seed.Keys = append(seed.Keys, k)
		}
	}
	w := &world{Server: localawstest.New(t, localawstest.WithSeed(seed)), t: t, mode: m}
	w.admin = w.User("admin")
	w.admin.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	w.app = w.Assume(w.admin, "app", "session")
	w.app.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	w.tables()
	return w
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tables creates the tables and branch keys again, and describes them.
func (w *world) tables() {
	w.t.Helper()
	ctx, client := w.t.Context(), dynamodb.NewFromConfig(w.admin)
	for _, name := range []string{"Orders", "Keys", checkpoints} {
		_, _ = client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}) // may be missing
	}
	var sse *types.SSESpecification
	switch w.mode.key {
	case "":
	case "table":
		sse = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms,
			KMSMasterKeyId: aws.String(w.Key("table"))}
	default:
		sse = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms}
	}
	attribute := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS}
	}
	key := func(name string, kind types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: &name, KeyType: kind}
	}
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: aws.String("Orders"),
		BillingMode: types.BillingModePayPerRequest, SSESpecification: sse,
		AttributeDefinitions: []types.AttributeDefinition{attribute("id"), attribute("ward")},
		KeySchema:            []types.KeySchemaElement{key("id", types.KeyTypeHash)},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String("wards"),
			KeySchema:  []types.KeySchemaElement{key("ward", types.KeyTypeHash)},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}}})
	ok(w.t, err)
	if w.mode.store {
		_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: aws.String("Keys"),
			BillingMode: types.BillingModePayPerRequest, SSESpecification: sse,
			AttributeDefinitions: []types.AttributeDefinition{attribute("branch-key-id"), attribute("type")},
			KeySchema: []types.KeySchemaElement{key("branch-key-id", types.KeyTypeHash),
				key("type", types.KeyTypeRange)}})
		ok(w.t, err)
		_, err = w.keyStore(w.admin).CreateKey(ctx, keystore.CreateKeyInput{BranchKeyID: branch,
			EncryptionContext: map[string]string{"for": "orders"}})
		ok(w.t, err)
	}
	if w.mode.kind == leastprivilege.Agreement && w.peer == nil {
		peer, err := ecdh.P256().GenerateKey(rand.Reader)
		ok(w.t, err)
		w.peer = peer.PublicKey()
	}
	w.describe()
}

// describe describes the table as the command does.
func (w *world) describe() {
	w.t.Helper()
	var err error
	w.table, err = leastprivilege.Describe(w.t.Context(), w.admin, "Orders")
	ok(w.t, err)
	e := &w.table.Items
	for _, k := range w.mode.keys {
		e.Keys = append(e.Keys, leastprivilege.Key{ARN: w.Key(k), Kind: w.mode.kind})
	}
	if w.mode.store {
		at, err := leastprivilege.DescribeStore(w.t.Context(), w.admin, "Keys")
		ok(w.t, err)
		e.Stores = []leastprivilege.KeyStore{{Place: at, LogicalName: "branch-keys", KMSKeyARN: w.Key("branch"),
			BranchKeys: []string{branch}}}
		if w.mode.beacons {
			e.Beacons = &e.Stores[0]
		}
	}
}

func (w *world) keyStore(cfg aws.Config) *keystore.KeyStore {
	w.t.Helper()
	s, err := keystore.New(keystore.Config{LogicalName: "branch-keys", KMS: keystore.KMSKey(w.Key("branch")),
		KMSClient: kms.NewFromConfig(cfg), DynamoDB: dynamodb.NewFromConfig(cfg), TableName: "Keys"})
	ok(w.t, err)
	return s
}

// keyring makes the keyring of the mode for a caller; nil for server-side
// encryption.
func (w *world) keyring(cfg aws.Config) materials.Keyring {
	w.t.Helper()
	client := kms.NewFromConfig(cfg)
	var all []materials.Keyring
	for _, name := range w.mode.keys {
		var k materials.Keyring
		var err error
		switch w.mode.kind {
		case leastprivilege.DataKeys:
			k, err = awskms.New(awskms.Config{Client: client, KeyARN: w.Key(name)})
		case leastprivilege.RSA:
			k, err = awskms.NewRSA(awskms.RSAConfig{Client: client, KeyARN: w.Key(name),
				Algorithm: kmstypes.EncryptionAlgorithmSpecRsaesOaepSha256})
		case leastprivilege.Agreement:
			k, err = awskms.NewECDH(awskms.ECDHConfig{Client: client, KeyARN: w.Key(name),
				PartnerKey: w.peer})
		}
		ok(w.t, err)
		all = append(all, k)
	}
	if w.mode.store {
		k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: w.keyStore(cfg), BranchKeyID: branch})
		ok(w.t, err)
		all = append(all, k)
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	k, err := keyring.NewMulti(all[0], all[1:]...)
	ok(w.t, err)
	return k
}

// config is the configuration of the mode's item encryptor.
func (w *world) config(cfg aws.Config) envelope.Config {
	w.t.Helper()
	c := envelope.Config{LogicalTableName: "Orders", PartitionKey: "id", Keyring: w.keyring(cfg), Actions: actions,
		AllowedUnsigned: []string{"note"}, AlgorithmSuite: envelope.SuiteSymmetricSignature}
	if w.mode.beacons {
		c.Search = &beacon.Config{Standard: []beacon.Standard{{Name: "name", Length: 8}},
			Keys: beacon.KeySource{Source: w.keyStore(cfg), BranchKeyID: branch, Lifetime: time.Hour}}
	}
	return c
}

// orders opens the table for a caller. With beacons, whose searches package store
// does not have, it is a table over a client that encrypts.
func (w *world) orders(cfg aws.Config) (*store.Table[order], store.Client) {
	w.t.Helper()
	client := dynamodb.NewFromConfig(cfg)
	var m store.Mode = store.ServerSide{}
	switch k := w.keyring(cfg); {
	case w.mode.beacons:
		e, err := envelope.NewItemEncryptor(w.config(cfg))
		ok(w.t, err)
		c, err := transparent.New(map[string]*envelope.ItemEncryptor{"Orders": e})
		ok(w.t, err)
		client = dynamodb.NewFromConfig(cfg, c.Install)
	case k != nil:
		m = store.ClientSide{Keyring: k, AlgorithmSuite: envelope.SuiteSymmetricSignature}
	}
	table, err := store.New[order](client, "Orders", m, store.WholeIndexes("wards"))
	ok(w.t, err)
	return table, client
}

// allow gives the role the policies and nothing else.
func (w *world) allow(p *leastprivilege.Policies) {
	w.t.Helper()
	ctx, client := context.Background(), iam.NewFromConfig(w.admin)
	if len(p.Identity.Statements) == 0 {
		_, _ = client.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String("app"),
			PolicyName: aws.String("least")}) // may be missing
	} else {
		text, err := json.Marshal(p.Identity)
		ok(w.t, err)
		_, err = client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("app"),
			PolicyName: aws.String("least"), PolicyDocument: aws.String(string(text))})
		ok(w.t, err)
	}
	for _, name := range append([]string{"table", "item", "second", "branch"}, w.mode.keys...) {
		var more []leastprivilege.Statement
		for _, k := range p.Keys {
			if k.Key == w.Key(name) {
				more = k.Statements
			}
		}
		text, err := json.Marshal(keyPolicy(more...))
		ok(w.t, err)
		_, err = kms.NewFromConfig(w.admin).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: aws.String(w.Key(name)),
			Policy: aws.String(string(text))})
		ok(w.t, err)
	}
}
