// SPDX-License-Identifier: Apache-2.0

package legacy_test

import (
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
)

// FuzzDecryptItem replaces description, signature and a value of an item of each
// provider: it either fails with a named error or gives the plaintext.
func FuzzDecryptItem(f *testing.F) {
	all := fixtures(f)
	decryptors := make([]*legacy.Decryptor, len(all))
	for i := range all {
		decryptors[i] = all[i].decryptor()
		item := all[i].stored
		f.Add(uint8(i), bytesOf(item, envelope.LegacyDescriptionAttribute),
			bytesOf(item, envelope.LegacySignatureAttribute), bytesOf(item, "secret"), "open")
	}
	f.Fuzz(func(t *testing.T, provider uint8, description, signature, value []byte, renamed string) {
		i := int(provider) % len(all)
		altered := maps.Clone(all[i].stored)
		altered[envelope.LegacyDescriptionAttribute] = b(description)
		altered[envelope.LegacySignatureAttribute] = b(signature)
		altered["secret"] = b(value)
		v := altered["open"]
		delete(altered, "open")
		altered[renamed] = v
		refusedOrSame(t, &all[i], decryptors[i], altered)
	})
}

// FuzzValue parses any bytes that a holder of the keys can have encrypted.
func FuzzValue(f *testing.F) {
	for _, seed := range []string{"\x00s\x00\x00\x00\x01x", "\x00n\x00\x00\x00\x011", "\x00\x00", "\x00?\x01",
		"\x00b\x00\x00\x00\x00", "\x00L\x00\x00\x00\x01\x00\x00", "\x00M\x00\x00\x00\x01\x00s\x00\x00\x00\x01a\x00\x00",
		"\x00S\x00\x00\x00\x01\x00\x00\x00\x01a", "\x00N\x00\x00\x00\x01\x00\x00\x00\x011",
		"\x00B\x00\x00\x00\x01\x00\x00\x00\x01a"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := legacy.ParseValue(raw)
		if err != nil {
			return
		}
		again, err := legacy.AppendValue(nil, v)
		if err != nil {
			return // no writer signs it, such as a number of more than 38 digits
		}
		w, err := legacy.ParseValue(again)
		if err != nil || text(w) != text(v) && !equalValues(w, v) {
			t.Errorf("%q gives %s, and its own form %s, %v", raw, text(v), text(w), err)
		}
	})
}

func bytesOf(item envelope.Item, name string) []byte {
	return item[name].(*types.AttributeValueMemberB).Value
}
