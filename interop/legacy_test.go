package interop_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/peer"
)

// TestWeOpenOldItems: the older client, whose classes are in the Java library,
// writes random items, and this side reads them and no changed one.
func TestWeOpenOldItems(t *testing.T) {
	results.watch(t, weOpenTheirs, "java")
	c := startCloud(t, weOpenTheirs, "java")
	c.createBranchKeys(t)
	public, private := rsaKey()
	rapid.Check(t, func(t *rapid.T) {
		config, item := c.resources.draw(t)
		old := itemconfig.Legacy{Policy: envelope.ForbidLegacyEncryptAllowLegacyDecrypt.String(),
			Table:            rapid.SampledFrom([]string{"", "old"}).Draw(t, "old table"),
			AttributeActions: map[string]envelope.Action{}}
		secret := func(label string, sizes ...int) *itemconfig.Secret {
			n := rapid.SampledFrom(sizes).Draw(t, label+" size")
			return &itemconfig.Secret{Base64: base64.StdEncoding.EncodeToString(
				rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, label))}
		}
		for name := range item {
			old.AttributeActions[name] = rapid.SampledFrom([]envelope.Action{envelope.EncryptAndSign, envelope.SignOnly,
				envelope.DoNothing}).Draw(t, "old action")
		}
		for _, key := range []string{config.PartitionKey, config.SortKey} {
			if key != "" {
				old.AttributeActions[key] = envelope.SignOnly
			}
		}
		p := &old.Provider
		request := map[string]any{"op": "legacy-encrypt"}
		switch p.Type = rapid.SampledFrom([]string{"static", "wrapped", "aws-kms"}).Draw(t, "provider"); p.Type {
		case "static":
			p.ContentKey = secret("content key", 16, 24, 32)
		case "wrapped":
			if rapid.Bool().Draw(t, "wrapped by RSA") {
				p.PrivateKey = private
			} else {
				p.WrappingKey = secret("wrapping key", 16, 24, 32)
			}
		case "aws-kms":
			p.KeyIDs = []string{rapid.SampledFrom(c.resources.kmsKeys).Draw(t, "key")}
		}
		if p.Type != "aws-kms" {
			if rapid.Bool().Draw(t, "signed by RSA") {
				p.PublicKey, request["signingKey"] = public, private
			} else {
				p.MACKey = secret("MAC key", 1, 8, 32, 100)
			}
		}
		config.Legacy = &old
		text, err := ddbjson.Marshal(item)
		if err != nil {
			t.Fatal(err)
		}
		request["config"], request["item"] = config, json.RawMessage(text)
		answer, err := c.peer.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := ddbjson.Unmarshal(answer["item"])
		if err != nil {
			t.Fatal(err)
		}
		e := c.encryptor(t, config)
		got, err := e.DecryptItem(t.Context(), stored)
		if err != nil {
			t.Fatal(err)
		}
		if !peer.EqualItems(got, item) {
			t.Fatal("another item came back")
		}
		results.count(weOpenTheirs, "java")
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
