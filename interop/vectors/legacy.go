// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/peer"
)

const legacyFolder = "envelope/legacy/testdata/java"

// everyOldType has all ten types, nesting, spellings that are normalized, and
// texts and binaries whose order Java has of its own.
const everyOldType = `{
 "pk": {"S": "key é 日本 😀"}, "sk": {"N": "10"},
 "s": {"S": "text é 日本 😀"}, "empty": {"S": ""}, "n": {"N": "-12345678901234567890.123456789012345678e-7"}, "zero": {"N": "0.00"},
 "b": {"B": "AAECAwQ="}, "bool": {"BOOL": true}, "no": {"BOOL": false}, "null": {"NULL": true},
 "ss": {"SS": ["😀", "～", "é"]}, "ns": {"NS": ["10", "9", "1e3", "-.5"]}, "bs": {"BS": ["/w==", "AA==", "gA==", "fw=="]},
 "m": {"M": {"z": {"N": "1E2"}, "😀": {"L": []}, "～": {"M": {"deep": {"BS": ["AQ==", "AA=="]}}}, "": {"NULL": true}}},
 "l": {"L": [{"S": "x"}, {"NULL": true}, {"L": [{"BOOL": false}]}, {"M": {}}]},
 "nothing": {"S": "unsigned"}
}`

// oldGolden is an item of the older client with the configuration that opens it.
type oldGolden struct {
	Writer    string             `json:"writer"`
	Config    *itemconfig.Config `json:"config"`
	Plaintext json.RawMessage    `json:"plaintext"`
	Encrypted json.RawMessage    `json:"encrypted"`
}

// oldKeys are the keys of one run of the older client.
type oldKeys struct{ private, public string } // PEM

func newOldKeys() (oldKeys, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return oldKeys{}, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return oldKeys{}, err
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return oldKeys{}, err
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return oldKeys{text("PRIVATE KEY", pkcs8), text("PUBLIC KEY", spki)}, nil
}

// writeLegacy has the older client write the items under its folder.
func writeLegacy(java *peer.Peer) error {
	if err := os.MkdirAll(legacyFolder, 0o755); err != nil {
		return err
	}
	signing, err := newOldKeys()
	if err != nil {
		return err
	}
	wrapping, err := newOldKeys()
	if err != nil {
		return err
	}
	secret := func(size int) *itemconfig.Secret {
		key := make([]byte, size)
		_, _ = rand.Read(key)
		return &itemconfig.Secret{Base64: base64.StdEncoding.EncodeToString(key)}
	}
	cases := map[string]itemconfig.LegacyProvider{
		"static-aes128-hmac":   {Type: "static", ContentKey: secret(16), MACKey: secret(32)},
		"static-aes256-sha512": {Type: "static", ContentKey: secret(32), MAC: "HmacSHA512", MACKey: secret(64)},
		"static-aes192-rsa":    {Type: "static", ContentKey: secret(24), PublicKey: signing.public},
		"wrapped-aes-hmac":     {Type: "wrapped", WrappingKey: secret(32), MACKey: secret(16)},
		"wrapped-rsa-rsa":      {Type: "wrapped", PrivateKey: wrapping.private, PublicKey: signing.public},
	}
	for name, provider := range cases {
		if err := writeOldItem(java, name, provider, signing.private); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	fmt.Printf("wrote %d cases to %s\n", len(cases), legacyFolder)
	return nil
}

func writeOldItem(java *peer.Peer, name string, provider itemconfig.LegacyProvider, signingKey string) error {
	actions := map[string]envelope.Action{}
	item, err := ddbjson.Unmarshal([]byte(everyOldType))
	if err != nil {
		return err
	}
	for attribute := range item {
		switch attribute {
		case "pk", "sk", "n", "bool", "null", "ss", "ns", "bs", "m":
			actions[attribute] = envelope.SignOnly
		case "nothing":
			actions[attribute] = envelope.DoNothing
		default:
			actions[attribute] = envelope.EncryptAndSign
		}
	}
	if provider.Type == "wrapped" { // the other way round
		for attribute, a := range actions {
			switch {
			case attribute == "pk" || attribute == "sk" || a == envelope.DoNothing:
			case a == envelope.SignOnly:
				actions[attribute] = envelope.EncryptAndSign
			default:
				actions[attribute] = envelope.SignOnly
			}
		}
	}
	c := &itemconfig.Config{
		Table: "java-table", PartitionKey: "pk", SortKey: "sk", AttributeActions: actions,
		AllowedUnsignedAttributes: []string{"nothing"},
		Keyring: itemconfig.Keyring{Type: "raw-aes", Namespace: "n", Name: "k",
			Key: &itemconfig.Secret{Base64: base64.StdEncoding.EncodeToString(make([]byte, 32))}},
		Legacy: &itemconfig.Legacy{Policy: envelope.ForbidLegacyEncryptAllowLegacyDecrypt.String(), Table: "old-table",
			AttributeActions: actions, Provider: provider},
	}
	request := map[string]any{"op": "legacy-encrypt", "config": c, "item": json.RawMessage(everyOldType)}
	if provider.PublicKey != "" {
		request["signingKey"] = signingKey
	}
	answer, err := java.Do(request)
	if err != nil {
		return err
	}
	g := oldGolden{Writer: "the DynamoDB Encryption Client in aws-database-encryption-sdk-dynamodb 3.9.0 (Java)",
		Config: c, Plaintext: json.RawMessage(everyOldType), Encrypted: answer["item"]}
	out, err := json.MarshalIndent(g, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(legacyFolder, name+".json"), append(out, '\n'), 0o644)
}
