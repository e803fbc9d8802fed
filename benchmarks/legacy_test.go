// SPDX-License-Identifier: Apache-2.0

package benchmarks

import (
	"bytes"
	"testing"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/internal/legacywriter"
)

// BenchmarkLegacy reads items of the older client under static keys beside the
// same items in suite 0x6700, through an encryptor that reads both.
func BenchmarkLegacy(b *testing.B) {
	key := bytes.Repeat([]byte{1}, 32)
	mac, err := legacy.NewHMAC("HmacSHA256", key)
	if err != nil {
		b.Fatal(err)
	}
	provider, err := legacy.NewStatic(legacy.StaticConfig{ContentKey: key, Verification: mac})
	if err != nil {
		b.Fatal(err)
	}
	for s := oneLarge; s <= deep; s++ {
		c := itemCase{suite: envelope.SuiteSymmetricSignature, size: 1 << 10, shape: s}
		b.Run("size=1KB/shape="+s.String(), func(b *testing.B) {
			actions := map[string]envelope.Action{"id": envelope.SignOnly}
			writer := legacywriter.Writer{Table: "benchmark", ContentKey: key, MACKey: key}
			for i := range s.attributes() {
				actions[attributeName(i)] = envelope.EncryptAndSign
				writer.Encrypted = append(writer.Encrypted, attributeName(i))
			}
			d, err := legacy.New(legacy.Config{TableName: "benchmark", PartitionKey: "id", Actions: actions,
				Provider: provider})
			if err != nil {
				b.Fatal(err)
			}
			e, err := envelope.NewItemEncryptor(envelope.Config{
				LogicalTableName: "benchmark", PartitionKey: "id", Actions: actions, AlgorithmSuite: c.suite,
				Keyring: rawAES(b),
				Legacy:  &envelope.LegacyOverride{Policy: envelope.ForbidLegacyEncryptAllowLegacyDecrypt, Decryptor: d},
			})
			if err != nil {
				b.Fatal(err)
			}
			old, current := writer.Encrypt(c.item()), c.sealed(b, e)
			beside(b, "0x6700", func() error { _, err := e.DecryptItem(b.Context(), old); return err },
				func() error { _, err := e.DecryptItem(b.Context(), current); return err })
		})
	}
}
