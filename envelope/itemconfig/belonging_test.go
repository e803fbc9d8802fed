// SPDX-License-Identifier: Apache-2.0

package itemconfig_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
)

// memberValues are values of all members of a keyring beside type.
var memberValues = map[string]string{
	"namespace": `"n"`, "name": `"k"`, "key": `{"env":"X"}`, "padding": `"PKCS1"`, "publicKey": `"x"`,
	"privateKey": `"x"`, "keyId": `"k"`, "encryptionAlgorithm": `"RSAES_OAEP_SHA_1"`, "region": `"eu-west-1"`,
	"partition": `"aws"`, "accounts": `[]`, "generator": `{"type":"multi"}`, "children": `[{"type":"multi"}]`,
	"table": `"t"`, "logicalName": `"l"`, "kmsKeyId": `"k"`, "ttl": `"10m"`, "branchKeyId": `"b"`,
	"branchKeys": `[{"branchKeyId":"b","version":"v","key":{"env":"X"}}]`,
}

// belonging are the members that the documentation lists for each type.
var belonging = map[string]string{
	"raw-aes": "namespace name key", "raw-rsa": "namespace name padding publicKey privateKey",
	"raw-ecdh": "privateKey publicKey", "raw-ecdh-ephemeral": "publicKey", "raw-ecdh-discovery": "privateKey",
	"aws-kms": "keyId", "aws-kms-mrk": "keyId", "aws-kms-discovery": "region partition accounts",
	"aws-kms-mrk-discovery": "region partition accounts", "aws-kms-rsa": "keyId encryptionAlgorithm publicKey",
	"aws-kms-ecdh": "keyId publicKey", "aws-kms-ecdh-discovery": "keyId", "multi": "generator children",
	"hierarchical": "table logicalName kmsKeyId ttl branchKeyId branchKeys",
}

// TestForeignMembers: each member is taken by the types that it belongs to and
// refused by name for every other type, before any key is looked for.
func TestForeignMembers(t *testing.T) {
	for _, kind := range itemconfig.KeyringTypes() {
		for name, value := range memberValues {
			_, err := itemconfig.Read(strings.NewReader(file(`{"type":"` + kind + `","` + name + `":` + value + `}`)))
			if slices.Contains(strings.Fields(belonging[kind]), name) {
				if err != nil {
					t.Errorf("%s of %s: %v", name, kind, err)
				}
				continue
			}
			member, ok := errors.AsType[*itemconfig.MemberError](err)
			if !ok || member.Path != "keyring."+name || !errors.Is(err, envelope.ErrConfiguration) ||
				!strings.Contains(err.Error(), "does not belong to a keyring of type "+kind) {
				t.Errorf("%s of %s: %v", name, kind, err)
			}
		}
	}
}

func TestMembersThatCountForNothing(t *testing.T) {
	const branchKeys = `"branchKeys":[{"branchKeyId":"b","version":"v","key":{"env":"X"}}]`
	legacy := func(provider string) string {
		return with(`"legacy": {"policy": "FORBID_LEGACY_ENCRYPT_ALLOW_LEGACY_DECRYPT", "provider": ` + provider + `}`)
	}
	for _, c := range []struct{ text, path string }{
		{file(`{"type":"hierarchical","kmsKeyId":"k",` + branchKeys + `}`), "keyring.kmsKeyId"},
		{file(`{"type":"multi","children":[{"type":"multi","generator":{"type":"raw-aes","keyId":"k"}}]}`),
			"keyring.children[0].generator.keyId"},
		{with(`"search": {"keySource": {"table": "t", "beaconKeys": [{"branchKeyId": "b", "key": {"env": "X"}}]}}`),
			"search.keySource.table"},
		{legacy(`{"type": "static", "keyIds": ["k"]}`), "legacy.provider.keyIds"},
		{legacy(`{"type": "aws-kms", "macKey": {"env": "X"}}`), "legacy.provider.macKey"},
		{legacy(`{"type": "meta-store", "rows": {"type": "wrapped", "contentKey": {"env": "X"}}}`),
			"legacy.provider.rows.contentKey"},
	} {
		_, err := itemconfig.Read(strings.NewReader(c.text))
		member, ok := errors.AsType[*itemconfig.MemberError](err)
		if !ok || member.Path != c.path {
			t.Errorf("%s\n%v, want the member %s", c.text, err, c.path)
		}
	}
	// A configuration that a program wrote down is held to the same rules.
	c, err := itemconfig.Read(strings.NewReader(with(`"sortKey": "at"`)))
	if err != nil {
		t.Fatal(err)
	}
	c.Keyring.KeyID = "k"
	if _, err := c.Encryptor(t.Context(), itemconfig.Providers{}); err == nil ||
		!strings.Contains(err.Error(), "keyring.keyId") {
		t.Error(err)
	}
}

// TestMissingMembers: a keyring that lacks what its type needs says what.
func TestMissingMembers(t *testing.T) {
	for text, path := range map[string]string{
		`{"type":"raw-aes","name":"k","key":{"base64":"` + key32 + `"}}`: "keyring.namespace",
		`{"type":"raw-rsa","namespace":"n","padding":"PKCS1"}`:           "keyring.name",
		`{"type":"raw-ecdh"}`:                                                    "keyring.privateKey",
		`{"type":"raw-ecdh-ephemeral"}`:                                          "keyring.publicKey",
		`{"type":"raw-ecdh-discovery"}`:                                          "keyring.privateKey",
		`{"type":"aws-kms"}`:                                                     "keyring.keyId",
		`{"type":"aws-kms-rsa","keyId":"k"}`:                                     "keyring.encryptionAlgorithm",
		`{"type":"aws-kms-ecdh","publicKey":"x"}`:                                "keyring.keyId",
		`{"type":"aws-kms-mrk-discovery"}`:                                       "keyring.region",
		`{"type":"hierarchical","table":"t","kmsKeyId":"k","ttl":"ten minutes"}`: "keyring.ttl",
	} {
		c, err := itemconfig.Read(strings.NewReader(file(text)))
		if err == nil {
			_, err = c.Encryptor(t.Context(), itemconfig.Providers{})
		}
		member, ok := errors.AsType[*itemconfig.MemberError](err)
		if !ok || member.Path != path || !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("%s\n%v, want the member %s", text, err, path)
		}
	}
}
