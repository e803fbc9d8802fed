// SPDX-License-Identifier: Apache-2.0

package itemconfig_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/internal/legacywriter"
)

const (
	static = `{"type":"static","contentKey":{"base64":"` + key32 + `"},"macKey":{"base64":"` + key32 + `"}}`
	allow  = `"policy":"FORBID_LEGACY_ENCRYPT_ALLOW_LEGACY_DECRYPT"`
	names  = `"attributeActions":{"id":"SIGN_ONLY","s":"ENCRYPT_AND_SIGN"}`
)

// withLegacy is a configuration file with the members of legacy.
func withLegacy(members string) string {
	return strings.Replace(file(`{"type":"raw-aes","namespace":"n","name":"k","key":{"base64":"`+key32+`"}}`),
		`{"table":"t",`, `{"table":"t","legacy":{`+members+`},`, 1)
}

func encryptor(t *testing.T, text string, p itemconfig.Providers) (*envelope.ItemEncryptor, error) {
	t.Helper()
	c, err := itemconfig.Read(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	return c.Encryptor(t.Context(), p)
}

func oldItem(table string, key []byte) envelope.Item {
	w := legacywriter.Writer{Table: table, ContentKey: key, MACKey: key, Encrypted: []string{"s"}}
	return w.Encrypt(envelope.Item{"id": &types.AttributeValueMemberS{Value: "1"},
		"s": &types.AttributeValueMemberS{Value: "secret"}})
}

// TestLegacyOpens: a file with static keys opens an old item, under the logical
// table name or another one.
func TestLegacyOpens(t *testing.T) {
	key := make([]byte, 32) // key32
	for i := range key {
		key[i] = byte(i + 1)
	}
	for members, table := range map[string]string{
		allow + `,` + names + `,"provider":` + static:                                                            "t",
		allow + `,` + names + `,"table":"old","rules":"java","provider":` + static:                               "old",
		allow + `,` + names + `,"withoutTable":true,"rules":"python","provider":` + static:                       "",
		allow + `,"attributeActions":{"id":"SIGN_ONLY"},"defaultAction":"ENCRYPT_AND_SIGN","provider":` + static: "t",
	} {
		e, err := encryptor(t, withLegacy(members), itemconfig.Providers{})
		if err != nil {
			t.Fatal(err)
		}
		if table == "" {
			table = "None"
			w := oldItem(table, key)
			// TABLE>None<TABLE is what a Python writer without a table name signs.
			if _, err := e.DecryptItem(t.Context(), w); err != nil {
				t.Error(err)
			}
			continue
		}
		got, err := e.DecryptItem(t.Context(), oldItem(table, key))
		if err != nil || got["s"].(*types.AttributeValueMemberS).Value != "secret" {
			t.Errorf("%s: %v, %v", members, got, err)
		}
	}
}

// TestLegacyForbidden: a file that forbids reading needs no keys.
func TestLegacyForbidden(t *testing.T) {
	e, err := encryptor(t, withLegacy(`"policy":"FORBID_LEGACY_ENCRYPT_FORBID_LEGACY_DECRYPT","attributeActions":{},`+
		`"provider":{"type":"static","contentKey":{"env":"DDBSEAL_NOT_SET"}}`), itemconfig.Providers{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.DecryptItem(t.Context(), oldItem("t", make([]byte, 16))); !errors.Is(err, envelope.ErrLegacyItem) {
		t.Error(err)
	}
}

type noTable struct{}

func (noTable) Row(context.Context, string, uint64) (envelope.Item, error) { return nil, nil }

// TestLegacyProviders: each type of provider is made from its members.
func TestLegacyProviders(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	privatePEM := block("PRIVATE KEY", der, err)
	der, err = x509.MarshalPKIXPublicKey(&private.PublicKey)
	publicPEM := block("PUBLIC KEY", der, err)
	const (
		mac   = `"macKey":{"base64":"` + key32 + `"}`
		wrap  = `{"type":"wrapped","wrappingKey":{"base64":"` + key32 + `"},` + mac + `}`
		arn   = `arn:aws:kms:eu-west-1:111122223333:key/0f5b2f5e-6d4f-4d9c-8a53-6f0a3b1f7c11`
		onKMS = `{"type":"aws-kms","keyIds":["` + arn + `"],"withoutKeys":true}`
	)
	region, meta := "", ""
	both := itemconfig.Providers{
		KMS: func(_ context.Context, r string) (awskms.KMSClient, error) { region = r; return noKMS{}, nil },
		MetaTable: func(_ context.Context, name string) (legacy.MetaTable, error) {
			meta = name
			return noTable{}, nil
		},
	}
	for _, c := range []struct {
		provider string
		hooks    itemconfig.Providers
		fault    string
	}{
		{static, itemconfig.Providers{}, ""},
		{`{"type":"static","contentKey":{"base64":"` + key32 + `"},"publicKey":` + publicPEM + `}`, itemconfig.Providers{}, ""},
		{`{"type":"static","contentKey":{"base64":"` + key32 + `"},"mac":"HmacSHA512",` + mac + `}`, itemconfig.Providers{}, ""},
		{wrap, itemconfig.Providers{}, ""},
		{`{"type":"wrapped","privateKey":` + privatePEM + `,"publicKey":` + publicPEM + `}`, itemconfig.Providers{}, ""},
		{onKMS, both, ""},
		{`{"type":"meta-store","table":"m","materialName":"n","signedOnly":["o"],"rows":` + onKMS + `}`, both, ""},
		{`{"type":"meta-store","table":"m","signedTable":"x","materialName":"n","rows":` + wrap + `}`, both, ""},

		{`{"type":"magic"}`, both, `"magic" is not one of`},
		{`{"type":"static","contentKey":{"base64":"` + key32 + `"}}`, both, "macKey and publicKey"},
		{`{"type":"static","contentKey":{"base64":"` + key32 + `"},"publicKey":` + publicPEM + `,` + mac + `}`, both, "macKey and publicKey"},
		{`{"type":"static",` + mac + `}`, both, "contentKey"},
		{`{"type":"static","contentKey":{"base64":"AAAA"},` + mac + `}`, both, "ContentKey"},
		{`{"type":"static","contentKey":{"base64":"` + key32 + `"},"mac":"HmacMD5",` + mac + `}`, both, "HmacMD5"},
		{`{"type":"static","contentKey":{"base64":"` + key32 + `"},"macKey":{"env":"DDBSEAL_NOT_SET"}}`, both, "DDBSEAL_NOT_SET"},
		{`{"type":"static","contentKey":{"base64":"` + key32 + `"},"publicKey":"x"}`, both, "publicKey"},
		{`{"type":"wrapped",` + mac + `}`, both, "WrappingKey"},
		{`{"type":"wrapped","wrappingKey":{"env":"DDBSEAL_NOT_SET"},` + mac + `}`, both, "wrappingKey"},
		{`{"type":"wrapped","privateKey":` + publicPEM + `,` + mac + `}`, both, "privateKey"},
		{`{"type":"wrapped","wrappingKey":{"base64":"` + key32 + `"}}`, both, "macKey"},
		{`{"type":"aws-kms"}`, both, "keyIds"},
		{onKMS, itemconfig.Providers{}, "no AWS KMS"},
		{`{"type":"aws-kms","keyIds":["alias/a"]}`, both, "alias"},
		{`{"type":"meta-store","table":"m","materialName":"n"}`, both, "rows"},
		{`{"type":"meta-store","table":"m","materialName":"n","rows":{}}`, both, "rows"},
		{`{"type":"meta-store","table":"m","rows":` + wrap + `}`, both, "MaterialName"},
		{`{"type":"meta-store","table":"m","materialName":"n","rows":` + wrap + `}`, itemconfig.Providers{}, "meta table m"},
	} {
		_, err := encryptor(t, withLegacy(allow+`,`+names+`,"provider":`+c.provider), c.hooks)
		if c.fault == "" && err != nil ||
			c.fault != "" && (!errors.Is(err, envelope.ErrConfiguration) || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%.60s: %v, want %q", c.provider, err, c.fault)
		}
	}
	if region != "eu-west-1" && region != "" || meta != "m" {
		t.Errorf("asked for the Region %q and the table %q", region, meta)
	}
}

// TestLegacyFaults: other members that do not hold.
func TestLegacyFaults(t *testing.T) {
	for members, fault := range map[string]string{
		`"policy":"FORCE_LEGACY_ENCRYPT_ALLOW_LEGACY_DECRYPT",` + names + `,"provider":` + static: "FORCE_LEGACY_ENCRYPT",
		names + `,"provider":` + static:                                               "unknown legacy policy",
		allow + `,` + names + `,"rules":"rust","provider":` + static:                  "rust",
		allow + `,"attributeActions":{"s":"SIGN_ONLY"},"provider":` + static:          "SIGN_ONLY",
		allow + `,` + names + `,"withoutTable":true,"table":"t","provider":` + static: "exclude",
		allow + `,` + names + `,"defaultAction":"DO_NOTHING","provider":` + static:    "DefaultAction",
		allow + `,` + names + `,"tables":"t","provider":` + static:                    "tables",
	} {
		_, err := encryptor(t, withLegacy(members), itemconfig.Providers{})
		if !errors.Is(err, envelope.ErrConfiguration) || !strings.Contains(err.Error(), fault) {
			t.Errorf("%v, want %q", err, fault)
		}
	}
}
