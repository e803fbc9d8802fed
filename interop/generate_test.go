// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
)

// One RSA key pair serves a run: making one takes longer than everything else.
var rsaKey = sync.OnceValues(func() (public, private string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
})

// resources are the keys that lie with AWS.
type resources struct {
	kmsKeys    []string             // ARNs
	mrks       []string             // ARNs of one multi-Region key, by Region
	branchKeys []itemconfig.Keyring // hierarchical keyrings, one a branch key
}

// keyring draws a keyring with one key that both sides can build.
func (r resources) keyring(t *rapid.T, label string) itemconfig.Keyring {
	name := rapid.StringMatching(`[a-z]{1,8}`).Draw(t, label+" name")
	switch rapid.SampledFrom([]string{"raw-aes", "raw-rsa", "aws-kms", "aws-kms-mrk", "hierarchical"}).Draw(t,
		label+" type") {
	case "aws-kms-mrk":
		return itemconfig.Keyring{Type: "aws-kms-mrk", KeyID: rapid.SampledFrom(r.mrks).Draw(t, label+" key")}
	case "aws-kms":
		return itemconfig.Keyring{Type: "aws-kms", KeyID: rapid.SampledFrom(r.kmsKeys).Draw(t, label+" key")}
	case "hierarchical":
		return rapid.SampledFrom(r.branchKeys).Draw(t, label+" branch key")
	case "raw-rsa":
		public, private := rsaKey()
		padding := rapid.SampledFrom([]string{"PKCS1", "OAEP_SHA1_MGF1", "OAEP_SHA256_MGF1", "OAEP_SHA384_MGF1",
			"OAEP_SHA512_MGF1"}).Draw(t, label+" padding")
		return itemconfig.Keyring{Type: "raw-rsa", Namespace: "rsa", Name: name, Padding: padding, PublicKey: public,
			PrivateKey: private}
	}
	size := rapid.SampledFrom([]int{16, 24, 32}).Draw(t, label+" key size")
	key := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, label+" key")
	return rawAES(name, key)
}

func rawAES(name string, key []byte) itemconfig.Keyring {
	return itemconfig.Keyring{Type: "raw-aes", Namespace: "ns", Name: name,
		Key: &itemconfig.Secret{Base64: base64.StdEncoding.EncodeToString(key)}}
}

// reader draws who opens what c wrote: c itself or, under a multi keyring, one
// of its members alone; for a key with AWS KMS, also one that reads with the
// key that the item names, and for a multi-Region key in either Region.
func (r resources) reader(t *rapid.T, c *itemconfig.Config) *itemconfig.Config {
	members := append([]itemconfig.Keyring{c.Keyring}, c.Keyring.Children...)
	if c.Keyring.Generator != nil {
		members = append(members, *c.Keyring.Generator)
	}
	alone := *c
	alone.Keyring = rapid.SampledFrom(members).Draw(t, "reader's keyring")
	others := r.readers(alone.Keyring)
	if slices.ContainsFunc(members, func(k itemconfig.Keyring) bool { return k.KeyID == "" && k.Type != "multi" }) {
		// See TestDiscoveryBesideOthers.
		others = slices.DeleteFunc(others, func(k itemconfig.Keyring) bool { return k.Type == "aws-kms-discovery" })
	}
	if len(others) > 0 {
		alone.Keyring = rapid.SampledFrom(append(others, alone.Keyring)).Draw(t, "reader of the key")
	}
	return &alone
}

// readers are the other keyrings that open what one with an AWS KMS key wrote.
func (r resources) readers(k itemconfig.Keyring) []itemconfig.Keyring {
	key, err := arn.Parse(k.KeyID)
	if err != nil {
		return nil
	}
	out := []itemconfig.Keyring{
		{Type: "aws-kms-discovery", Region: key.Region},
		{Type: "aws-kms-mrk-discovery", Region: key.Region, Accounts: []string{key.AccountID}},
	}
	if k.Type == "aws-kms-mrk" {
		for _, id := range r.mrks {
			here, _ := arn.Parse(id)
			out = append(out, itemconfig.Keyring{Type: "aws-kms-mrk", KeyID: id},
				itemconfig.Keyring{Type: "aws-kms-mrk-discovery", Region: here.Region})
		}
	}
	return out
}

// draw draws a configuration and an item that fits it.
func (r resources) draw(t *rapid.T) (*itemconfig.Config, envelope.Item) {
	c := fitting{&itemconfig.Config{Table: rapid.StringMatching(`[A-Za-z0-9_.-]{3,20}`).Draw(t, "table"),
		PartitionKey: "pk", AttributeActions: map[string]envelope.Action{}}}
	c.AlgorithmSuite = rapid.SampledFrom([]envelope.AlgorithmSuite{envelope.SuiteDigitalSignature,
		envelope.SuiteSymmetricSignature}).Draw(t, "suite").String()
	c.Keyring = r.keyring(t, "keyring")
	if children := rapid.IntRange(0, 2).Draw(t, "children"); children > 0 {
		generator := c.Keyring
		c.Keyring = itemconfig.Keyring{Type: "multi", Generator: &generator}
		for i := range children {
			c.Keyring.Children = append(c.Keyring.Children, r.keyring(t, fmt.Sprintf("child %d", i)))
		}
	}
	inContext := rapid.Bool().Draw(t, "header version 2")
	keyAction := envelope.SignOnly
	if inContext {
		keyAction = envelope.SignAndIncludeInEncryptionContext
	}
	item := envelope.Item{"pk": scalar(t, "pk")}
	c.AttributeActions["pk"] = keyAction
	if rapid.Bool().Draw(t, "sort key") {
		c.SortKey = "sk"
		c.AttributeActions["sk"] = keyAction
		item["sk"] = scalar(t, "sk")
	}
	c.AllowedUnsignedAttributePrefix = rapid.SampledFrom([]string{"", ":"}).Draw(t, "prefix")
	actions := []envelope.Action{envelope.EncryptAndSign, envelope.EncryptAndSign, envelope.SignOnly,
		envelope.DoNothing}
	if inContext {
		actions = append(actions, envelope.SignAndIncludeInEncryptionContext)
	}
	names := rapid.SliceOfNDistinct(attributeName(), 0, 12, rapid.ID[string]).Draw(t, "names")
	if rarely(t, 8, "crossed") {
		for _, name := range crossed {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		if name == "pk" || name == "sk" {
			continue
		}
		c.allow(name, rapid.SampledFrom(actions).Draw(t, "action of "+name))
		item[name] = value(t, name, 0)
	}
	// A value this large does not fit into a header.
	if rarely(t, 24, "large") {
		c.allow("large", rapid.SampledFrom([]envelope.Action{envelope.EncryptAndSign, envelope.SignOnly}).Draw(t,
			"action of large"))
		item["large"] = large(t, "large")
	}
	if rarely(t, 10, "deep") {
		c.allow("deep", rapid.SampledFrom(actions).Draw(t, "action of deep"))
		item["deep"] = deep(t, "deep")
	}
	return c.Config, item
}

// rarely is true about once in 2n draws, and never in a minimized case that
// does not need it.
func rarely(t *rapid.T, n int, label string) bool {
	return rapid.IntRange(1, n).Draw(t, label) == n
}

// fitting is a configuration to which attributes are added.
type fitting struct{ *itemconfig.Config }

// allow gives a name its action, DO_NOTHING where the prefix asks for it, and
// lists the name where only a list makes that possible.
func (c fitting) allow(name string, action envelope.Action) {
	prefixed := c.AllowedUnsignedAttributePrefix != "" && strings.HasPrefix(name, c.AllowedUnsignedAttributePrefix)
	if prefixed {
		action = envelope.DoNothing
	} else if action == envelope.DoNothing {
		c.AllowedUnsignedAttributes = append(c.AllowedUnsignedAttributes, name)
	}
	c.AttributeActions[name] = action
}
