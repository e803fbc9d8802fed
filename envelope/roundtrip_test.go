// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

// drawText draws UTF-8 text with characters where UTF-8, UTF-16 and code point
// order differ.
func drawText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(),
		rapid.StringOf(rapid.RuneFrom([]rune{'a', 'é', '\uD7FF', '\uE000', '\uFFEF', '𐀂', '\U0010FFFF'})))
}

func drawNumber() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.Custom(func(t *rapid.T) string { return fmt.Sprint(rapid.Int64().Draw(t, "integer")) }),
		rapid.StringMatching(`[+-]?[0-9]{1,20}(\.[0-9]{0,18})?`),
		rapid.StringMatching(`[+-]?\.[0-9]{1,38}`),
		rapid.StringMatching(`-?[1-9]\.?[0-9]{0,30}[eE][+-]?[0-9]{1,2}`),
	)
}

func drawValue(depth int) *rapid.Generator[types.AttributeValue] {
	return rapid.Custom(func(t *rapid.T) types.AttributeValue {
		kinds := 10
		if depth == 0 {
			kinds = 8
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "type") {
		case 0:
			return s(drawText().Draw(t, "S"))
		case 1:
			return n(drawNumber().Draw(t, "N"))
		case 2:
			return b(rapid.SliceOf(rapid.Byte()).Draw(t, "B"))
		case 3:
			return &types.AttributeValueMemberBOOL{Value: rapid.Bool().Draw(t, "BOOL")}
		case 4:
			return &types.AttributeValueMemberNULL{Value: rapid.Bool().Draw(t, "NULL")}
		case 5:
			return &types.AttributeValueMemberSS{Value: rapid.SliceOfDistinct(drawText(), rapid.ID[string]).Draw(t,
				"SS")}
		case 6:
			normal := func(v string) string {
				v, err := ddbnumber.Normalize(v)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			return &types.AttributeValueMemberNS{Value: rapid.SliceOfDistinct(drawNumber(), normal).Draw(t, "NS")}
		case 7:
			list := rapid.SliceOfDistinct(rapid.SliceOf(rapid.Byte()),
				func(v []byte) string { return string(v) }).Draw(t, "BS")
			return &types.AttributeValueMemberBS{Value: list}
		case 8:
			return &types.AttributeValueMemberL{Value: rapid.SliceOfN(drawValue(depth-1), 0, 4).Draw(t, "L")}
		}
		key := drawText().Filter(func(k string) bool { return k != "" })
		return &types.AttributeValueMemberM{Value: rapid.MapOfN(key, drawValue(depth-1), 0, 4).Draw(t, "M")}
	})
}

func TestRandomItemsComeBack(t *testing.T) {
	k := testKeyring(t)
	rapid.Check(t, func(rt *rapid.T) {
		config := envelope.Config{
			LogicalTableName: drawText().Filter(func(v string) bool { return v != "" }).Draw(rt, "table"),
			PartitionKey:     "the partition key", SortKey: "the sort key", Keyring: k,
			AllowedUnsignedPrefix: "~",
			AlgorithmSuite: rapid.SampledFrom([]envelope.AlgorithmSuite{envelope.SuiteSymmetricSignature,
				envelope.SuiteSymmetricSignature, envelope.SuiteDigitalSignature}).Draw(rt, "suite"),
		}
		actions := []envelope.Action{envelope.EncryptAndSign, envelope.SignOnly, envelope.DoNothing}
		keyAction := envelope.SignOnly
		if rapid.Bool().Draw(rt, "version 2") {
			keyAction = envelope.SignAndIncludeInEncryptionContext
			actions = append(actions, keyAction)
		}
		config.Actions = map[string]envelope.Action{config.PartitionKey: keyAction, config.SortKey: keyAction}
		item := envelope.Item{config.PartitionKey: s(drawText().Draw(rt, "pk")),
			config.SortKey: n(drawNumber().Draw(rt, "sk"))}
		for range rapid.IntRange(0, 6).Draw(rt, "attributes") {
			name := "a" + drawText().Draw(rt, "name")
			action := rapid.SampledFrom(actions).Draw(rt, "action")
			if action == envelope.DoNothing {
				name = "~" + name
			}
			config.Actions[name], item[name] = action, drawValue(3).Draw(rt, "value")
		}
		e, err := envelope.NewItemEncryptor(config)
		if err != nil {
			rt.Fatal(err)
		}
		sealed, err := e.EncryptItem(t.Context(), item)
		if err != nil {
			rt.Fatal(err)
		}
		reencodes(t, sealed)
		for name, v := range sealed {
			if v, ok := v.(*types.AttributeValueMemberB); ok && len(v.Value) != cap(v.Value) && item[name] != v {
				rt.Fatalf("%q has room behind it: its size was not foreseen", name)
			}
		}
		got, err := e.DecryptItem(t.Context(), sealed)
		if err != nil {
			rt.Fatal(err)
		}
		sameItem(t, got, item)
		// Another configuration that knows nothing but the keys reads it too.
		config.Actions = map[string]envelope.Action{config.PartitionKey: keyAction, config.SortKey: keyAction}
		reader, err := envelope.NewItemEncryptor(config)
		if err != nil {
			rt.Fatal(err)
		}
		if got, err = reader.DecryptItem(t.Context(), sealed); err != nil {
			rt.Fatal(err)
		}
		sameItem(t, got, item)
	})
}

// One encryptor serves many goroutines; run with -race.
func TestConcurrentUse(t *testing.T) {
	for _, suite := range []envelope.AlgorithmSuite{envelope.SuiteSymmetricSignature, envelope.SuiteDigitalSignature} {
		config := validConfig(t)
		config.AlgorithmSuite = suite
		e := mustEncryptor(t, config)
		var wg sync.WaitGroup
		for g := range 16 {
			wg.Go(func() {
				for i := range 10 {
					item := validItem()
					item["sk"] = n(fmt.Sprint(1000*g + i))
					item["secret"] = s(fmt.Sprint("secret of ", g, i))
					sealed, err := e.EncryptItem(t.Context(), item)
					if err != nil {
						t.Error(err)
						return
					}
					got, err := e.DecryptItem(t.Context(), sealed)
					if err != nil {
						t.Error(err)
						return
					}
					sameItem(t, got, item)
				}
			})
		}
		wg.Wait()
	}
}
