// SPDX-License-Identifier: Apache-2.0

package itemconfig_test

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
)

const good = `"table": "t", "partitionKey": "id", "attributeActions": {"id": "SIGN_ONLY"}`

// TestErrorsNameTheMember: an error says where in the file it is, and which
// values are valid there.
func TestErrorsNameTheMember(t *testing.T) {
	keyring := func(text string) string { return "{" + good + `, "keyring": ` + text + "}" }
	for _, c := range []struct {
		text, path string
		valid      []string
	}{
		{`{"tabel": "t"}`, "tabel", []string{"table, partitionKey, sortKey, attributeActions"}},
		{`{"table": 1}`, "table", []string{"is a number, not a text"}},
		{`{"attributeActions": {"id": "ENCRYPT"}}`, "attributeActions.id", []string{"ENCRYPT_AND_SIGN", "DO_NOTHING"}},
		{`{"attributeActions": {"id": 7}}`, "attributeActions.id", []string{"is a number"}},
		{`{"attributeActions": []}`, "attributeActions", []string{"is a list, not an object"}},
		{`{"search": {"standardBeacons": [{"length": 1.5}]}}`, "search.standardBeacons[0].length",
			[]string{"not a whole number"}},
		{`{"search": {"standardBeacons": [{"style": {"asSet": {"x": 1}}}]}}`,
			"search.standardBeacons[0].style.asSet.x", []string{"there is no such member"}},
		{`{"search": {"acceptMissing": "yes"}}`, "search.acceptMissing", []string{"true or false"}},
		{keyring(`{"type": "multi", "children": [{"type": "raw-aes"}, {"typ": "raw-aes"}]}`),
			"keyring.children[1].typ", []string{"type, namespace"}},
		{keyring(`{"type": "multi", "children": {"type": "raw-aes"}}`), "keyring.children", []string{"not a list"}},
		{keyring(`{"type": "aes"}`), "keyring.type", itemconfig.KeyringTypes()},
		{keyring(`{}`), "keyring.type", []string{"missing", "raw-aes"}},
		{keyring(`{"type": "raw-aes"}`), "keyring.key", []string{"base64, file and env"}},
		{keyring(`{"type": "raw-aes", "key": {}}`), "keyring.key", []string{"base64, file or env"}},
		{keyring(`{"type": "raw-rsa", "padding": "OAEP"}`), "keyring.padding", []string{"PKCS1, OAEP_SHA1_MGF1"}},
		{keyring(`{"type": "raw-rsa", "padding": "PKCS1", "publicKey": "x"}`), "keyring.publicKey",
			[]string{"no PEM block"}},
		{keyring(`{"type": "multi", "generator": {"type": "multi", "children": [{"type": "raw-aes"}]}}`),
			"keyring.generator.children[0].key", []string{"missing"}},
		{keyring(`{"type": "hierarchical", "branchKeys": [{"key": {"base64": "AAAA"}}]}`),
			"keyring.branchKeys[0].key", []string{"3 bytes, not 32"}},
		{`{"partitionKey": "id"}`, "table", []string{"missing"}},
		{`{"table": "t"}`, "partitionKey", []string{"missing"}},
		{`{"table": "t", "partitionKey": "id"}`, "attributeActions", []string{"missing"}},
		{with(`"algorithmSuite": "0x1"`), "algorithmSuite", []string{"0x6700 or 0x6701"}},
		{with(`"algorithmSuite": "AES"`), "algorithmSuite", []string{envelope.SuiteDigitalSignature.String()}},
		{with(`"plaintextPolicy": "ALLOW"`), "plaintextPolicy", []string{"FORBID_PLAINTEXT_WRITE_ALLOW_PLAINTEXT_READ"}},
		{with(`"legacy": {"policy": "x"}`), "legacy.policy", []string{"FORBID_LEGACY_ENCRYPT_ALLOW_LEGACY_DECRYPT"}},
		{with(`"legacy": {"policy": "FORBID_LEGACY_ENCRYPT_ALLOW_LEGACY_DECRYPT", "provider": {"type": "x"}}`),
			"legacy.provider.type", []string{"static, wrapped, aws-kms, meta-store"}},
		{with(`"search": {"keySource": {"cacheTTL": "x"}}`), "search.keySource.cacheTTL", []string{"10m"}},
	} {
		file, err := itemconfig.Read(strings.NewReader(c.text))
		if err == nil {
			_, err = file.Encryptor(t.Context(), itemconfig.Providers{})
		}
		member, ok := errors.AsType[*itemconfig.MemberError](err)
		if !ok || member.Path != c.path || !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("%s\n%v, want the member %s", c.text, err, c.path)
			continue
		}
		for _, value := range c.valid {
			if !strings.Contains(err.Error(), value) {
				t.Errorf("%s\n%v lacks %q", c.text, err, value)
			}
		}
	}
	_, err := itemconfig.Read(strings.NewReader("{\n  \"table\": \"t\",\n  x\n}"))
	if !errors.Is(err, envelope.ErrConfiguration) || !strings.Contains(err.Error(), "line 3, column 3") {
		t.Error(err)
	}
}

// with is a configuration with one more member.
func with(member string) string {
	return "{" + good + `, "keyring": {"type": "raw-aes", "namespace": "n", "name": "k", "key": {"base64": "` +
		base64.StdEncoding.EncodeToString(make([]byte, 32)) + `"}}, ` + member + "}"
}

// TestErrorsHideSecrets: a key where a member is not meant to have one.
func TestErrorsHideSecrets(t *testing.T) {
	const secret = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
	for _, text := range []string{
		`{` + good + `, "keyring": {"type": "raw-aes", "key": "` + secret + `"}}`,
		`{` + good + `, "keyring": {"type": "raw-aes", "key": {"base64": ["` + secret + `"]}}}`,
		`{` + good + `, "keyring": {"type": "raw-aes", "key": {"base64": "?` + secret + `"}}}`,
		`{` + good + `, "keyring": {"type": "raw-aes", "key": {"base64": "` + secret + `", "env": "X"}}}`,
	} {
		file, err := itemconfig.Read(strings.NewReader(text))
		if err == nil {
			_, err = file.Encryptor(t.Context(), itemconfig.Providers{})
		}
		if !errors.Is(err, envelope.ErrConfiguration) || strings.Contains(err.Error(), secret[:8]) {
			t.Errorf("%s\n%v", text, err)
		}
	}
}

// TestReadFile: key files are relative to the configuration, wherever they are
// in it, and errors name the file.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(t.TempDir())
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := base64.StdEncoding.EncodeToString(make([]byte, 32)) + "\n"
	absolute := write("key", key)
	aes := func(file string) string {
		return `{"type": "raw-aes", "namespace": "n", "name": "k", "key": {"file": "` + file + `"}}`
	}
	for _, keyring := range []string{aes("key"), aes(filepath.ToSlash(absolute)),
		`{"type": "multi", "generator": ` + aes("key") + `, "children": [` + aes("./key") + `]}`,
		`{"type": "hierarchical", "branchKeys": [{"branchKeyId": "b",
			"version": "4a1e1c4e-0a43-4a35-a1a5-0f4f0c5a1b2d", "key": {"file": "key"}}]}`,
	} {
		c, err := itemconfig.ReadFile(write("config.json", "{"+good+`, "keyring": `+keyring+"}"))
		if err == nil {
			_, err = c.Encryptor(t.Context(), itemconfig.Providers{})
		}
		if err != nil {
			t.Errorf("%s\n%v", keyring, err)
		}
	}
	bad := write("bad.json", `{"tabel": ""}`)
	if _, err := itemconfig.ReadFile(bad); !errors.Is(err, envelope.ErrConfiguration) ||
		!strings.Contains(err.Error(), bad) {
		t.Error(err)
	}
	if _, err := itemconfig.ReadFile(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
