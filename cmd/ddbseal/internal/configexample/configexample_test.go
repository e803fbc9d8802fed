// SPDX-License-Identifier: Apache-2.0

package configexample_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/configexample"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// Placeholders of the examples.
const (
	keyARN     = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	multiARN   = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
	publicKey  = `-----BEGIN PUBLIC KEY-----\n…\n-----END PUBLIC KEY-----\n`
	privateKey = `-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----\n`
)

// world has the keys that the placeholders stand for.
type world struct {
	t   *testing.T
	cfg aws.Config
	kms *kms.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	server := localawstest.New(t, localawstest.WithOptions(localaws.Options{Region: "eu-west-1"}))
	cfg := server.Config(server.RootCredentials())
	return &world{t, cfg, kms.NewFromConfig(cfg)}
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// key creates a KMS key and returns its ARN, and its public key if it has one.
func (w *world) key(spec kmstypes.KeySpec, usage kmstypes.KeyUsageType, multi bool) (arn string, public []byte) {
	w.t.Helper()
	out, err := w.kms.CreateKey(w.t.Context(), &kms.CreateKeyInput{KeySpec: spec, KeyUsage: usage, MultiRegion: &multi})
	w.ok(err)
	if spec != kmstypes.KeySpecSymmetricDefault {
		key, err := w.kms.GetPublicKey(w.t.Context(), &kms.GetPublicKeyInput{KeyId: out.KeyMetadata.Arn})
		w.ok(err)
		public = key.PublicKey
	}
	return *out.KeyMetadata.Arn, public
}

// providers are clients of the world.
func (w *world) providers() itemconfig.Providers {
	return itemconfig.Providers{
		KMS: func(context.Context, string) (awskms.KMSClient, error) { return w.kms, nil },
		KeyStore: func(_ context.Context, k itemconfig.Keyring) (materials.BranchKeySource, error) {
			ks, err := keystore.New(keystore.Config{LogicalName: k.Table, TableName: k.Table,
				KMS: keystore.KMSKey(k.KMSKeyID), KMSClient: w.kms, DynamoDB: dynamodb.NewFromConfig(w.cfg)})
			if err != nil {
				return nil, err
			}
			if _, err := ks.CreateTable(w.t.Context()); err != nil {
				return nil, err
			}
			_, err = ks.CreateKey(w.t.Context(), keystore.CreateKeyInput{BranchKeyID: k.BranchKeyID,
				EncryptionContext: map[string]string{"for": "test"}})
			if err != nil && !errors.Is(err, keystore.ErrExists) {
				return nil, err
			}
			return cache.NewSource(ks, time.Minute)
		},
	}
}

// open reads the example of a type of keyring from a file, with keys in the place
// of placeholders, as those who copied it do.
func (w *world) open(kind string, replace ...string) *envelope.ItemEncryptor {
	w.t.Helper()
	text, err := configexample.Of(kind)
	w.ok(err)
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			w.t.Fatalf("the example of %s lacks %s", kind, replace[i])
		}
		text = strings.ReplaceAll(text, replace[i], replace[i+1])
	}
	if strings.Contains(text, "…") || strings.Contains(text, keyARN) {
		w.t.Fatalf("a placeholder is left:\n%s", text)
	}
	dir := w.t.TempDir()
	w.ok(os.WriteFile(filepath.Join(dir, "patients.json"), []byte(text), 0o600))
	w.ok(os.WriteFile(filepath.Join(dir, "patients.key"), make([]byte, 32), 0o600))
	c, err := itemconfig.ReadFile(filepath.Join(dir, "patients.json"))
	w.ok(err)
	if c.Keyring.Type != kind {
		w.t.Errorf("the example of %s is one of %s", kind, c.Keyring.Type)
	}
	e, err := c.Encryptor(w.t.Context(), w.providers())
	w.ok(err)
	return e
}

// pemJSON is DER as PEM in a JSON text, without the quotes.
func (w *world) pemJSON(kind string, der []byte, err error) string {
	w.t.Helper()
	w.ok(err)
	text, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	w.ok(err)
	return string(text[1 : len(text)-1])
}

// pair is a key pair as the texts of a configuration.
func (w *world) pair(private any, public any) (privateText, publicText string) {
	w.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	privateText = w.pemJSON("PRIVATE KEY", der, err)
	der, err = x509.MarshalPKIXPublicKey(public)
	return privateText, w.pemJSON("PUBLIC KEY", der, err)
}

// TestExamples: each example is a configuration whose encryptor opens what it, or
// the one that it is the counterpart of, has written.
func TestExamples(t *testing.T) {
	w := newWorld(t)
	symmetric, _ := w.key(kmstypes.KeySpecSymmetricDefault, kmstypes.KeyUsageTypeEncryptDecrypt, false)
	multi, _ := w.key(kmstypes.KeySpecSymmetricDefault, kmstypes.KeyUsageTypeEncryptDecrypt, true)
	rsaARN, _ := w.key(kmstypes.KeySpecRsa2048, kmstypes.KeyUsageTypeEncryptDecrypt, false)
	agreement, agreementPublic := w.key(kmstypes.KeySpecEccNistP384, kmstypes.KeyUsageTypeKeyAgreement, false)
	agreementText := w.pemJSON("PUBLIC KEY", agreementPublic, nil)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	w.ok(err)
	rsaPrivate, rsaPublic := w.pair(rsaKey, &rsaKey.PublicKey)
	own, err := ecdh.P384().GenerateKey(rand.Reader)
	w.ok(err)
	ownPrivate, ownPublic := w.pair(own, own.PublicKey())
	other, err := ecdh.P384().GenerateKey(rand.Reader)
	w.ok(err)
	_, otherPublic := w.pair(other, other.PublicKey())

	writer := map[string]*envelope.ItemEncryptor{
		"raw-aes":            w.open("raw-aes"),
		"raw-rsa":            w.open("raw-rsa", publicKey, rsaPublic, privateKey, rsaPrivate),
		"raw-ecdh":           w.open("raw-ecdh", publicKey, otherPublic, privateKey, ownPrivate),
		"raw-ecdh-ephemeral": w.open("raw-ecdh-ephemeral", publicKey, ownPublic),
		"aws-kms":            w.open("aws-kms", keyARN, symmetric),
		"aws-kms-mrk":        w.open("aws-kms-mrk", multiARN, multi),
		"aws-kms-rsa":        w.open("aws-kms-rsa", keyARN, rsaARN),
		"aws-kms-ecdh":       w.open("aws-kms-ecdh", keyARN, agreement, publicKey, otherPublic),
		"multi":              w.open("multi", keyARN, symmetric),
		"hierarchical":       w.open("hierarchical", keyARN, symmetric),
	}
	readers := map[string]*envelope.ItemEncryptor{}
	for kind, e := range writer {
		readers[kind] = e
	}
	delete(readers, "raw-ecdh-ephemeral") // encrypts only
	readers["raw-ecdh-discovery"] = w.open("raw-ecdh-discovery", privateKey, ownPrivate)
	readers["aws-kms-discovery"] = w.open("aws-kms-discovery")
	readers["aws-kms-mrk-discovery"] = w.open("aws-kms-mrk-discovery")
	readers["aws-kms-ecdh-discovery"] = w.open("aws-kms-ecdh-discovery", keyARN, agreement)
	writer["to aws-kms-ecdh-discovery"] = w.open("raw-ecdh-ephemeral", publicKey, agreementText)
	opens := map[string]string{"raw-ecdh-discovery": "raw-ecdh-ephemeral", "aws-kms-discovery": "aws-kms",
		"aws-kms-mrk-discovery": "aws-kms-mrk", "aws-kms-ecdh-discovery": "to aws-kms-ecdh-discovery"}

	for _, kind := range itemconfig.KeyringTypes() {
		reader, written := readers[kind], kind
		if from, ok := opens[kind]; ok {
			written = from
		}
		if kind == "raw-ecdh-ephemeral" {
			reader = readers["raw-ecdh-discovery"]
		}
		if reader == nil || writer[written] == nil {
			t.Errorf("the example of %s is not used", kind)
			continue
		}
		text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
		sealed, err := writer[written].EncryptItem(t.Context(), envelope.Item{"id": text("1"), "ward": text("north"),
			"name": text("Kim Example"), "diagnosis": text("hay fever")})
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if _, clear := sealed["diagnosis"].(*types.AttributeValueMemberS); clear {
			t.Errorf("%s leaves the diagnosis in the clear", kind)
		}
		opened, err := reader.DecryptItem(t.Context(), sealed)
		if err != nil || opened["diagnosis"].(*types.AttributeValueMemberS).Value != "hay fever" {
			t.Errorf("%s: %v, %v", kind, opened, err)
		}
	}
}

// TestTypes: there is an example for each type, with what it is for, and for no
// other.
func TestTypes(t *testing.T) {
	all := configexample.Types()
	if len(all) != len(itemconfig.KeyringTypes()) {
		t.Fatal(all)
	}
	for _, kind := range all {
		if kind.For == "" {
			t.Errorf("%s is for nothing", kind.Name)
		}
	}
	if files, err := filepath.Glob("examples/*.json"); err != nil || len(files) != len(all) {
		t.Error(files, err)
	}
	_, err := configexample.Of("../configexample.go")
	if !errors.Is(err, envelope.ErrConfiguration) || !strings.Contains(err.Error(), "raw-aes, raw-rsa") {
		t.Error(err)
	}
}

// TestPage: the documentation shows every example as it is embedded, and names
// every type.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/item-configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range configexample.Types() {
		text, err := configexample.Of(kind.Name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "\n### "+kind.Name+"\n") ||
			!strings.Contains(string(page), "```json\n"+text+"```\n") {
			t.Errorf("docs/item-configuration.md lacks the heading %s or this example:\n%s", kind.Name, text)
		}
	}
}
