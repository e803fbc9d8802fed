// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
)

// pemPair is a key pair for key agreement as a configuration has it.
type pemPair struct{ private, public string }

func newPair(t *testing.T, curve ecdh.Curve) pemPair {
	t.Helper()
	key, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	return pemPair{string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), publicPEM(public)}
}

func publicPEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// kmsPair creates an asymmetric key in the embedded KMS and returns its ARN and
// public half.
func (c *cloud) kmsPair(t *testing.T, spec kmstypes.KeySpec, usage kmstypes.KeyUsageType) (arn, public string) {
	t.Helper()
	key, err := c.kms.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: spec, KeyUsage: usage})
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.kms.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: key.KeyMetadata.KeyId})
	if err != nil {
		t.Fatal(err)
	}
	return *key.KeyMetadata.Arn, publicPEM(out.PublicKey)
}

// pass has each side write under one keyring and both sides read under others, in
// the suites and both header versions. Both refuse the items to strangers, and
// what was changed.
func (c *cloud) pass(t *testing.T, writer itemconfig.Keyring, suites []envelope.AlgorithmSuite,
	readers, strangers []itemconfig.Keyring) {
	t.Helper()
	for _, suite := range suites {
		for _, keyAction := range []envelope.Action{envelope.SignOnly, envelope.SignAndIncludeInEncryptionContext} {
			config := itemconfig.Config{Table: "t", PartitionKey: "pk", AlgorithmSuite: suite.String(), Keyring: writer,
				AttributeActions: map[string]envelope.Action{"pk": keyAction, "secret": envelope.EncryptAndSign,
					"signed": keyAction}}
			item := envelope.Item{"pk": &types.AttributeValueMemberS{Value: "é"},
				"secret": &types.AttributeValueMemberN{Value: "12.5"},
				"signed": &types.AttributeValueMemberSS{Value: []string{"b", "a"}}}
			for _, sealed := range []envelope.Item{c.seal(t, &config, item), c.theySeal(t, &config, item)} {
				for _, r := range readers {
					read := config
					read.Keyring = r
					c.theyMustOpen(t, &read, sealed, item)
					c.mustOpen(t, &read, sealed, item)
					c.refuseChanges(t, &read, sealed, r.Type == "multi" || writer.Type == "multi")
				}
				for _, r := range strangers {
					read := config
					read.Keyring = r
					c.bothMustRefuse(t, &read, sealed, "a keyring of other keys")
				}
			}
		}
	}
}

var bothSuites = []envelope.AlgorithmSuite{envelope.SuiteDigitalSignature, envelope.SuiteSymmetricSignature}

// TestECDHKeyrings: on each curve two local pairs, and a local pair and a KMS
// key, in every key agreement scheme.
func TestECDHKeyrings(t *testing.T) {
	eachPeer(t, agreements, func(t *testing.T, c *cloud) {
		for spec, curve := range map[kmstypes.KeySpec]ecdh.Curve{kmstypes.KeySpecEccNistP256: ecdh.P256(),
			kmstypes.KeySpecEccNistP384: ecdh.P384(), kmstypes.KeySpecEccNistP521: ecdh.P521()} {
			a, b, other := newPair(t, curve), newPair(t, curve), newPair(t, curve)
			raw := func(own, partner pemPair) itemconfig.Keyring {
				return itemconfig.Keyring{Type: "raw-ecdh", PrivateKey: own.private, PublicKey: partner.public}
			}
			discovery := func(own pemPair) itemconfig.Keyring {
				return itemconfig.Keyring{Type: "raw-ecdh-discovery", PrivateKey: own.private}
			}
			ephemeral := func(public string) itemconfig.Keyring {
				return itemconfig.Keyring{Type: "raw-ecdh-ephemeral", PublicKey: public}
			}
			strangers := []itemconfig.Keyring{raw(a, other), discovery(other)}
			c.pass(t, raw(a, b), bothSuites, []itemconfig.Keyring{raw(a, b), raw(b, a), discovery(b)}, strangers)
			c.pass(t, ephemeral(b.public), bothSuites, []itemconfig.Keyring{discovery(b)}, strangers)

			arn, public := c.kmsPair(t, spec, kmstypes.KeyUsageTypeKeyAgreement)
			key := itemconfig.Keyring{Type: "aws-kms-ecdh", KeyID: arn, PublicKey: b.public}
			kmsDiscovery := itemconfig.Keyring{Type: "aws-kms-ecdh-discovery", KeyID: arn}
			withKey := raw(b, pemPair{public: public})
			c.pass(t, key, bothSuites, []itemconfig.Keyring{key, withKey, discovery(b)},
				append(slices.Clone(strangers), kmsDiscovery))
			c.pass(t, withKey, bothSuites[:1], []itemconfig.Keyring{key, withKey, kmsDiscovery}, strangers)
			c.pass(t, ephemeral(public), bothSuites[1:], []itemconfig.Keyring{kmsDiscovery}, strangers)
		}
	})
}

// TestKMSRSAKeyrings: each algorithm, alone and beside keyrings of other kinds.
func TestKMSRSAKeyrings(t *testing.T) {
	eachPeer(t, kmsRSA, func(t *testing.T, c *cloud) {
		encrypting := kmstypes.KeyUsageTypeEncryptDecrypt
		arn, public := c.kmsPair(t, kmstypes.KeySpecRsa2048, encrypting)
		otherARN, otherPublic := c.kmsPair(t, kmstypes.KeySpecRsa2048, encrypting)
		suite := bothSuites[1:] // the only one that these keyrings write
		for i, algorithm := range []string{"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"} {
			k := itemconfig.Keyring{Type: "aws-kms-rsa", KeyID: arn, EncryptionAlgorithm: algorithm, PublicKey: public}
			other, wrong := k, k
			other.KeyID, other.PublicKey = otherARN, otherPublic
			wrong.EncryptionAlgorithm = []string{"RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1"}[i]
			c.pass(t, k, suite, []itemconfig.Keyring{k}, []itemconfig.Keyring{other, wrong})
			symmetric := itemconfig.Keyring{Type: "aws-kms", KeyID: c.keyARN}
			multi := itemconfig.Keyring{Type: "multi", Generator: &k, Children: []itemconfig.Keyring{symmetric}}
			readers := []itemconfig.Keyring{k, symmetric}
			if has(c.peer.Name, agreements) {
				pair := newPair(t, ecdh.P384())
				multi.Children = append(multi.Children,
					itemconfig.Keyring{Type: "raw-ecdh-ephemeral", PublicKey: pair.public})
				readers = append(readers, itemconfig.Keyring{Type: "raw-ecdh-discovery", PrivateKey: pair.private})
			}
			c.pass(t, multi, suite, readers, []itemconfig.Keyring{other})
		}
	})
}
