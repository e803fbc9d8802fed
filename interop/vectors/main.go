// SPDX-License-Identifier: Apache-2.0

// Command vectors has the official Java library write the items under
// envelope/testdata/java, and the older client inside of it those under
// envelope/legacy/testdata/java, one file a case. Run it by `interop/run vectors`.
package main

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/peer"
)

const folder = "envelope/testdata/java"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "vectors:", err)
		os.Exit(1)
	}
}

// everyType has all ten types, nesting, and spellings that are normalized.
const everyType = `{
 "pk": {"S": "key"}, "sk": {"N": "0010.0"},
 "s": {"S": "text é 日本 😀"}, "empty": {"S": ""}, "n": {"N": "-12345678901234567890.123456789012345678e-7"}, "zero": {"N": "-0.0e9"},
 "b": {"B": "AAECAwQ="}, "bool": {"BOOL": true}, "no": {"BOOL": false}, "null": {"NULL": true},
 "ss": {"SS": ["b", "a", "é"]}, "ns": {"NS": ["10", "9", "1e3", "-.5"]}, "bs": {"BS": ["/w==", "AA==", "AAA="]},
 "m": {"M": {"z": {"N": "1E2"}, "é": {"L": []}, "a": {"M": {"deep": {"BS": ["AQ==", "AA=="]}}}}},
 "l": {"L": [{"S": "x"}, {"NULL": true}, {"L": [{"BOOL": false}]}, {"M": {}}]}
}`

const small = `{"pk": {"S": "key"}, "sk": {"N": "7"}, "secret": {"S": "classified"}, "signed": {"SS": ["b", "a"]}, ":u": {"S": "open"}, "plain": {"N": "1.50"}}`

// emptyKey has maps with an empty key, which this version of the Java library
// writes and reads and ddbseal only reads.
const emptyKey = `{"pk": {"S": "key"}, "sk": {"N": "7"}, %q: {"M": {"": {"S": "x"}, "a": {"M": {"": {"NULL": true}}}}}}`

// refused names, for each case that ddbseal refuses to write, the attribute at
// fault.
var refused = map[string]string{"empty-key-encrypted": "secret", "empty-key-signed": "signed", "empty-key-context": "m"}

type goldenKey struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Wrapping  string `json:"wrapping"`
	Bytes     []byte `json:"bytes_b64,omitempty"`
	Private   string `json:"private_key_pem,omitempty"`
	Partner   []byte `json:"partner_key_b64,omitempty"`
}

type golden struct {
	Writer         string                     `json:"writer"`
	Suite          string                     `json:"suite"`
	Table          string                     `json:"table"`
	PartitionKey   string                     `json:"pk"`
	SortKey        string                     `json:"sk"`
	UnsignedPrefix string                     `json:"unsigned_prefix,omitempty"`
	Unsigned       []string                   `json:"unsigned,omitempty"`
	Keys           []goldenKey                `json:"keys"`
	Actions        map[string]envelope.Action `json:"actions"`
	Plaintext      json.RawMessage            `json:"plaintext"`
	Encrypted      json.RawMessage            `json:"encrypted"`
	Decrypted      json.RawMessage            `json:"decrypted"`
	Refused        string                     `json:"refused,omitempty"`
}

func run() error {
	java, err := peer.StartJava()
	if err != nil {
		return err
	}
	defer java.Close()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	type variant struct {
		name    string
		suite   envelope.AlgorithmSuite
		context bool // header version 2
		item    string
		keys    []goldenKey
	}
	signed, unsigned := envelope.SuiteDigitalSignature, envelope.SuiteSymmetricSignature
	aes := func(size int) goldenKey {
		k := goldenKey{Namespace: "aes", Name: fmt.Sprintf("k%d", size*8),
			Wrapping: fmt.Sprintf("AES%d_GCM_IV12_TAG16", size*8), Bytes: make([]byte, size)}
		_, _ = rand.Read(k.Bytes)
		return k
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	private := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	rsaKey := func(padding string) goldenKey {
		return goldenKey{Namespace: "rsa", Name: padding, Wrapping: "RSA_" + padding, Private: private}
	}
	variants := []variant{
		{"every-type-signed", signed, false, everyType, []goldenKey{aes(32)}},
		{"every-type-unsigned", unsigned, false, everyType, []goldenKey{aes(32)}},
		{"every-type-context-signed", signed, true, everyType, []goldenKey{aes(32)}},
		{"every-type-context-unsigned", unsigned, true, everyType, []goldenKey{aes(32)}},
		{"aes-128", signed, false, small, []goldenKey{aes(16)}},
		{"aes-192", unsigned, true, small, []goldenKey{aes(24)}},
		{"three-keys-signed", signed, false, small, []goldenKey{aes(32), aes(16), rsaKey("OAEP_SHA256_MGF1")}},
		{"three-keys-unsigned", unsigned, true, small, []goldenKey{rsaKey("PKCS1"), aes(32), aes(24)}},
	}
	for i, padding := range []string{"PKCS1", "OAEP_SHA1_MGF1", "OAEP_SHA256_MGF1", "OAEP_SHA384_MGF1",
		"OAEP_SHA512_MGF1"} {
		variants = append(variants,
			variant{"rsa-" + padding, []envelope.AlgorithmSuite{signed, unsigned}[i%2], i%3 == 0, small,
				[]goldenKey{rsaKey(padding)}})
	}
	for name, attribute := range refused {
		item := fmt.Sprintf(emptyKey, attribute)
		variants = append(variants, variant{name, signed, name == "empty-key-context", item, []goldenKey{aes(32)}})
	}
	for i, curve := range []ecdh.Curve{ecdh.P256(), ecdh.P384(), ecdh.P521()} {
		for _, ephemeral := range []bool{false, true} {
			k, err := agreementKey(curve, ephemeral)
			if err != nil {
				return err
			}
			name := strings.ToLower(k.Wrapping) + "-" + strings.ReplaceAll(strings.ToLower(fmt.Sprint(curve)), "-", "")
			variants = append(variants, variant{strings.ReplaceAll(name, "_", "-"),
				[]envelope.AlgorithmSuite{signed, unsigned}[i%2], i == 2 != ephemeral, small, []goldenKey{k}})
		}
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	publicPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	for _, v := range variants {
		if err := write(java, v.name, v.suite, v.context, v.item, v.keys, publicPEM); err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
	}
	fmt.Printf("wrote %d cases to %s\n", len(variants), folder)
	return writeLegacy(java)
}

func write(java *peer.Peer, name string, suite envelope.AlgorithmSuite, inContext bool, text string, keys []goldenKey,
	public string) error {
	item, err := ddbjson.Unmarshal([]byte(text))
	if err != nil {
		return err
	}
	c := &itemconfig.Config{Table: "java-table", PartitionKey: "pk", SortKey: "sk", AlgorithmSuite: suite.String(),
		AttributeActions: map[string]envelope.Action{}}
	g := golden{Writer: "aws-database-encryption-sdk-dynamodb 3.9.0 (Java)", Suite: "ecdsa", Table: c.Table,
		PartitionKey: "pk", SortKey: "sk", Keys: keys, Actions: c.AttributeActions, Refused: refused[name]}
	if !suite.Signed() {
		g.Suite = "nosign"
	}
	for attribute := range item {
		c.AttributeActions[attribute] = action(attribute, inContext)
	}
	if _, has := item[":u"]; has {
		c.AllowedUnsignedAttributePrefix, g.UnsignedPrefix = ":", ":"
		c.AllowedUnsignedAttributes, g.Unsigned = []string{"plain"}, []string{"plain"}
	}
	var keyrings []itemconfig.Keyring
	for _, k := range keys {
		r := itemconfig.Keyring{Type: "raw-aes", Namespace: k.Namespace, Name: k.Name}
		if k.Namespace == "" {
			if r, err = agreement(k); err != nil {
				return err
			}
		} else if k.Private == "" {
			r.Key = &itemconfig.Secret{Base64: base64.StdEncoding.EncodeToString(k.Bytes)}
		} else {
			r.Type, r.Padding, r.PublicKey, r.PrivateKey = "raw-rsa", k.Name, public, k.Private
		}
		keyrings = append(keyrings, r)
	}
	c.Keyring = keyrings[0]
	if len(keyrings) > 1 {
		c.Keyring = itemconfig.Keyring{Type: "multi", Generator: &keyrings[0], Children: keyrings[1:]}
	}
	sealed, err := java.Encrypt(c, item)
	if err != nil {
		return err
	}
	if c.Keyring.Type == "raw-ecdh-ephemeral" {
		c.Keyring.Type, c.Keyring.PrivateKey = "raw-ecdh-discovery", keys[0].Private
	}
	opened, err := java.Decrypt(c, sealed)
	if err != nil {
		return err
	}
	g.Plaintext = json.RawMessage(text)
	if g.Encrypted, err = ddbjson.Marshal(sealed); err != nil {
		return err
	}
	if g.Decrypted, err = ddbjson.Marshal(opened); err != nil {
		return err
	}
	out, err := json.MarshalIndent(g, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name+".json"), append(out, '\n'), 0o644)
}

// agreementKey draws the keys of one Raw ECDH keyring.
func agreementKey(curve ecdh.Curve, ephemeral bool) (k goldenKey, err error) {
	own, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		return k, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		return k, err
	}
	k = goldenKey{Wrapping: "ECDH_EPHEMERAL", Private: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY",
		Bytes: der}))}
	if ephemeral {
		return k, nil
	}
	partner, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		return k, err
	}
	k.Wrapping = "ECDH"
	k.Partner, err = x509.MarshalPKIXPublicKey(partner.PublicKey())
	return k, err
}

// agreement is the keyring that writes under such keys.
func agreement(k goldenKey) (r itemconfig.Keyring, err error) {
	r, public := itemconfig.Keyring{Type: "raw-ecdh", PrivateKey: k.Private}, k.Partner
	if public == nil {
		r = itemconfig.Keyring{Type: "raw-ecdh-ephemeral"}
		block, _ := pem.Decode([]byte(k.Private))
		private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return r, err
		}
		if public, err = x509.MarshalPKIXPublicKey(&private.(*ecdsa.PrivateKey).PublicKey); err != nil {
			return r, err
		}
	}
	r.PublicKey = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	return r, nil
}

// action spreads the actions over the attributes' names.
func action(attribute string, inContext bool) envelope.Action {
	included := envelope.SignOnly
	if inContext {
		included = envelope.SignAndIncludeInEncryptionContext
	}
	switch attribute {
	case "pk", "sk", "n", "bool", "null", "ss", "m":
		return included
	case "signed", "zero", "bs":
		return envelope.SignOnly
	case ":u", "plain":
		return envelope.DoNothing
	}
	return envelope.EncryptAndSign
}
