// SPDX-License-Identifier: Apache-2.0

package benchmarks

import (
	"crypto/hmac"
	"crypto/sha512"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// tenBeacons has a standard beacon for each of the first ten attributes.
func tenBeacons(tb testing.TB) *beacon.Config {
	tb.Helper()
	source := &keyring.MemorySource{}
	if err := source.AddBeaconKey(materials.NewBeaconKey(benchBranchKey, [32]byte{7})); err != nil {
		tb.Fatal(err)
	}
	c := &beacon.Config{Keys: beacon.KeySource{Source: source, BranchKeyID: benchBranchKey, Lifetime: time.Hour}}
	for i := range 10 {
		c.Standard = append(c.Standard, beacon.Standard{Name: attributeName(i), Length: 32})
	}
	return c
}

// BenchmarkBeacon takes turns between beacons of 100 values and their floor:
// HMAC-SHA384 of the same bytes by crypto/hmac, its key prepared beforehand.
func BenchmarkBeacon(b *testing.B) {
	const values = 100
	s, err := beacon.New(*tenBeacons(b), beacon.Schema{
		Protection: func(string) beacon.Protection { return beacon.Encrypted }})
	if err != nil {
		b.Fatal(err)
	}
	keys, err := s.Keys(b.Context(), "")
	if err != nil {
		b.Fatal(err)
	}
	defer keys.Release()
	standard := s.Lookup(attributeName(0)).Standard
	for _, n := range []int{10, 100, 1000, 10_000, 100_000} {
		text := strings.Repeat("x", n)
		value, raw := &types.AttributeValueMemberS{Value: text}, []byte(text)
		mac, sum := hmac.New(sha512.New384, make([]byte, 64)), [sha512.Size384]byte{}
		b.Run(fmt.Sprintf("values=%d/bytes=%d", values, n), func(b *testing.B) {
			beside(b, "floor", func() error {
				for range values {
					if _, err := standard.Hash(keys, 0, value); err != nil {
						return err
					}
				}
				return nil
			}, func() error {
				for range values {
					mac.Reset()
					mac.Write(raw)
					mac.Sum(sum[:0])
				}
				return nil
			})
		})
	}
}

// BenchmarkTenBeacons takes turns between encrypting an item of 12 attributes
// with ten beacons and without.
func BenchmarkTenBeacons(b *testing.B) {
	for _, suite := range suites() {
		c := itemCase{suite, 1 << 10, twelveSmall}
		config := c.config(rawAES(b))
		config.Search = tenBeacons(b)
		with, err := envelope.NewItemEncryptor(config)
		if err != nil {
			b.Fatal(err)
		}
		without, item := c.encryptor(b), c.item()
		if n := len(c.sealed(b, with)) - len(c.sealed(b, without)); n != 10 {
			b.Fatalf("%d beacons", n)
		}
		b.Run(c.name(), func(b *testing.B) {
			beside(b, "without", func() error { _, err := with.EncryptItem(b.Context(), item); return err },
				func() error { _, err := without.EncryptItem(b.Context(), item); return err })
		})
	}
}
