// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/peer"
)

// metaTable is the table in which the older client keeps its meta store.
const metaTable = "meta"

// oldWriter draws how the older client gets its keys.
type oldWriter struct {
	kmsKeys         []string
	public, private string // of an RSA key that wraps and signs
	materials       *int   // counts the materials, so that each has a name of its own
}

// draw returns a provider and the private key that signs for it, if one does.
func (w oldWriter) draw(t *rapid.T, kinds ...string) (p itemconfig.LegacyProvider, signingKey string) {
	secret := func(label string, sizes ...int) *itemconfig.Secret {
		n := rapid.SampledFrom(sizes).Draw(t, label+" size")
		return &itemconfig.Secret{Base64: base64.StdEncoding.EncodeToString(
			rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, label))}
	}
	switch p.Type = rapid.SampledFrom(kinds).Draw(t, "provider"); p.Type {
	case "static":
		p.ContentKey = secret("content key", 16, 24, 32)
	case "wrapped":
		if rapid.Bool().Draw(t, "wrapped by RSA") {
			p.PrivateKey = w.private
		} else {
			p.WrappingKey = secret("wrapping key", 16, 24, 32)
		}
	case "aws-kms":
		p.KeyIDs = []string{rapid.SampledFrom(w.kmsKeys).Draw(t, "key")}
		return p, ""
	case "meta-store":
		rows, signing := w.draw(t, "static", "wrapped", "aws-kms")
		*w.materials++
		p.Table, p.Rows = metaTable, &rows
		p.MaterialName = rapid.SampledFrom([]string{"material ", "é～😀 "}).Draw(t, "material") + fmt.Sprint(*w.materials)
		if rapid.Bool().Draw(t, "extra attributes") {
			p.SignedOnly = []string{"owner"}
		}
		return p, signing
	}
	if rapid.Bool().Draw(t, "signed by RSA") {
		p.PublicKey = w.public
		return p, w.private
	}
	p.MACKey = secret("MAC key", 1, 8, 32, 100)
	return p, ""
}

// TestWeOpenOldItems: the older client, whose classes are in the Java library,
// writes random items, and this side reads them and no changed one.
func TestWeOpenOldItems(t *testing.T) {
	results.watch(t, oldItems, "java")
	c := startCloud(t, oldItems, "java")
	c.createBranchKeys(t)
	c.ask(t, map[string]any{"op": "legacy-create-table", "tableName": metaTable})
	public, private := rsaKey()
	writer := oldWriter{c.resources.kmsKeys, public, private, new(int)}
	rapid.Check(t, func(t *rapid.T) {
		config, item := c.resources.draw(t)
		old := itemconfig.Legacy{Policy: envelope.ForbidLegacyEncryptAllowLegacyDecrypt.String(),
			Table:            rapid.SampledFrom([]string{"", "old"}).Draw(t, "old table"),
			AttributeActions: map[string]envelope.Action{}}
		for name := range item {
			old.AttributeActions[name] = rapid.SampledFrom([]envelope.Action{envelope.EncryptAndSign, envelope.SignOnly,
				envelope.DoNothing}).Draw(t, "old action")
		}
		for _, key := range []string{config.PartitionKey, config.SortKey} {
			if key != "" {
				old.AttributeActions[key] = envelope.SignOnly
			}
		}
		var signingKey string
		old.Provider, signingKey = writer.draw(t, "static", "wrapped", "aws-kms", "meta-store")
		config.Legacy = &old
		stored := c.oldItem(t, config, item, signingKey)
		e := c.encryptor(t, config)
		got, err := e.DecryptItem(t.Context(), stored)
		if err != nil {
			t.Fatal(err)
		}
		if !peer.EqualItems(got, item) {
			t.Fatal("another item came back")
		}
		results.count(oldItems, "java")
		signed := slices.DeleteFunc(slices.Sorted(maps.Keys(item)), func(name string) bool {
			return old.AttributeActions[name] == envelope.DoNothing
		})
		name := rapid.SampledFrom(signed).Draw(t, "changed")
		if stored[name] = (&types.AttributeValueMemberS{Value: "changed"}); peer.Equal(item[name], stored[name]) {
			return
		}
		if _, err := e.DecryptItem(t.Context(), stored); err == nil {
			t.Fatal("a changed item opens")
		}
	})
}

// TestWeOpenOldMaterials: the older client writes items under several versions of
// one material. This side opens all of them, none under another material's name,
// and none whose row in the meta table was changed or replaced.
func TestWeOpenOldMaterials(t *testing.T) {
	results.watch(t, oldItems, "java")
	c := startCloud(t, oldItems, "java")
	c.ask(t, map[string]any{"op": "legacy-create-table", "tableName": metaTable})
	rows := itemconfig.LegacyProvider{Type: "aws-kms", KeyIDs: []string{c.keyARN}}
	provider := itemconfig.LegacyProvider{Type: "meta-store", Table: metaTable, MaterialName: "material", Rows: &rows}
	config := &itemconfig.Config{Table: "t", PartitionKey: "pk",
		AttributeActions: map[string]envelope.Action{"pk": envelope.SignOnly, "secret": envelope.EncryptAndSign},
		Keyring:          itemconfig.Keyring{Type: "aws-kms", KeyID: c.keyARN},
		Legacy: &itemconfig.Legacy{Policy: envelope.ForbidLegacyEncryptAllowLegacyDecrypt.String(), Provider: provider,
			AttributeActions: map[string]envelope.Action{"pk": envelope.SignOnly, "secret": envelope.EncryptAndSign}}}
	const versions = 3
	var plain, stored []envelope.Item
	for i := range versions {
		if i > 0 {
			c.ask(t, map[string]any{"op": "legacy-rotate", "provider": provider})
		}
		item := envelope.Item{"pk": &types.AttributeValueMemberN{Value: fmt.Sprint(i)},
			"secret": &types.AttributeValueMemberS{Value: "é"}}
		plain, stored = append(plain, item), append(stored, c.oldItem(t, config, item, ""))
	}
	for i := range stored {
		c.mustOpen(t, config, stored[i], plain[i])
	}

	other := *config
	legacy := *config.Legacy
	legacy.Provider.MaterialName = "another"
	other.Legacy = &legacy
	if _, err := c.encryptor(t, &other).DecryptItem(t.Context(), stored[0]); err == nil {
		t.Error("an item of another material opens")
	}

	row := func(version int) envelope.Item {
		out, err := c.ddb.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: new(metaTable), Key: envelope.Item{
			"N": &types.AttributeValueMemberS{Value: "material"},
			"V": &types.AttributeValueMemberN{Value: fmt.Sprint(version)}}})
		if err != nil || len(out.Item) < 9 {
			t.Fatal(len(out.Item), err)
		}
		return out.Item
	}
	put := func(item envelope.Item) {
		_, err := c.ddb.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: new(metaTable), Item: item})
		if err != nil {
			t.Fatal(err)
		}
	}
	changed := row(0)
	changed["enc"].(*types.AttributeValueMemberB).Value[20] ^= 1
	put(changed)
	replaced := row(1)
	replaced["V"] = &types.AttributeValueMemberN{Value: "2"}
	put(replaced)
	for _, i := range []int{0, 2} {
		if _, err := c.encryptor(t, config).DecryptItem(t.Context(), stored[i]); err == nil {
			t.Errorf("an item opens whose row %d was changed", i)
		}
	}
	c.mustOpen(t, config, stored[1], plain[1])
}

// ask sends the peer a request.
func (c *cloud) ask(t tester, request map[string]any) map[string]json.RawMessage {
	t.Helper()
	answer, err := c.peer.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", c.peer.Name, request["op"], err)
	}
	return answer
}

// oldItem has the older client encrypt an item as config.Legacy says.
func (c *cloud) oldItem(t tester, config *itemconfig.Config, item envelope.Item, signingKey string) envelope.Item {
	t.Helper()
	text, err := ddbjson.Marshal(item)
	if err != nil {
		t.Fatal(err)
	}
	request := map[string]any{"op": "legacy-encrypt", "config": config, "item": json.RawMessage(text)}
	if signingKey != "" {
		request["signingKey"] = signingKey
	}
	stored, err := ddbjson.Unmarshal(c.ask(t, request)["item"])
	if err != nil {
		t.Fatal(err)
	}
	return stored
}
