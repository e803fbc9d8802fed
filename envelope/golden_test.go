// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// Golden items are written once and then read for ever: that is the promise of
// compatibility. So this writes only files that do not exist yet:
//
//	go test ./envelope -run TestWriteGoldenItems -write-golden
var writeGolden = flag.Bool("write-golden", false, "write golden items that do not exist yet")

const goldenFolder = "testdata/ddbseal"

// allTypes has one attribute of each type, with a prefix to its names.
func allTypes(prefix string) envelope.Item {
	return envelope.Item{
		prefix + "S":    s("héllo 𐀂"),
		prefix + "N":    n("-123.4500e-2"),
		prefix + "B":    b([]byte{0, 1, 254, 255}),
		prefix + "BOOL": &types.AttributeValueMemberBOOL{Value: true},
		prefix + "NULL": &types.AttributeValueMemberNULL{Value: true},
		prefix + "SS":   &types.AttributeValueMemberSS{Value: []string{"𐀂", "\uffef", "b", "a"}},
		prefix + "NS":   &types.AttributeValueMemberNS{Value: []string{"10", "9.0", "1e2", "-.5"}},
		prefix + "BS":   &types.AttributeValueMemberBS{Value: [][]byte{{255}, {0, 1}, {}}},
		prefix + "L": &types.AttributeValueMemberL{Value: []types.AttributeValue{
			s(""), n("00.10"), &types.AttributeValueMemberL{Value: []types.AttributeValue{}},
		}},
		prefix + "M": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
			"𐀂": s("v"), "\uffef": b(nil), "a": &types.AttributeValueMemberNULL{Value: true},
			"m": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}},
		}},
	}
}

// goldenShape is one file: which actions its attributes have, under which keys.
type goldenShape struct {
	name    string
	suite   string
	actions []envelope.Action
	keys    []goldenKey
	noSort  bool
}

func (g goldenShape) golden() (*goldenCase, envelope.Item) {
	c := &goldenCase{
		Suite: g.suite, Table: "Ledger-2026", PartitionKey: "tenant", SortKey: "entry",
		Actions: map[string]envelope.Action{}, Keys: g.keys,
	}
	keyAction := envelope.SignOnly
	item := envelope.Item{"tenant": s("acme"), "entry": n("007.50")}
	for _, a := range g.actions {
		prefix := map[envelope.Action]string{
			envelope.EncryptAndSign: "e_", envelope.SignOnly: "s_é",
			envelope.SignAndIncludeInEncryptionContext: "c_", envelope.DoNothing: ":u_",
		}[a]
		for name, v := range allTypes(prefix) {
			item[name] = v
			c.Actions[name] = a
		}
		switch a {
		case envelope.SignAndIncludeInEncryptionContext:
			keyAction = a
		case envelope.DoNothing:
			c.UnsignedPrefix, c.Unsigned = ":", []string{"listed"}
			item["listed"], c.Actions["listed"] = s("unsigned"), envelope.DoNothing
		}
	}
	c.Actions["tenant"], c.Actions["entry"] = keyAction, keyAction
	if g.noSort {
		c.SortKey = ""
		delete(item, "entry")
		delete(c.Actions, "entry")
	}
	return c, item
}

func goldenShapes(t *testing.T) []goldenShape {
	t.Helper()
	aes := func(name string, bytes int) goldenKey {
		k := goldenKey{Namespace: "golden", Name: name, Wrapping: "AES", Bytes: make([]byte, bytes)}
		_, _ = rand.Read(k.Bytes)
		return k
	}
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		t.Fatal(err)
	}
	private := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	rsaKey := func(wrapping string) goldenKey {
		return goldenKey{Namespace: "golden", Name: wrapping, Wrapping: wrapping, Private: private}
	}
	asymmetric := goldenAsymmetricKeys(t, private)
	version1 := []envelope.Action{envelope.EncryptAndSign, envelope.SignOnly, envelope.DoNothing}
	version2 := append(version1[:3:3], envelope.SignAndIncludeInEncryptionContext)
	return []goldenShape{
		{name: "v1-ecdsa-aes256", suite: "ecdsa", actions: version1, keys: []goldenKey{aes("a", 32)}},
		{name: "v1-nosign-aes128", suite: "nosign", actions: version1, keys: []goldenKey{aes("b", 16)}},
		{name: "v2-ecdsa-aes192", suite: "ecdsa", actions: version2, keys: []goldenKey{aes("c", 24)}},
		{name: "v2-nosign-aes256", suite: "nosign", actions: version2, keys: []goldenKey{aes("d", 32)}},
		{name: "v1-nosign-nosort", suite: "nosign", actions: version1[:1], keys: []goldenKey{aes("e", 32)}, noSort: true},
		{name: "v1-ecdsa-three-keys", suite: "ecdsa", actions: version1[:2], keys: []goldenKey{aes("f", 32), rsaKey("RSA_OAEP_SHA256_MGF1"), aes("g", 16)}},
		{name: "v1-nosign-rsa-pkcs1", suite: "nosign", actions: version1[:2], keys: []goldenKey{rsaKey("RSA_PKCS1")}},
		{name: "v1-ecdsa-ecdh-p256", suite: "ecdsa", actions: version1, keys: asymmetric[:1]},
		{name: "v2-nosign-ecdh-p384", suite: "nosign", actions: version2, keys: asymmetric[1:2]},
		{name: "v2-ecdsa-ecdh-ephemeral-p521", suite: "ecdsa", actions: version2, keys: asymmetric[2:3]},
		{name: "v1-ecdsa-kms-ecdh-p256", suite: "ecdsa", actions: version1[:2], keys: asymmetric[3:4]},
		{name: "v1-nosign-kms-rsa-sha1", suite: "nosign", actions: version1[:2], keys: asymmetric[4:5]},
		{name: "v2-nosign-every-asymmetric-key", suite: "nosign", actions: version2, keys: asymmetric},
	}
}

func TestWriteGoldenItems(t *testing.T) {
	if !*writeGolden {
		return // not skipped: it checks nothing that a run could lack
	}
	if err := os.MkdirAll(goldenFolder, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, shape := range goldenShapes(t) {
		file := filepath.Join(goldenFolder, shape.name+".json")
		if _, err := os.Stat(file); err == nil {
			t.Logf("%s stays as it is", file)
			continue
		}
		c, item := shape.golden()
		keyrings, err := c.keyrings()
		if err != nil {
			t.Fatal(err)
		}
		e := mustEncryptor(t, c.config(keyrings[len(keyrings)-1]))
		c.Plaintext = marshal(t, item)
		sealed := mustEncrypt(t, e, item)
		c.Encrypted = marshal(t, sealed)
		opened, err := e.DecryptItem(t.Context(), sealed)
		if err != nil {
			t.Fatal(err)
		}
		c.Decrypted = marshal(t, opened)
		text, err := json.MarshalIndent(c, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(text, '\n'), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func marshal(t testing.TB, item envelope.Item) json.RawMessage {
	t.Helper()
	text, err := ddbjson.Marshal(item)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "\n") {
		t.Fatal("one line expected")
	}
	return text
}
