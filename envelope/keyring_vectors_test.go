// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// asymmetricVectors are items under Raw ECDH, AWS KMS ECDH and AWS KMS RSA
// keyrings, written by the official Java library and by an independent program,
// with the keyrings that open and refuse each.
type asymmetricVectors struct {
	RawAESKey []byte                   `json:"rawAesKeyBase64"`
	Keys      map[string]asymmetricKey `json:"keys"`
	Cases     []asymmetricCase         `json:"cases"`
	Rejects   []asymmetricCase         `json:"rejects"`
}

type asymmetricKey struct {
	Private string `json:"privateKeyPem"`
	ARN     string `json:"kmsArn"`
}

type asymmetricKeyring struct {
	Type, Schema                         string
	SenderPrivateKey, RecipientPublicKey string
	RecipientPrivateKey                  string
	SenderKMSKey                         string `json:"senderKmsKey"`
	RecipientKMSKey                      string `json:"recipientKmsKey"`
	KMSKey                               string `json:"kmsKey"`
	EncryptionAlgorithm, PublicKey       string
	NoClient                             bool
	GrantTokens                          []string
	Generator                            *asymmetricKeyring
	Children                             []asymmetricKeyring
}

type asymmetricCase struct {
	Name         string                     `json:"name"`
	Expect       string                     `json:"expect"` // of a single-fault item
	Keyring      asymmetricKeyring          `json:"keyring"`
	Suite        string                     `json:"suite"`
	Table        string                     `json:"table"`
	PartitionKey string                     `json:"partitionKey"`
	SortKey      string                     `json:"sortKey"`
	Actions      map[string]envelope.Action `json:"actions"`
	Prefix       string                     `json:"allowedUnsignedAttributePrefix"`
	Item         json.RawMessage            `json:"item"`
	Plaintext    json.RawMessage            `json:"plaintext"`
	Opens        []struct {
		Keyring asymmetricKeyring
		Calls   []asymmetricCall `json:"kmsCalls"`
	} `json:"opens"`
	Refuses []struct{ Keyring asymmetricKeyring } `json:"refuses"`
	EDKs    []struct {
		Provider         string `json:"providerId"`
		Info             string `json:"providerInfoHex"`
		CiphertextLength int    `json:"ciphertextLength"`
	} `json:"edks"`
}

type asymmetricCall struct {
	Operation string
	Request   struct {
		KeyID                                      string `json:"KeyId"`
		EncryptionAlgorithm, KeyAgreementAlgorithm string
		PublicKey                                  []byte
		GrantTokens                                []string
	}
}

func readAsymmetricVectors(t testing.TB) *asymmetricVectors {
	t.Helper()
	shared := sharedVectors(t)
	if shared == "" {
		t.Skip("the vectors of the asymmetric keyrings are not there")
	}
	data, err := os.ReadFile(filepath.Join(shared, "keyrings", "java-3.9.0.json"))
	if err != nil {
		t.Fatal(err)
	}
	v := new(asymmetricVectors)
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *asymmetricVectors) private(t testing.TB, name string) any {
	t.Helper()
	key, has := v.Keys[name]
	if !has {
		t.Fatalf("no key %q", name)
	}
	return parsePrivate(t, key.Private)
}

// parsePrivate reads PEM of PKCS #8: an *rsa.PrivateKey or an *ecdh.PrivateKey.
func parsePrivate(t testing.TB, text string) any {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatal("no PEM block")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if signing, ok := key.(*ecdsa.PrivateKey); ok {
		if key, err = signing.ECDH(); err != nil {
			t.Fatal(err)
		}
	}
	return key
}

func (v *asymmetricVectors) ecdh(t testing.TB, name string) *ecdh.PrivateKey {
	t.Helper()
	return v.private(t, name).(*ecdh.PrivateKey)
}

// server is an AWS KMS that has the vectors' keys.
func (v *asymmetricVectors) server(t testing.TB) *fakekms.Server {
	t.Helper()
	s := &fakekms.Server{}
	for name, key := range v.Keys {
		if key.ARN != "" {
			s.AddPair(key.ARN, v.private(t, name))
		}
	}
	return s
}

func (v *asymmetricVectors) keyring(t testing.TB, s *fakekms.Server, k asymmetricKeyring) (materials.Keyring, error) {
	t.Helper()
	client := s.Client("us-west-2")
	switch {
	case k.Type == "raw-aes":
		return keyring.NewRawAES(keyring.RawAESConfig{Namespace: "ns", Name: "aes", Key: v.RawAESKey})
	case k.Type == "multi":
		generator, err := v.keyring(t, s, *k.Generator)
		if err != nil {
			return nil, err
		}
		var children []materials.Keyring
		for _, c := range k.Children {
			child, err := v.keyring(t, s, c)
			if err != nil {
				return nil, err
			}
			children = append(children, child)
		}
		return keyring.NewMulti(generator, children...)
	case k.Type == "aws-kms-rsa":
		c := awskms.RSAConfig{KeyARN: v.Keys[k.KMSKey].ARN, GrantTokens: k.GrantTokens,
			Algorithm: kmstypes.EncryptionAlgorithmSpec(k.EncryptionAlgorithm)}
		if !k.NoClient {
			c.Client = client
		}
		if k.PublicKey != "" {
			c.PublicKey = &v.private(t, k.PublicKey).(*rsa.PrivateKey).PublicKey
		}
		return awskms.NewRSA(c)
	}
	switch k.Schema {
	case "RawPrivateKeyToStaticPublicKey":
		return keyring.NewRawECDH(keyring.RawECDHConfig{PrivateKey: v.ecdh(t, k.SenderPrivateKey),
			PartnerKey: v.ecdh(t, k.RecipientPublicKey).PublicKey()})
	case "EphemeralPrivateKeyToStaticPublicKey":
		return keyring.NewRawECDHEphemeral(v.ecdh(t, k.RecipientPublicKey).PublicKey())
	case "PublicKeyDiscovery":
		return keyring.NewRawECDHDiscovery(v.ecdh(t, k.RecipientPrivateKey))
	case "KmsPrivateKeyToStaticPublicKey":
		return awskms.NewECDH(awskms.ECDHConfig{Client: client, KeyARN: v.Keys[k.SenderKMSKey].ARN,
			PartnerKey: v.ecdh(t, k.RecipientPublicKey).PublicKey(), GrantTokens: k.GrantTokens})
	case "KmsPublicKeyDiscovery":
		return awskms.NewECDHDiscovery(awskms.ECDHConfig{Client: client, KeyARN: v.Keys[k.RecipientKMSKey].ARN,
			GrantTokens: k.GrantTokens})
	}
	return nil, fmt.Errorf("unknown keyring %+v", k)
}

func (c *asymmetricCase) config(t testing.TB, k materials.Keyring) envelope.Config {
	t.Helper()
	suite := map[string]envelope.AlgorithmSuite{"0x6700": envelope.SuiteSymmetricSignature,
		"0x6701": envelope.SuiteDigitalSignature}[c.Suite]
	if suite == 0 {
		t.Fatalf("unknown suite %q", c.Suite)
	}
	return envelope.Config{LogicalTableName: c.Table, PartitionKey: c.PartitionKey, SortKey: c.SortKey,
		Actions: c.Actions, AllowedUnsignedPrefix: c.Prefix, AlgorithmSuite: suite, Keyring: k}
}

// opener returns an item encryptor of the case with one of its keyrings.
func (v *asymmetricVectors) opener(t testing.TB, s *fakekms.Server, c *asymmetricCase,
	k asymmetricKeyring) *envelope.ItemEncryptor {
	t.Helper()
	made, err := v.keyring(t, s, k)
	if err != nil {
		t.Fatal(err)
	}
	config := c.config(t, made)
	e, err := envelope.NewItemEncryptor(config)
	if errors.Is(err, envelope.ErrConfiguration) && c.Suite == "0x6701" {
		config.AlgorithmSuite = envelope.SuiteSymmetricSignature // items of both suites are read
		e, err = envelope.NewItemEncryptor(config)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestAsymmetricVectors opens what each keyring of a case should open, refuses
// what it should refuse, and does the same with what it wrote itself.
func TestAsymmetricVectors(t *testing.T) {
	v := readAsymmetricVectors(t)
	opened, refused := 0, 0
	for i := range v.Cases {
		c := &v.Cases[i]
		t.Run(c.Name, func(t *testing.T) {
			s := v.server(t)
			item, plain := mustItem(t, c.Item), mustItem(t, c.Plaintext)
			reencodes(t, item)
			c.describes(t, item)
			own := mustEncrypt(t, v.opener(t, s, c, c.Keyring), plain)
			c.describes(t, own)
			for _, o := range c.Opens {
				e := v.opener(t, s, c, o.Keyring)
				before := len(s.Calls())
				got, err := e.DecryptItem(t.Context(), item)
				if err != nil {
					t.Fatalf("%+v: %v", o.Keyring, err)
				}
				sameItem(t, got, plain)
				sameCalls(t, s.Calls()[before:], o.Calls)
				if got, err = e.DecryptItem(t.Context(), own); err != nil {
					t.Fatalf("our own, %+v: %v", o.Keyring, err)
				}
				sameItem(t, got, plain)
				opened++
			}
			for _, r := range c.Refuses {
				e := v.opener(t, s, c, r.Keyring)
				for _, item := range []envelope.Item{item, own} {
					if _, err := e.DecryptItem(t.Context(), item); !errors.Is(err, envelope.ErrMaterials) &&
						!errors.Is(err, envelope.ErrConfiguration) {
						t.Errorf("%+v: %v", r.Keyring, err)
					}
				}
				refused++
			}
		})
	}
	if opened < 262 || refused < 220 {
		t.Errorf("%d openings and %d refusals", opened, refused)
	}
}

// describes checks the encrypted data keys of an item: those that do not hold a
// random nonce or point byte for byte.
func (c *asymmetricCase) describes(t *testing.T, item envelope.Item) {
	t.Helper()
	m, err := envelope.Inspect(item)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.EncryptedDataKeys) != len(c.EDKs) {
		t.Fatalf("%d encrypted data keys", len(m.EncryptedDataKeys))
	}
	for i, want := range c.EDKs {
		got := m.EncryptedDataKeys[i]
		info := hex.EncodeToString(got.ProviderInfo)
		random := want.Provider == "ns" || strings.Contains(c.Name, "phemeral")
		if got.ProviderID != want.Provider || len(info) != len(want.Info) || !random && info != want.Info ||
			len(got.Ciphertext) != want.CiphertextLength {
			t.Errorf("key %d: %s %s %d", i, got.ProviderID, info, len(got.Ciphertext))
		}
	}
}

// sameCalls compares the calls that use a private key. GetPublicKey is ours to
// time: at the first use and not when the keyring is made.
func sameCalls(t *testing.T, got []fakekms.Call, want []asymmetricCall) {
	t.Helper()
	got = slices.DeleteFunc(got, func(c fakekms.Call) bool {
		if c.Operation == "GetPublicKey" && len(c.GrantTokens) > 0 {
			t.Error("GetPublicKey was given grant tokens")
		}
		return c.Operation == "GetPublicKey"
	})
	want = slices.DeleteFunc(slices.Clone(want), func(c asymmetricCall) bool {
		return strings.HasSuffix(c.Operation, "GetPublicKey")
	})
	if len(got) != len(want) {
		t.Fatalf("calls %+v, want %+v", got, want)
	}
	for i, w := range want {
		g, r := got[i], w.Request
		if "TrentService."+g.Operation != w.Operation || g.KeyID != r.KeyID || len(g.Context) > 0 ||
			g.Algorithm != r.EncryptionAlgorithm+r.KeyAgreementAlgorithm || !bytes.Equal(g.PublicKey, r.PublicKey) ||
			!slices.Equal(g.GrantTokens, r.GrantTokens) {
			t.Errorf("call %+v, want %+v", g, w)
		}
	}
}

// TestAsymmetricRejects reads items with one fault each.
func TestAsymmetricRejects(t *testing.T) {
	v := readAsymmetricVectors(t)
	verdicts := map[string]int{}
	for i := range v.Rejects {
		c := &v.Rejects[i]
		t.Run(c.Name, func(t *testing.T) {
			s := v.server(t)
			got, err := v.opener(t, s, c, c.Keyring).DecryptItem(t.Context(), mustItem(t, c.Item))
			verdicts[c.Expect]++
			switch c.Expect {
			case "refuse":
				if !errors.Is(err, envelope.ErrMaterials) || got != nil {
					t.Fatalf("got %v", err)
				}
			case "open", "either": // we open where the official library fails the whole keyring
				if err != nil {
					t.Fatal(err)
				}
				sameItem(t, got, mustItem(t, c.Plaintext))
			default:
				t.Fatalf("unknown verdict %q", c.Expect)
			}
		})
	}
	if verdicts["refuse"] < 101 || verdicts["open"]+verdicts["either"] < 11 {
		t.Errorf("verdicts %v", verdicts)
	}
}
