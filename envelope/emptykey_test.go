// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"maps"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

// TestGoldenItemsThatAreOnlyRead takes items with maps that have an empty key.
// They open, changed ones do not, and none is written.
func TestGoldenItemsThatAreOnlyRead(t *testing.T) {
	cases := 0
	for _, file := range goldenFiles(t) {
		g := readGolden(t, file)
		if g.OnlyRead == "" {
			continue
		}
		cases++
		t.Run(filepath.Base(file), func(t *testing.T) {
			keyrings, err := g.keyrings()
			if err != nil {
				t.Fatal(err)
			}
			e := mustEncryptor(t, g.config(keyrings[0]))
			sealed := mustItem(t, g.Encrypted)
			opened, err := e.OpenItem(t.Context(), sealed)
			if err != nil {
				t.Fatal(err)
			}
			sameItem(t, opened.Item, mustItem(t, g.Plaintext))
			m, err := e.Inspect(sealed)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range m.Attributes {
				if a.Length == 0 {
					t.Errorf("%q has no length", a.Name)
				}
			}

			_, err = e.EncryptItem(t.Context(), opened.Item)
			failsWith(t, err, envelope.ErrInvalidItem, "encrypt", g.OnlyRead)
			_, err = e.EncryptItemAs(t.Context(), opened.Item, opened.Actions)
			failsWith(t, err, envelope.ErrInvalidItem, "encrypt", g.OnlyRead)

			switch v := sealed[g.OnlyRead].(type) {
			case *types.AttributeValueMemberM:
				changed := maps.Clone(v.Value)
				changed[""] = s("changed")
				sealed[g.OnlyRead] = &types.AttributeValueMemberM{Value: changed}
			case *types.AttributeValueMemberB:
				v.Value[len(v.Value)-1] ^= 1
			}
			_, err = e.DecryptItem(t.Context(), sealed)
			if g.Actions[g.OnlyRead] == envelope.SignAndIncludeInEncryptionContext {
				failsWith(t, err, envelope.ErrMaterials, "decrypt", "") // the data key is bound to it
			} else {
				failsWith(t, err, envelope.ErrTampered, "decrypt", envelope.FooterAttribute)
			}
		})
	}
	if cases == 0 {
		t.Fatal("no golden item is only read")
	}
}

// A map with an empty key that an attacker put into an item is found out.
func TestEmptyKeyOfAnAttackerIsTampered(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	hostile := &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"": s("x")}}
	sealed := mustEncrypt(t, e, validItem())
	sealed["note"] = hostile
	_, err := e.DecryptItem(t.Context(), sealed)
	failsWith(t, err, envelope.ErrTampered, "decrypt", envelope.FooterAttribute)
}

// Not even an attribute without protection may have one: official readers
// serialize it and would refuse the whole item.
func TestUnsignedMapsAreSerializable(t *testing.T) {
	for name, v := range map[string]types.AttributeValue{
		"empty key": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"": s("x")}},
		"nested empty key": &types.AttributeValueMemberL{Value: []types.AttributeValue{
			&types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"": s("x")}},
		}},
		"nil inside": &types.AttributeValueMemberL{Value: []types.AttributeValue{nil}},
		"33 levels":  nested(33),
	} {
		t.Run(name, func(t *testing.T) {
			item := validItem()
			item[":view"] = v
			_, err := mustEncryptor(t, validConfig(t)).EncryptItem(t.Context(), item)
			failsWith(t, err, envelope.ErrInvalidItem, "encrypt", ":view")
		})
	}
	item := validItem()
	item[":view"] = &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"k": nested(31)}}
	roundTrip(t, mustEncryptor(t, validConfig(t)), item)
}
