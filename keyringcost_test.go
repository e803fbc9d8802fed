// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/envelope/legacy/metatable"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/legacywriter"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// costs measures keyrings on an embedded AWS: which calls they cost the user
// "app", which permissions the user needs, and what the audit log gets to know.
type costs struct {
	*testing.T
	server   *localawstest.Server
	iam      *iam.Client
	partner  *ecdh.PrivateKey
	rsaKey   *rsa.PrivateKey
	kmsRSA   *rsa.PublicKey  // of the key "rsa"
	kmsCurve *ecdh.PublicKey // of the key "curve"
}

const secretKey = "patient-4711" // the items' partition key, which an audit log should not need

// keyringCost is a row of the table.
type keyringCost struct {
	name           string
	writer, reader func(*costs, aws.Config) any // a keyring or a legacy provider; nil if it cannot
	items          func(*costs, aws.Config) any // who writes what reader reads, if writer does not
	old            func(*costs) envelope.Item   // an item of the older client for reader
}

func newCosts(t *testing.T) *costs {
	server := localawstest.New(t, localawstest.WithSeed(localawstest.Seed{Users: []localawstest.User{{Name: "app"}},
		Keys: []localawstest.Key{{Name: "one"}, {Name: "two"}, {Name: "multi", MultiRegion: true},
			{Name: "rsa", Spec: "RSA_2048"}, {Name: "curve", Spec: "ECC_NIST_P256"}}}))
	c := &costs{T: t, server: server, iam: iam.NewFromConfig(server.Root()),
		partner: must(ecdh.P256().GenerateKey(rand.Reader)), rsaKey: must(rsa.GenerateKey(rand.Reader, 2048))}
	public := func(key string) any {
		out := must(c.kms(server.Root()).GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: new(server.Key(key))}))
		return must(x509.ParsePKIXPublicKey(out.PublicKey))
	}
	c.kmsRSA, c.kmsCurve = public("rsa").(*rsa.PublicKey), must(public("curve").(*ecdsa.PublicKey).ECDH())
	store := c.keyStore(server.Root())
	must(store.CreateTable(t.Context()))
	must(store.CreateKey(t.Context(), keystore.CreateKeyInput{BranchKeyID: "tenant",
		EncryptionContext: map[string]string{"tenant": "north"}}))
	must(dynamodb.NewFromConfig(server.Root()).CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: new("meta"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: new("N"), AttributeType: "S"},
			{AttributeName: new("V"), AttributeType: "N"}},
		KeySchema: []types.KeySchemaElement{{AttributeName: new("N"), KeyType: types.KeyTypeHash},
			{AttributeName: new("V"), KeyType: types.KeyTypeRange}}}))
	return c
}

// must panics on an error, which fails the test of the caller.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (c *costs) kms(cfg aws.Config) *kms.Client {
	return kms.NewFromConfig(cfg, func(o *kms.Options) { o.Retryer = aws.NopRetryer{} })
}

func (c *costs) keyStore(cfg aws.Config) *keystore.KeyStore {
	return must(keystore.New(keystore.Config{LogicalName: "keys", KMS: keystore.KMSKey(c.server.Key("one")),
		KMSClient: c.kms(cfg), DynamoDB: dynamodb.NewFromConfig(cfg), TableName: "keys"}))
}

// keyringCosts are the rows of the table in its order.
func keyringCosts() []keyringCost {
	rawAES := func(*costs, aws.Config) any {
		return must(keyring.NewRawAES(keyring.RawAESConfig{Namespace: "app", Name: "k", Key: make([]byte, 32)}))
	}
	rawRSA := func(c *costs, _ aws.Config) any {
		return must(keyring.NewRawRSA(keyring.RawRSAConfig{Namespace: "app", Name: "k",
			Padding: keyring.RSAPaddingOAEPSHA256, PrivateKey: c.rsaKey, PublicKey: &c.rsaKey.PublicKey}))
	}
	rawECDH := func(c *costs, _ aws.Config) any {
		return must(keyring.NewRawECDH(keyring.RawECDHConfig{PrivateKey: c.partner, PartnerKey: c.partner.PublicKey()}))
	}
	rawEphemeral := func(c *costs, _ aws.Config) any { return must(keyring.NewRawECDHEphemeral(c.partner.PublicKey())) }
	rawDiscovery := func(c *costs, _ aws.Config) any { return must(keyring.NewRawECDHDiscovery(c.partner)) }
	single := func(c *costs, cfg aws.Config) any {
		return must(awskms.New(awskms.Config{Client: c.kms(cfg), KeyARN: c.server.Key("one")}))
	}
	multiRegion := func(c *costs, cfg aws.Config) any {
		return must(awskms.NewMRK(awskms.Config{Client: c.kms(cfg), KeyARN: c.server.Key("multi")}))
	}
	several := func(c *costs, cfg aws.Config) any {
		return must(awskms.NewMulti(awskms.MultiConfig{Generator: c.server.Key("one"),
			Children: []string{c.server.Key("two")},
			Client:   func(string) (awskms.KMSClient, error) { return c.kms(cfg), nil }}))
	}
	discovery := func(c *costs, cfg aws.Config) any {
		return must(awskms.NewDiscovery(awskms.DiscoveryConfig{Client: c.kms(cfg)}))
	}
	mrkDiscovery := func(c *costs, cfg aws.Config) any {
		return must(awskms.NewMRKDiscovery(awskms.DiscoveryConfig{Client: c.kms(cfg), Region: cfg.Region}))
	}
	kmsRSA := func(c *costs, cfg aws.Config) any {
		return must(awskms.NewRSA(awskms.RSAConfig{Client: c.kms(cfg), KeyARN: c.server.Key("rsa"),
			Algorithm: kmstypes.EncryptionAlgorithmSpecRsaesOaepSha256}))
	}
	kmsRSAWriter := func(c *costs, _ aws.Config) any {
		return must(awskms.NewRSA(awskms.RSAConfig{KeyARN: c.server.Key("rsa"), PublicKey: c.kmsRSA,
			Algorithm: kmstypes.EncryptionAlgorithmSpecRsaesOaepSha256}))
	}
	kmsECDH := func(c *costs, cfg aws.Config) any {
		return must(awskms.NewECDH(awskms.ECDHConfig{Client: c.kms(cfg), KeyARN: c.server.Key("curve"),
			PartnerKey: c.partner.PublicKey()}))
	}
	kmsECDHDiscovery := func(c *costs, cfg aws.Config) any {
		return must(awskms.NewECDHDiscovery(awskms.ECDHConfig{Client: c.kms(cfg), KeyARN: c.server.Key("curve")}))
	}
	toKMSKey := func(c *costs, _ aws.Config) any { return must(keyring.NewRawECDHEphemeral(c.kmsCurve)) }
	hierarchical := func(c *costs, cfg aws.Config) any {
		source := must(must(cache.New(cache.Config{})).Source(cache.SourceConfig{Source: c.keyStore(cfg),
			Lifetime: time.Hour}))
		return must(keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: "tenant"}))
	}
	return []keyringCost{
		{name: "`keyring.NewRawAES`", writer: rawAES, reader: rawAES},
		{name: "`keyring.NewRawRSA`", writer: rawRSA, reader: rawRSA},
		{name: "`keyring.NewRawECDH`", writer: rawECDH, reader: rawECDH},
		{name: "`keyring.NewRawECDHEphemeral`", writer: rawEphemeral},
		{name: "`keyring.NewRawECDHDiscovery`", reader: rawDiscovery, items: rawEphemeral},
		{name: "`keyring.NewHierarchical`, `keystore/cache`", writer: hierarchical, reader: hierarchical},
		{name: "`awskms.New`", writer: single, reader: single},
		{name: "`awskms.NewMRK`", writer: multiRegion, reader: multiRegion},
		{name: "`awskms.NewMulti`, two keys", writer: several, reader: several},
		{name: "`awskms.NewDiscovery`", reader: discovery, items: single},
		{name: "`awskms.NewMRKDiscovery`", reader: mrkDiscovery, items: multiRegion},
		{name: "`awskms.NewRSA`", writer: kmsRSA, reader: kmsRSA},
		{name: "`awskms.NewRSA`, a public key and no client", writer: kmsRSAWriter},
		{name: "`awskms.NewECDH`", writer: kmsECDH, reader: kmsECDH},
		{name: "`awskms.NewECDHDiscovery`", reader: kmsECDHDiscovery, items: toKMSKey},
		{name: "`legacy.NewStatic`", reader: oldStatic, old: oldStaticItem},
		{name: "`legacy.NewKMS`", reader: oldKMS, old: oldKMSItem},
		{name: "`legacy.NewMetaStore`, rows under AWS KMS", reader: oldMetaStore, old: oldMetaStoreItem},
	}
}

var oldKey = bytes.Repeat([]byte{1}, 32)

func oldStatic(*costs, aws.Config) any {
	return must(legacy.NewStatic(legacy.StaticConfig{ContentKey: oldKey,
		Verification: must(legacy.NewHMAC("HmacSHA256", oldKey))}))
}

func oldKMS(c *costs, cfg aws.Config) any {
	client := must(awskms.NewLegacy(awskms.LegacyConfig{Client: c.kms(cfg), KeyARNs: []string{c.server.Key("one")}}))
	return must(legacy.NewKMS(legacy.KMSConfig{Client: client}))
}

func oldMetaStore(c *costs, cfg aws.Config) any {
	return must(legacy.NewMetaStore(legacy.MetaStoreConfig{MaterialName: "material", TableName: "meta",
		Table: must(metatable.New(dynamodb.NewFromConfig(cfg), "meta")), Provider: oldKMS(c, cfg).(legacy.Provider)}))
}

func oldStaticItem(*costs) envelope.Item {
	w := legacywriter.Writer{Table: "t", Encrypted: []string{"secret"}, ContentKey: oldKey, MACKey: oldKey}
	return w.Encrypt(costItem())
}

func oldKMSItem(c *costs) envelope.Item {
	return c.underKMS(legacywriter.Writer{Table: "t", Encrypted: []string{"secret"}}, costItem(),
		map[string]string{"id": secretKey, "*aws-kms-table*": "t"})
}

// underKMS writes an item of the older client whose keys an AWS KMS key wraps.
func (c *costs) underKMS(w legacywriter.Writer, item envelope.Item, pairs map[string]string) envelope.Item {
	pairs["*amzn-ddb-env-alg*"], pairs["*amzn-ddb-sig-alg*"] = "AES/256", "HmacSHA256/256"
	out := must(c.kms(c.server.Root()).GenerateDataKey(c.Context(), &kms.GenerateDataKeyInput{
		KeyId: new(c.server.Key("one")), NumberOfBytes: new(int32(32)), EncryptionContext: pairs}))
	w.ContentKey = must(hkdf.Key(sha256.New, out.Plaintext, nil, "Encryption", 32))
	w.MACKey = must(hkdf.Key(sha256.New, out.Plaintext, nil, "Signing", 32))
	w.Description = map[string]string{"amzn-ddb-env-alg": "AES/256", "amzn-ddb-sig-alg": "HmacSHA256/256",
		"amzn-ddb-wrap-alg": "kms", "amzn-ddb-env-key": base64.StdEncoding.EncodeToString(out.CiphertextBlob)}
	return w.Encrypt(item)
}

func oldMetaStoreItem(c *costs) envelope.Item {
	s := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	zeros := make([]byte, 16)
	row := c.underKMS(legacywriter.Writer{Table: "meta", Encrypted: []string{"t", "enc", "encAlg", "int", "intAlg"}},
		envelope.Item{"N": s("material"), "V": &types.AttributeValueMemberN{Value: "0"}, "t": s("0"),
			"encAlg": s("AES"), "intAlg": s("HmacSHA256"), "enc": &types.AttributeValueMemberB{Value: zeros},
			"int": &types.AttributeValueMemberB{Value: oldKey}},
		map[string]string{"N": "material", "V": "0", "*aws-kms-table*": "meta"})
	must(dynamodb.NewFromConfig(c.server.Root()).PutItem(c.Context(), &dynamodb.PutItemInput{TableName: new("meta"),
		Item: row}))
	w := legacywriter.Writer{Table: "t", MACKey: oldKey, Encrypted: []string{"secret"},
		ContentKey: []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		Description: map[string]string{"amzn-ddb-meta-id": "material#0", "amzn-ddb-wrap-alg": "AESWrap",
			// The content key under the key of zeros, by AES Key Wrap.
			"amzn-ddb-env-alg": "AES", "amzn-ddb-env-key": "AZNswOz4Y5D1XhesuqIE9UCiCZPN38la"}}
	return w.Encrypt(costItem())
}

func costItem() envelope.Item {
	return envelope.Item{"id": &types.AttributeValueMemberS{Value: secretKey},
		"secret": &types.AttributeValueMemberS{Value: "classified"}}
}

// encryptor returns an encryptor with a keyring, or one that reads old items with
// a legacy provider.
func (c *costs) encryptor(from any) *envelope.ItemEncryptor {
	config := envelope.Config{LogicalTableName: "t", PartitionKey: "id",
		AlgorithmSuite: envelope.SuiteSymmetricSignature,
		Actions:        map[string]envelope.Action{"id": envelope.SignOnly, "secret": envelope.EncryptAndSign}}
	if provider, is := from.(legacy.Provider); is {
		from = must(keyring.NewRawAES(keyring.RawAESConfig{Namespace: "app", Name: "k", Key: oldKey}))
		config.Legacy = &envelope.LegacyOverride{Policy: envelope.ForbidLegacyEncryptAllowLegacyDecrypt,
			Decryptor: must(legacy.New(legacy.Config{TableName: "t", PartitionKey: "id", Actions: config.Actions,
				Provider: provider}))}
	}
	config.Keyring = from.(materials.Keyring)
	return must(envelope.NewItemEncryptor(config))
}

// measure has the user do the same once more and once more, and describes the
// calls. It checks that the user needs exactly the permissions that are named as
// the calls, and adds to seen what the audit log has.
func (c *costs) measure(name string, make func() func() error, seen map[string]bool) string {
	c.Helper()
	c.allow("kms:*", "dynamodb:*")
	do := make()
	var texts []string
	actions := map[string]bool{}
	for range 3 {
		before := len(c.server.Audit().Events())
		if err := do(); err != nil {
			c.Fatalf("%s: %v", name, err)
		}
		calls := map[string]int{}
		for _, e := range c.server.Audit().Events()[before:] {
			service, _, _ := strings.Cut(e.EventSource, ".")
			calls[service+":"+e.EventName]++
			actions[service+":"+e.EventName] = true
			seen[known(e.RequestParameters)] = true
		}
		texts = append(texts, callsText(calls))
	}
	if texts[1] != texts[2] {
		c.Fatalf("%s costs %s and then %s", name, texts[1], texts[2])
	}
	allowed := slices.Sorted(maps.Keys(actions))
	c.allow(allowed...)
	if err := make()(); err != nil {
		c.Errorf("%s with the permissions %v: %v", name, allowed, err)
	}
	for i, missing := range allowed {
		c.allow(slices.Delete(slices.Clone(allowed), i, i+1)...)
		if err := make()(); !errors.Is(err, envelope.ErrKeyDenied) {
			c.Errorf("%s without %s: %v", name, missing, err)
		}
	}
	if texts[0] == texts[1] {
		return texts[0]
	}
	return texts[0] + "; then " + texts[1]
}

// allow makes actions all that the user may do.
func (c *costs) allow(actions ...string) {
	c.Helper()
	if len(actions) == 0 {
		actions = []string{"sts:GetCallerIdentity"} // a statement needs an action
	}
	document := must(json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{
		map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"}}}))
	must(c.iam.PutUserPolicy(context.Background(), &iam.PutUserPolicyInput{UserName: new("app"),
		PolicyName: new("app"), PolicyDocument: new(string(document))}))
}

func callsText(calls map[string]int) string {
	var texts []string
	for _, action := range slices.Sorted(maps.Keys(calls)) {
		text := "`" + action + "`"
		if n := calls[action]; n > 1 {
			text = fmt.Sprintf("%d × %s", n, text)
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		return "none"
	}
	return strings.Join(texts, " and ")
}

// What an audit entry tells about an item.
const (
	knowsKey     = "a context with the item's key"
	knowsContext = "a context without the item's key"
	knowsNothing = "no context"
)

func known(request json.RawMessage) string {
	var parameters struct{ EncryptionContext map[string]string }
	if err := json.Unmarshal(request, &parameters); err != nil || len(parameters.EncryptionContext) == 0 {
		return knowsNothing
	}
	serialized := base64.StdEncoding.EncodeToString([]byte("\x00\x01" + secretKey))
	for _, v := range parameters.EncryptionContext {
		if v == secretKey || v == serialized {
			return knowsKey
		}
	}
	return knowsContext
}

// text returns the table's row.
func (k keyringCost) text(c *costs) string {
	user := c.server.User("app")
	seen := map[string]bool{}
	write, read := "cannot", "cannot"
	item := func() envelope.Item {
		if k.old != nil {
			return k.old(c)
		}
		from := k.items
		if from == nil {
			from = k.writer
		}
		return must(c.encryptor(from(c, c.server.Root())).EncryptItem(c.Context(), costItem()))
	}
	if k.writer != nil {
		write = c.measure(k.name+" writes", func() func() error {
			e := c.encryptor(k.writer(c, user))
			return func() error { _, err := e.EncryptItem(c.Context(), costItem()); return err }
		}, seen)
	}
	if k.reader != nil {
		sealed := item()
		read = c.measure(k.name+" reads", func() func() error {
			e := c.encryptor(k.reader(c, user))
			return func() error { _, err := e.DecryptItem(c.Context(), sealed); return err }
		}, seen)
	}
	audit := "no entry"
	for _, most := range []string{knowsKey, knowsContext, knowsNothing} {
		if seen[most] {
			audit = most
			break
		}
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", k.name, write, read, audit)
}
