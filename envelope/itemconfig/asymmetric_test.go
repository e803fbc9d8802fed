// SPDX-License-Identifier: Apache-2.0

package itemconfig_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/internal/fakekms"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
)

const (
	agreementARN = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000001"
	rsaARN       = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000002"
)

func pemText(t *testing.T, key any) string {
	t.Helper()
	kind, der, err := "PUBLIC KEY", []byte(nil), error(nil)
	switch key.(type) {
	case *ecdh.PrivateKey, *rsa.PrivateKey:
		kind = "PRIVATE KEY"
		der, err = x509.MarshalPKCS8PrivateKey(key)
	default:
		der, err = x509.MarshalPKIXPublicKey(key)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func newPair(t *testing.T, curve ecdh.Curve) *ecdh.PrivateKey {
	t.Helper()
	key, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// keyringText is a keyring of a file from its members.
func keyringText(t *testing.T, members map[string]any) string {
	t.Helper()
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// encryptorOf reads a file with suite 0x6700, which every keyring writes.
func encryptorOf(t *testing.T, keyring string, p itemconfig.Providers) (*envelope.ItemEncryptor, error) {
	t.Helper()
	c, err := itemconfig.Read(strings.NewReader(
		strings.Replace(file(keyring), `"keyring"`, `"algorithmSuite":"0x6700","keyring"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return c.Encryptor(t.Context(), p)
}

// Each keyring under asymmetric keys reads what it or its counterpart wrote.
func TestAsymmetricKeyringsRoundTrip(t *testing.T) {
	own, partner, kmsPair := newPair(t, ecdh.P384()), newPair(t, ecdh.P384()), newPair(t, ecdh.P384())
	rsaPair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	var server fakekms.Server
	server.AddPair(agreementARN, kmsPair)
	server.AddPair(rsaARN, rsaPair)
	withKMS := itemconfig.Providers{KMS: func(_ context.Context, region string) (awskms.KMSClient, error) {
		return server.Client(region), nil
	}}
	type members = map[string]any
	rsaMembers := members{"type": "aws-kms-rsa", "keyId": rsaARN, "encryptionAlgorithm": "RSAES_OAEP_SHA_256"}
	rsaPublic := members{"publicKey": pemText(t, &rsaPair.PublicKey)}
	for k, v := range rsaMembers {
		rsaPublic[k] = v
	}
	static := members{"type": "raw-ecdh", "privateKey": pemText(t, own), "publicKey": pemText(t, partner.PublicKey())}
	kmsStatic := members{"type": "aws-kms-ecdh", "keyId": agreementARN, "publicKey": pemText(t, partner.PublicKey())}
	discovery := members{"type": "raw-ecdh-discovery", "privateKey": pemText(t, partner)}
	for name, c := range map[string]struct {
		writer, reader members
		p              itemconfig.Providers
	}{
		"raw-ecdh":           {static, static, itemconfig.Providers{}},
		"raw-ecdh-discovery": {static, discovery, itemconfig.Providers{}},
		"raw-ecdh-ephemeral": {members{"type": "raw-ecdh-ephemeral", "publicKey": static["publicKey"]}, discovery,
			itemconfig.Providers{}},
		"aws-kms-ecdh":     {kmsStatic, kmsStatic, withKMS},
		"aws-kms-ecdh raw": {kmsStatic, discovery, itemconfig.Providers{}},
		"aws-kms-ecdh-discovery": {
			members{"type": "raw-ecdh-ephemeral", "publicKey": pemText(t, kmsPair.PublicKey())},
			members{"type": "aws-kms-ecdh-discovery", "keyId": agreementARN}, withKMS,
		},
		"aws-kms-rsa":         {rsaMembers, rsaMembers, withKMS},
		"aws-kms-rsa offline": {rsaPublic, rsaMembers, withKMS},
	} {
		t.Run(name, func(t *testing.T) {
			writing := withKMS
			if strings.HasSuffix(name, "offline") {
				writing = itemconfig.Providers{}
			}
			writer, err := encryptorOf(t, keyringText(t, c.writer), writing)
			if err != nil {
				t.Fatal(err)
			}
			reader, err := encryptorOf(t, keyringText(t, c.reader), c.p)
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := writer.EncryptItem(t.Context(),
				envelope.Item{"id": &types.AttributeValueMemberS{Value: "1"},
					"s": &types.AttributeValueMemberS{Value: "secret"}})
			if err != nil {
				t.Fatal(err)
			}
			opened, err := reader.DecryptItem(t.Context(), sealed)
			if err != nil || opened["s"].(*types.AttributeValueMemberS).Value != "secret" {
				t.Fatal(opened, err)
			}
		})
	}
}

// A public key whose point is compressed or hybrid is refused: the official library
// for Java takes some of these and writes items that the writer cannot read.
func TestOtherFormsOfPoints(t *testing.T) {
	block, _ := pem.Decode([]byte(pemText(t, newPair(t, ecdh.P256()).PublicKey())))
	der := block.Bytes
	point := der[len(der)-65:]
	head := func(length byte) []byte {
		h := slices.Clone(der[:len(der)-65])
		h[1] -= 65 - length
		h[len(h)-2] -= 65 - length // of the bit string
		return h
	}
	hybrid := slices.Clone(der)
	hybrid[len(der)-65] = 6 | point[64]&1
	for name, bad := range map[string][]byte{
		"hybrid": hybrid, "compressed": append(append(head(33), 2|point[64]&1), point[1:33]...),
		"infinity": append(head(1), 0), "trailing byte": append(slices.Clone(der), 0), "bare point": point,
		"cut": der[:len(der)-1],
	} {
		text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: bad}))
		for _, keyring := range []map[string]any{{"type": "raw-ecdh-ephemeral"},
			{"type": "aws-kms-ecdh", "keyId": agreementARN}} {
			keyring["publicKey"] = text
			var server fakekms.Server
			client := func(_ context.Context, region string) (awskms.KMSClient, error) {
				return server.Client(region), nil
			}
			_, err := encryptorOf(t, keyringText(t, keyring), itemconfig.Providers{KMS: client})
			if !errors.Is(err, envelope.ErrConfiguration) || !strings.Contains(err.Error(), "publicKey") {
				t.Errorf("%s, %s: %v", name, keyring["type"], err)
			}
		}
	}
}

// What is missing or of another kind is named; a file without algorithmSuite and
// with an RSA key learns which one it needs.
func TestAsymmetricErrorsNameTheFault(t *testing.T) {
	own := newPair(t, ecdh.P256())
	x := newPair(t, ecdh.X25519())
	rsaPair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaPublic := pemText(t, &rsaPair.PublicKey)
	poor := itemconfig.Providers{KMS: func(context.Context, string) (awskms.KMSClient, error) { return noKMS{}, nil }}
	type members = map[string]any
	for name, c := range map[string]struct {
		keyring members
		p       itemconfig.Providers
		text    string
	}{
		"no keys":       {members{"type": "raw-ecdh"}, poor, "needs a private key"},
		"no recipient":  {members{"type": "raw-ecdh-ephemeral"}, poor, "recipient's public key"},
		"no own key":    {members{"type": "raw-ecdh-discovery"}, poor, "needs a private key"},
		"not PEM":       {members{"type": "raw-ecdh", "privateKey": "SECRET"}, poor, "keyring.privateKey: invalid configuration: no PEM block"},
		"public no PEM": {members{"type": "raw-ecdh-ephemeral", "publicKey": "x"}, poor, "keyring.publicKey: invalid configuration: no PEM block"},
		"RSA private":   {members{"type": "raw-ecdh", "privateKey": pemText(t, rsaPair)}, poor, "keyring.privateKey: invalid configuration: not a key on"},
		"RSA public":    {members{"type": "raw-ecdh-ephemeral", "publicKey": rsaPublic}, poor, "keyring.publicKey: invalid configuration: not a key on"},
		"X25519": {members{"type": "raw-ecdh-discovery", "privateKey": pemText(t, x)}, poor,
			"keyring.privateKey: invalid configuration: not a key on"},
		"curve for RSA": {members{"type": "aws-kms-rsa", "keyId": rsaARN,
			"publicKey": pemText(t, own.PublicKey())}, poor, "keyring.publicKey: invalid configuration: not an RSA key"},
		"no algorithm": {members{"type": "aws-kms-rsa", "keyId": rsaARN, "publicKey": rsaPublic},
			itemconfig.Providers{}, "the algorithm is"},
		"RSA without KMS": {members{"type": "aws-kms-rsa", "keyId": rsaARN}, itemconfig.Providers{}, "no AWS KMS"},
		"RSA client":      {members{"type": "aws-kms-rsa", "keyId": rsaARN}, poor, "has no GetPublicKey"},
		"ECDH without KMS": {members{"type": "aws-kms-ecdh", "keyId": agreementARN}, itemconfig.Providers{},
			"no AWS KMS"},
		"ECDH client": {members{"type": "aws-kms-ecdh", "keyId": agreementARN}, poor, "has no DeriveSharedSecret"},
	} {
		_, err := encryptorOf(t, keyringText(t, c.keyring), c.p)
		if !errors.Is(err, envelope.ErrConfiguration) || !strings.Contains(err.Error(), c.text) ||
			strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: got %v, want ErrConfiguration with %q", name, err, c.text)
		}
	}
	c, err := itemconfig.Read(strings.NewReader(file(keyringText(t, members{"type": "aws-kms-rsa", "keyId": rsaARN,
		"encryptionAlgorithm": "RSAES_OAEP_SHA_1", "publicKey": rsaPublic}))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Encryptor(t.Context(), itemconfig.Providers{}); !errors.Is(err, envelope.ErrConfiguration) ||
		!strings.Contains(err.Error(), "writes suite 0x6700 only") {
		t.Errorf("suite 0x6701: %v", err)
	}
}
