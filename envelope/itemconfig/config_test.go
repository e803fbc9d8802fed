// SPDX-License-Identifier: Apache-2.0

package itemconfig_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
)

const key32 = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="

func file(keyring string) string {
	return `{"table":"t","partitionKey":"id","attributeActions":{"id":"SIGN_ONLY","s":"ENCRYPT_AND_SIGN"},"keyring":` +
		keyring + `}`
}

func TestKeyringsRoundTrip(t *testing.T) {
	dir := t.TempDir()
	raw := filepath.Join(dir, "raw")
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(raw, []byte(strings.Repeat("\xfe", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(text, []byte(key32+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DDBSEAL_TEST_KEY", key32)
	aes := func(key string) string {
		return `{"type":"raw-aes","namespace":"n","name":"k","key":` + key + `}`
	}
	for name, keyring := range map[string]string{
		"base64":      aes(`{"base64":"` + key32 + `"}`),
		"raw file":    aes(`{"file":"` + raw + `"}`),
		"base64 file": aes(`{"file":"` + text + `"}`),
		"environment": aes(`{"env":"DDBSEAL_TEST_KEY"}`),
		"multi": `{"type":"multi","generator":` + aes(`{"base64":"`+key32+`"}`) + `,"children":[` +
			aes(`{"env":"DDBSEAL_TEST_KEY"}`) + `]}`,
		"hierarchical": `{"type":"hierarchical","branchKeys":[{"branchKeyId":"b","version":"0f5b2f5e-6d4f-4d9c-8a53-6f0a3b1f7c11","key":{"base64":"` + key32 + `"}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			c, err := itemconfig.Read(strings.NewReader(file(keyring)))
			if err != nil {
				t.Fatal(err)
			}
			e, err := c.Encryptor(t.Context(), itemconfig.Providers{})
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := e.EncryptItem(t.Context(),
				envelope.Item{"id": &types.AttributeValueMemberS{Value: "1"},
					"s": &types.AttributeValueMemberS{Value: "secret"}})
			if err != nil {
				t.Fatal(err)
			}
			opened, err := e.DecryptItem(t.Context(), sealed)
			if err != nil || opened["s"].(*types.AttributeValueMemberS).Value != "secret" {
				t.Fatal(opened, err)
			}
		})
	}
}

// noKMS answers no call.
type noKMS struct{ awskms.KMSClient }

// TestKMSRegion: the client is one for the key's Region or, for discovery, the
// named one, and a discovery without accounts is not what a list of none asks
// for.
func TestKMSRegion(t *testing.T) {
	const key = `"keyId":"arn:aws:kms:eu-west-1:111122223333:key/mrk-0123456789abcdef0123456789abcdef"`
	for _, c := range []struct{ keyring, region, fault string }{
		{`{"type":"aws-kms",` + key + `}`, "eu-west-1", ""},
		{`{"type":"aws-kms-mrk",` + key + `}`, "eu-west-1", ""},
		{`{"type":"aws-kms-mrk","keyId":"alias/a"}`, "", "configure the key ARN"},
		{`{"type":"aws-kms-discovery"}`, "", ""},
		{`{"type":"aws-kms-discovery","region":"us-west-2","accounts":["111122223333"]}`, "us-west-2", ""},
		{`{"type":"aws-kms-discovery","accounts":[]}`, "", "filter needs"},
		{`{"type":"aws-kms-discovery","partition":"aws"}`, "", "filter needs"},
		{`{"type":"aws-kms-mrk-discovery","region":"us-west-2"}`, "us-west-2", ""},
		{`{"type":"aws-kms-mrk-discovery"}`, "", "needs the client's Region"},
	} {
		t.Run(c.keyring, func(t *testing.T) {
			config, err := itemconfig.Read(strings.NewReader(file(c.keyring)))
			if err != nil {
				t.Fatal(err)
			}
			asked := "nowhere"
			_, err = config.Encryptor(t.Context(),
				itemconfig.Providers{KMS: func(_ context.Context, region string) (awskms.KMSClient, error) {
					asked = region
					return noKMS{}, nil
				}})
			if asked != c.region {
				t.Errorf("client for %q, want %q", asked, c.region)
			}
			if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
				t.Errorf("%v, want %q", err, c.fault)
			}
		})
	}
}

func TestErrorsNameTheFault(t *testing.T) {
	for _, c := range []struct{ name, file, text string }{
		{"not JSON", `{`, "unexpected EOF"},
		{"two values", file(`{"type":"raw-aes"}`) + `{}`, "more than one JSON value"},
		{"unknown member", `{"tabel":"t"}`, `tabel: invalid configuration: there is no such member`},
		{"unknown action", `{"attributeActions":{"a":"ENCRYPT"}}`, "ENCRYPT"},
		{"unknown keyring", file(`{"type":"magic"}`), `"magic" is not one of`},
		{"no key", file(`{"type":"raw-aes","namespace":"n","name":"k"}`), "keyring.key: invalid configuration: missing"},
		{"two keys", file(`{"type":"raw-aes","namespace":"n","name":"k","key":{"base64":"AA==","env":"X"}}`), "exactly one member"},
		{"no base64", file(`{"type":"raw-aes","namespace":"n","name":"k","key":{"base64":"SECRETSECRET*"}}`), "key is not base64"},
		{"short key", file(`{"type":"raw-aes","namespace":"n","name":"k","key":{"base64":"AAAA"}}`), "keyring"},
		{"missing variable", file(`{"type":"raw-aes","namespace":"n","name":"k","key":{"env":"DDBSEAL_NOT_SET"}}`), "DDBSEAL_NOT_SET"},
		{"missing file", file(`{"type":"raw-aes","namespace":"n","name":"k","key":{"file":"/does/not/exist"}}`), "key file"},
		{"no KMS", file(`{"type":"aws-kms","keyId":"arn:aws:kms:us-east-1:111122223333:key/k"}`), "no AWS KMS"},
		{"no key store", file(`{"type":"hierarchical","table":"t","branchKeyId":"b"}`), "no key store"},
		{"short branch key", file(`{"type":"hierarchical","branchKeys":[{"branchKeyId":"b","version":"v","key":{"base64":"AAAA"}}]}`), "branchKeys[0].key"},
		{"padding", file(`{"type":"raw-rsa","namespace":"n","name":"k","padding":"NONE"}`), `"NONE" is not one of`},
		{"not PEM", file(`{"type":"raw-rsa","namespace":"n","name":"k","padding":"PKCS1","publicKey":"x"}`), "no PEM block"},
		{"suite", `{"table":"t","partitionKey":"id","attributeActions":{"id":"SIGN_ONLY"},"algorithmSuite":"0x1234","keyring":{"type":"raw-aes","namespace":"n","name":"k","key":{"base64":"` + key32 + `"}}}`, "0x1234"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config, err := itemconfig.Read(strings.NewReader(c.file))
			if err == nil {
				_, err = config.Encryptor(t.Context(), itemconfig.Providers{})
			}
			if !errors.Is(err, envelope.ErrConfiguration) || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("got %v, want ErrConfiguration with %q", err, c.text)
			}
			if strings.Contains(err.Error(), "SECRET") {
				t.Fatalf("the error quotes the key: %v", err)
			}
		})
	}
}

// TestKeyFileOfTwoMeanings: base64 of a 16 byte key without an end of line has
// the length of another key.
func TestKeyFileOfTwoMeanings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	for text, refused := range map[string]bool{
		"AQIDBAUGBwgJCgsMDQ4PEA==":                true,
		"AQIDBAUGBwgJCgsMDQ4PEA==\n":              false,
		key32[:32]:                                true,
		strings.Repeat("\x01", 24):                false,
		strings.Repeat("not base64 at. ", 3)[:32]: false,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := itemconfig.Read(strings.NewReader(file(
			`{"type":"raw-aes","namespace":"n","name":"k","key":{"file":"` + path + `"}}`)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Encryptor(t.Context(), itemconfig.Providers{})
		if (err != nil) != refused || refused &&
			(!errors.Is(err, envelope.ErrConfiguration) || !strings.Contains(err.Error(), path)) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
