// SPDX-License-Identifier: Apache-2.0

package ddbjson_test

import (
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

var kilobyte = []byte(
	`{"id":{"S":"customer-000001234567"},"sort":{"S":"order#2024-01-01T00:00:00Z"},"amount":{"N":"1234.56"},` +
		`"tags":{"SS":["one","two","three"]},"open":{"BOOL":true},"none":{"NULL":true},` +
		`"address":{"M":{"street":{"S":"1 Long Street"},"zip":{"N":"12345"},"city":{"S":"Zürich"}}},` +
		`"lines":{"L":[{"M":{"sku":{"S":"a-1"},"qty":{"N":"2"}}},{"M":{"sku":{"S":"b-2"},"qty":{"N":"1"}}}]},` +
		`"blob":{"B":"` + strings.Repeat("QUJD", 60) + `"},"note":{"S":"` + strings.Repeat("lorem ipsum ", 26) + `"}}`)

func BenchmarkUnmarshal1KB(b *testing.B) {
	b.SetBytes(int64(len(kilobyte)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ddbjson.Unmarshal(kilobyte); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendItem1KB(b *testing.B) {
	item, err := ddbjson.Unmarshal(kilobyte)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 2048)
	b.SetBytes(int64(len(kilobyte)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ddbjson.AppendItem(buf, item); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkItemSize1KB(b *testing.B) {
	item, err := ddbjson.Unmarshal(kilobyte)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		ddbjson.ItemSize(item)
	}
}
