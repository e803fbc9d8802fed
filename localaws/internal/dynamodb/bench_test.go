// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"
	"time"
)

func benchBody(id int) string {
	raw := make([]byte, 300)
	for i := range raw {
		raw[i] = byte(i * 7)
	}
	return fmt.Sprintf(
		`{"pk":{"S":"%d"},"text":{"S":"%s"},"bytes":{"B":"%s"},"flag":{"BOOL":true},"list":{"L":[{"N":"1"},{"S":"two"}]},"n0":{"N":"0"},"n1":{"N":"1000003"},"n2":{"N":"2000006"},"n3":{"N":"3000009"},"n4":{"N":"4000012"}}`,
		id, base64.StdEncoding.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw))
}

func benchTable(b *testing.B, items int) *world {
	w := newWorld(b)
	w.table("items", "", customKey(w.keys.newKey("one")))
	for i := range items {
		w.do("PutItem", `{"TableName":"items","Item":`+benchBody(i)+`}`)
	}
	return w
}

// BenchmarkServe is the engine alone: no client, no front door, a KMS that
// looks things up in a map.
func BenchmarkServe(b *testing.B) {
	w := benchTable(b, 1000)
	for name, in := range map[string]func(i int) (string, string){
		"PutItem": func(i int) (string, string) {
			return "PutItem", `{"TableName":"items","Item":` + benchBody(i%10_000) + `}`
		},
		"GetItem": func(i int) (string, string) {
			return "GetItem", fmt.Sprintf(`{"TableName":"items","Key":{"pk":{"S":"%d"}}}`, i%1000)
		},
		"UpdateItem": func(i int) (string, string) {
			return "UpdateItem",
				fmt.Sprintf(
					`{"TableName":"items","Key":{"pk":{"S":"%d"}},"UpdateExpression":"SET n0 = n0 + :i","ConditionExpression":"attribute_exists(pk)","ExpressionAttributeValues":{":i":{"N":"1"}}}`, i%1000)
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			bodies := make([]string, 1000)
			operation := ""
			for i := range bodies {
				operation, bodies[i] = in(i)
			}
			for i := 0; b.Loop(); i++ {
				if _, err := w.s.Serve(context.Background(),
					userCall("admin", operation, []byte(bodies[i%1000]))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStream is what a stream adds to a write that changes an item, and to a
// write without effect, in a store that is not durable.
func BenchmarkStream(b *testing.B) {
	for _, view := range []string{"", "KEYS_ONLY", "NEW_AND_OLD_IMAGES"} {
		w := newWorld(b)
		more := customKey(w.keys.newKey("one"))
		if view != "" {
			maps.Copy(more, streamOn(view))
		}
		w.table("items", "", more)
		var bodies [2][]byte
		for i := range bodies {
			bodies[i] = fmt.Appendf(nil, `{"TableName":"items","Item":{"pk":{"S":"a"},"n":{"N":"%d"},"text":{"S":"%s"}}}`, i,
				strings.Repeat("x", 1000))
		}
		b.Run("PutItem/"+cmp.Or(view, "none"), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%10_000 == 0 {
					w.advance(25 * time.Hour) // or the records would fill the memory
				}
				if _, err := w.s.Serve(context.Background(), userCall("admin", "PutItem", bodies[i%2])); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkItemMemory reports what a stored item of 1 KB with ten attributes
// costs in memory, as it is kept and as the JSON that it would be otherwise.
func BenchmarkItemMemory(b *testing.B) {
	const items = 20_000
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	for b.Loop() {
		before := heap()
		w := benchTable(b, items)
		b.ReportMetric((heap()-before)/items, "B/item")
		b.ReportMetric(float64(len(benchBody(1))), "JSON-B/item")
		runtime.KeepAlive(w)
	}
}

// BenchmarkScan reads a table of 100,000 items of 1 KB, page by page.
func BenchmarkScan(b *testing.B) {
	const items = 100_000
	w := benchTable(b, items)
	b.ResetTimer()
	for b.Loop() {
		n, start := 0, ""
		for {
			out, err := w.s.Serve(context.Background(),
				userCall("admin", "Scan", []byte(`{"TableName":"items"`+start+`}`)))
			if err != nil {
				b.Fatal(err)
			}
			count, last := pageOf(b, out)
			n += count
			if last == "" {
				break
			}
			start = `,"ExclusiveStartKey":` + last
		}
		if n != items {
			b.Fatalf("%d items", n)
		}
	}
	b.ReportMetric(items*float64(b.N)/b.Elapsed().Seconds(), "items/s")
}

// BenchmarkBackfill creates a global index of a table of 100,000 items of 1 KB,
// and deletes it.
func BenchmarkBackfill(b *testing.B) {
	const items = 100_000
	w := benchTable(b, items)
	create := members{"TableName": "items",
		"AttributeDefinitions": []members{{"AttributeName": "n1", "AttributeType": "N"}, {"AttributeName": "pk", "AttributeType": "S"}},
		"GlobalSecondaryIndexUpdates": []members{{"Create": members{"IndexName": "byN", "Projection": members{"ProjectionType": "ALL"},
			"KeySchema": []members{{"AttributeName": "n1", "KeyType": "HASH"},
				{"AttributeName": "pk", "KeyType": "RANGE"}}}}}}
	remove := members{"TableName": "items",
		"GlobalSecondaryIndexUpdates": []members{{"Delete": members{"IndexName": "byN"}}}}
	for b.Loop() {
		w.do("UpdateTable", create)
		b.StopTimer()
		if n := w.described("items")["GlobalSecondaryIndexes"].([]any)[0].(members)["ItemCount"]; n != float64(items) {
			b.Fatalf("the index has %v items", n)
		}
		w.do("UpdateTable", remove)
		b.StartTimer()
	}
	b.ReportMetric(items*float64(b.N)/b.Elapsed().Seconds(), "items/s")
}

// pageOf reads count and last key off the end of a page, without parsing all
// of it.
func pageOf(b *testing.B, out []byte) (count int, last string) {
	tail := out[max(0, len(out)-200):]
	at := -1
	for i := len(tail) - 1; i >= 0; i-- {
		if n, _ := fmt.Sscanf(string(tail[i:]), `"Count":%d`, &count); n == 1 {
			at = i
			break
		}
	}
	if at < 0 {
		b.Fatalf("no count in %s", tail)
	}
	const member = `"LastEvaluatedKey":`
	for i := at; i+len(member) < len(tail); i++ {
		if string(tail[i:i+len(member)]) == member {
			return count, string(tail[i+len(member) : len(tail)-1])
		}
	}
	return count, ""
}
