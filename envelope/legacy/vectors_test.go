// SPDX-License-Identifier: Apache-2.0

package legacy_test

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// vectors returns the folder of the public vectors. It skips, loudly, where the
// folder is absent, as in a clean clone. A folder that DDBSEAL_VECTORS names must
// be there.
func vectors(t testing.TB) string {
	t.Helper()
	folder, named := os.LookupEnv("DDBSEAL_VECTORS")
	if !named {
		folder = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	folder = filepath.Join(folder, "legacy")
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) && !named {
		t.Skipf("no public vectors in %s: set DDBSEAL_VECTORS", folder)
	} else if err != nil {
		t.Fatal(err)
	}
	return folder
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func mustItem(t testing.TB, data json.RawMessage) envelope.Item {
	t.Helper()
	item, err := ddbjson.Unmarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return item
}

// scenario is an entry of the official scenarios.json.
type scenario struct {
	Version   string `json:"version"`
	Provider  string `json:"provider"`
	Keys      keyIDs `json:"keys"`
	Material  string `json:"material_name"`
	MetaStore *struct {
		Table      string `json:"table_name"`
		Provider   string `json:"provider"`
		Keys       keyIDs `json:"keys"`
		Ciphertext string `json:"ciphertext"`
	} `json:"metastore"`
	Ciphertext string `json:"ciphertext"`
	Network    bool   `json:"network"`
}

type keyIDs struct{ Decrypt, Verify string }

// publicVectors are the vectors of the Java client's repository.
type publicVectors struct {
	folder    string
	keys      map[string]struct{ Material, Algorithm, Type string }
	scenarios []scenario
	plaintext struct {
		Actions map[string]struct {
			Default  string
			Override map[string]string
		}
		Items map[string]struct {
			Index struct{ Partition, Sort string }
			Items []struct {
				Attributes json.RawMessage
				Action     string
				Exact      bool
			}
		}
		Versions   map[string]map[string][]string
		Attributes map[string]json.RawMessage
	}
}

func readPublicVectors(t testing.TB) *publicVectors {
	t.Helper()
	v := &publicVectors{folder: vectors(t)}
	readJSON(t, filepath.Join(v.folder, "keys.json"), &v.keys)
	readJSON(t, filepath.Join(v.folder, "plaintext.json"), &v.plaintext)
	var file struct{ Scenarios []scenario }
	readJSON(t, filepath.Join(v.folder, "scenarios.json"), &file)
	v.scenarios = file.Scenarios
	return v
}

func (v *publicVectors) material(t testing.TB, id string) []byte {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(v.keys[id].Material)
	if err != nil || len(key) == 0 {
		t.Fatalf("key %q: %v", id, err)
	}
	return key
}

func (v *publicVectors) verification(t testing.TB, id string) *legacy.VerificationKey {
	t.Helper()
	raw := v.material(t, id)
	if v.keys[id].Algorithm == "HmacSHA256" {
		return must(legacy.NewHMAC("HmacSHA256", raw))
	}
	key, err := x509.ParsePKIXPublicKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	return must(legacy.NewRSA(key.(*rsa.PublicKey)))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (v *publicVectors) provider(t testing.TB, kind string, keys keyIDs) legacy.Provider {
	t.Helper()
	verification := v.verification(t, keys.Verify)
	switch kind {
	case "static":
		return must(legacy.NewStatic(legacy.StaticConfig{ContentKey: v.material(t, keys.Decrypt),
			Verification: verification}))
	case "wrapped":
		c := legacy.WrappedConfig{Verification: verification}
		if raw := v.material(t, keys.Decrypt); v.keys[keys.Decrypt].Algorithm == "AES" {
			c.WrappingKey = raw
		} else {
			key, err := x509.ParsePKCS8PrivateKey(raw)
			if err != nil {
				t.Fatal(err)
			}
			c.UnwrappingKey = key.(*rsa.PrivateKey)
		}
		return must(legacy.NewWrapped(c))
	}
	t.Fatalf("unknown provider %q", kind)
	return nil
}

// rows is a meta table in memory.
type rows struct {
	items []envelope.Item
	reads int
}

func (r *rows) Row(_ context.Context, name string, version uint64) (envelope.Item, error) {
	r.reads++
	for _, item := range r.items {
		if item["N"].(*types.AttributeValueMemberS).Value == name &&
			item["V"].(*types.AttributeValueMemberN).Value == fmt.Sprint(version) {
			return item, nil
		}
	}
	return nil, nil
}

func (v *publicVectors) items(t testing.TB, name string) map[string][]envelope.Item {
	t.Helper()
	var tables map[string][]json.RawMessage
	readJSON(t, filepath.Join(v.folder, "java", filepath.Base(name)), &tables)
	out := map[string][]envelope.Item{}
	for table, list := range tables {
		for _, raw := range list {
			out[table] = append(out[table], mustItem(t, raw))
		}
	}
	return out
}

// plain returns the plaintext of an item of a scenario and the actions it was
// written with.
func (v *publicVectors) plain(t testing.TB, version, table string,
	item envelope.Item) (plain envelope.Item, actions map[string]envelope.Action, keys []string) {
	t.Helper()
	of := v.plaintext.Items[table]
	keys = []string{of.Index.Partition}
	if of.Index.Sort != "" {
		keys = append(keys, of.Index.Sort)
	}
	for _, candidate := range of.Items {
		plain = mustItem(t, candidate.Attributes)
		if !slices.ContainsFunc(keys, func(k string) bool { return !equalValues(plain[k], item[k]) }) {
			if !candidate.Exact {
				for _, group := range v.plaintext.Versions[table][strings.TrimSuffix(version, "_complex")] {
					maps.Copy(plain, mustItem(t, v.plaintext.Attributes[group]))
				}
			}
			actions = map[string]envelope.Action{}
			rule := v.plaintext.Actions[candidate.Action]
			for name := range item {
				actions[name] = action(rule.Default)
				if o := rule.Override[name]; o != "" {
					actions[name] = action(o)
				}
			}
			for _, k := range keys {
				actions[k] = envelope.SignOnly
			}
			delete(actions, envelope.LegacyDescriptionAttribute)
			delete(actions, envelope.LegacySignatureAttribute)
			return plain, actions, keys
		}
	}
	// plaintext.json lacks an item of a later version of the writer's class.
	actions = map[string]envelope.Action{}
	for name := range item {
		if actions[name] = envelope.SignOnly; name == "intSet" {
			actions[name] = envelope.EncryptAndSign
		}
	}
	delete(actions, envelope.LegacyDescriptionAttribute)
	delete(actions, envelope.LegacySignatureAttribute)
	actions["intValue"] = envelope.DoNothing
	return nil, actions, keys
}

func action(name string) envelope.Action {
	return map[string]envelope.Action{"encrypt": envelope.EncryptAndSign, "sign": envelope.SignOnly,
		"nothing": envelope.DoNothing, "ENCRYPT_AND_SIGN": envelope.EncryptAndSign, "SIGN_ONLY": envelope.SignOnly,
		"DO_NOTHING": envelope.DoNothing}[name]
}

// TestPublicVectors opens every item of the Java client's public vectors that
// needs no key of AWS KMS.
func TestPublicVectors(t *testing.T) {
	v := readPublicVectors(t)
	opened := 0
	for _, s := range v.scenarios {
		if s.Network {
			continue
		}
		t.Run(filepath.Base(s.Ciphertext), func(t *testing.T) {
			var provider legacy.Provider
			if s.Provider == "most_recent" {
				table := &rows{items: v.items(t, s.MetaStore.Ciphertext)[s.MetaStore.Table]}
				provider = must(legacy.NewMetaStore(legacy.MetaStoreConfig{Table: table, TableName: s.MetaStore.Table,
					MaterialName: s.Material, Provider: v.provider(t, s.MetaStore.Provider, s.MetaStore.Keys)}))
				defer func() {
					if table.reads != 1 {
						t.Errorf("%d reads of the meta table for items of one version", table.reads)
					}
				}()
			} else {
				provider = v.provider(t, s.Provider, s.Keys)
			}
			for table, items := range v.items(t, s.Ciphertext) {
				for _, item := range items {
					if v.open(t, s, table, item, provider) {
						opened++
					}
				}
			}
		})
	}
	t.Logf("%d items", opened)
	if opened < 200 {
		t.Errorf("only %d items were opened", opened)
	}
}

// open opens one item under both sets of rules. It reports false for an item that
// the writer left in plaintext.
func (v *publicVectors) open(t *testing.T, s scenario, table string, item envelope.Item,
	provider legacy.Provider) bool {
	t.Helper()
	want, actions, keys := v.plain(t, s.Version, table, item)
	signed := envelope.IsLegacy(item)
	for _, rules := range []legacy.Rules{legacy.JavaRules, legacy.PythonRules} {
		c := legacy.Config{TableName: table, PartitionKey: keys[0], Actions: actions, Rules: rules, Provider: provider}
		if len(keys) > 1 {
			c.SortKey = keys[1]
		}
		d := must(legacy.New(c))
		got, err := d.DecryptItem(t.Context(), item)
		if !signed {
			if !errors.Is(err, envelope.ErrNotEncrypted) {
				t.Errorf("an item without signature: %v", err)
			}
			return false
		}
		if want == nil && s.Provider != "static" && errors.Is(err, envelope.ErrTampered) {
			return false // a file of another provider has items that static keys signed
		}
		if err != nil {
			t.Errorf("%v: %v", rules, err)
			return false
		}
		if want == nil {
			continue
		}
		if complex, has := got["complexValue"]; has {
			want["complexValue"] = complex // which plaintext.json lacks
		}
		// The Java mapper has counted the version up before it encrypted.
		if n, ok := got["version"].(*types.AttributeValueMemberN); ok && n.Value == "1" {
			want["version"] = n
		}
		sameItem(t, got, want)
	}
	return true
}

// TestLoneVectors opens the public vectors that no scenario names.
func TestLoneVectors(t *testing.T) {
	v := readPublicVectors(t)
	static := v.provider(t, "static", keyIDs{"aesKey", "hmacKey"})
	for _, c := range []struct {
		file, table string
		without     bool
	}{
		{"static-aes-hmac-null-table-1.json", "", true},
		{"static-aes-hmac-nonascii-table-1.json", "テーブル😀", false},
	} {
		for _, item := range v.items(t, c.file)["TableName"] {
			_, actions, keys := v.plain(t, "v0", "TableName", item)
			d := must(legacy.New(legacy.Config{TableName: c.table, WithoutTable: c.without, PartitionKey: keys[0],
				SortKey: keys[1], Actions: actions, Provider: static}))
			if _, err := d.DecryptItem(t.Context(), item); err != nil {
				t.Errorf("%s: %v", c.file, err)
			}
		}
	}
}

// sameItem compares items as DynamoDB does: numbers by value, sets without order.
func sameItem(t testing.TB, got, want envelope.Item) {
	t.Helper()
	a, b := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))
	if !slices.Equal(a, b) {
		t.Errorf("attributes %q, want %q", a, b)
		return
	}
	for name := range want {
		if !equalValues(got[name], want[name]) {
			t.Errorf("%q: got %s, want %s", name, text(got[name]), text(want[name]))
		}
	}
}

func text(v types.AttributeValue) string {
	out, err := ddbjson.Marshal(envelope.Item{"v": v})
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// extraCase is an edge case that an official client wrote.
type extraCase struct {
	Name    string
	Flavor  string
	Table   *string
	Kind    string
	MAC     *string
	HK, RK  *string
	Actions map[string]string
	Input   json.RawMessage
	Item    json.RawMessage
	Plain   json.RawMessage
	KMS     *struct {
		Plaintext []byte
		Context   map[string]string
	}
	Error string
}

// recordedKMS answers one call, if it is the one that the writer's answer was
// recorded for.
type recordedKMS struct {
	plaintext []byte
	context   map[string]string
}

func (k recordedKMS) Decrypt(_ context.Context, _ []byte, context map[string]string) ([]byte, error) {
	if !maps.Equal(context, k.context) {
		return nil, fmt.Errorf("%w: context %q, want %q", envelope.ErrMaterials, context, k.context)
	}
	return slices.Clone(k.plaintext), nil
}

// config returns the configuration of the case's writer.
func (c *extraCase) config() legacy.Config {
	bytes := make([]byte, 32) // 0, 1, 2 and so on
	for i := range bytes {
		bytes[i] = byte(i)
	}
	key, mac, name := bytes[:16], bytes[:8], "HmacSHA256"
	if c.MAC != nil {
		name, mac = *c.MAC, bytes
	}
	verification := must(legacy.NewHMAC(name, mac))
	out := legacy.Config{PartitionKey: "hk", Actions: map[string]envelope.Action{},
		DefaultAction: envelope.EncryptAndSign}
	if c.Flavor == "python" {
		out.Rules = legacy.PythonRules
	}
	if out.WithoutTable = c.Table == nil; c.Table != nil {
		out.TableName = *c.Table
	}
	if c.RK != nil {
		out.SortKey = *c.RK
	}
	for name, a := range c.Actions {
		out.Actions[name] = action(a)
	}
	switch c.Kind {
	case "static":
		out.Provider = must(legacy.NewStatic(legacy.StaticConfig{ContentKey: key, Verification: verification}))
	case "wrapped":
		out.Provider = must(legacy.NewWrapped(legacy.WrappedConfig{WrappingKey: key, Verification: verification}))
	case "kms":
		out.Provider = must(legacy.NewKMS(legacy.KMSConfig{Client: recordedKMS{c.KMS.Plaintext, c.KMS.Context},
			WithoutKeys: c.HK == nil}))
	}
	return out
}

// TestEdgeCases opens what the official Java and Python clients wrote of the
// values in which their rules part.
func TestEdgeCases(t *testing.T) {
	folder := vectors(t)
	opened, otherRules := 0, 0
	for _, file := range []string{"extra-java-3.9.0.json", "extra-python-3.3.0.json"} {
		var cases []extraCase
		readJSON(t, filepath.Join(folder, file), &cases)
		for _, c := range cases {
			if c.Error != "" {
				continue // the client wrote nothing
			}
			t.Run(c.Flavor+"/"+c.Name, func(t *testing.T) {
				item := mustItem(t, c.Item)
				config := c.config()
				got, err := must(legacy.New(config)).DecryptItem(t.Context(), item)
				if err != nil {
					t.Fatal(err)
				}
				sameItem(t, got, mustItem(t, c.Plain))
				opened++
				config.Rules = 1 - config.Rules
				got, err = must(legacy.New(config)).DecryptItem(t.Context(), item)
				if err == nil {
					sameItem(t, got, mustItem(t, c.Plain))
					return
				}
				if !errors.Is(err, envelope.ErrTampered) {
					t.Error(err)
				}
				otherRules++
			})
		}
	}
	if opened < 60 || otherRules < 10 {
		t.Errorf("%d items were opened, %d need their writer's rules", opened, otherRules)
	}
}
