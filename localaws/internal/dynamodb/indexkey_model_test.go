// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// keyValue is a value of a key attribute: its type and its text, of binaries the
// bytes.
type keyValue struct{ kind, text string }

func (v keyValue) wire() members {
	if v.kind == "B" {
		return members{"B": base64.StdEncoding.EncodeToString([]byte(v.text))}
	}
	return members{v.kind: v.text}
}

func (v keyValue) compare(o keyValue) int {
	if v.kind != "N" {
		return strings.Compare(v.text, o.text)
	}
	a, _ := strconv.ParseFloat(v.text, 64)
	b, _ := strconv.ParseFloat(o.text, 64)
	return cmp.Compare(a, b)
}

// drawKeyValue draws values that are hard to keep in order: one begins another,
// and bytes that an encoding may use for itself.
func drawKeyValue(t *rapid.T, kind string) keyValue {
	texts := []string{"a", "b", "ab", "a\x00", "a\x00b", "a\x01", "\x00"}
	switch kind {
	case "B":
		texts = append(texts, "\xff", "\xff\xff", "\x00\xff", "\x00\x00", "a\x00\xff")
	case "N":
		texts = []string{"-10", "-1", "-0.5", "0", "0.5", "1", "2", "10", "100"}
	}
	return keyValue{kind, rapid.SampledFrom(texts).Draw(t, kind)}
}

// keyModel is a table with one global index as plain data.
type keyModel struct {
	names, kinds []string // of the index's key
	partition    int      // how many of them are its partition key
	items        map[string]map[string]keyValue
}

func drawKeyModel(t *rapid.T) *keyModel {
	m := &keyModel{items: map[string]map[string]keyValue{}}
	m.partition = rapid.IntRange(1, 4).Draw(t, "partition attributes")
	for i := range m.partition + rapid.IntRange(0, 4).Draw(t, "sort attributes") {
		m.names = append(m.names, string(rune('a'+i)))
		m.kinds = append(m.kinds, rapid.SampledFrom([]string{"S", "N", "B"}).Draw(t, "type"))
	}
	return m
}

// request returns the request that creates the index.
func (m *keyModel) request() members {
	attributes := defined("pk", "S")
	for i, name := range m.names {
		attributes = append(attributes, defined(name, m.kinds[i])...)
	}
	key := strings.Join(m.names[:m.partition], " ") + " | " + strings.Join(m.names[m.partition:], " ")
	return members{"TableName": "tab", "AttributeDefinitions": attributes,
		"GlobalSecondaryIndexUpdates": []members{{"Create": severalIndex("gsi", key)}}}
}

// drawItem draws an item. Some lack an attribute of the index's key or have one
// that the index cannot hold.
func (m *keyModel) drawItem(t *rapid.T) map[string]keyValue {
	it := map[string]keyValue{}
	for i, name := range m.names {
		switch rapid.IntRange(0, 20).Draw(t, "value") {
		case 0:
		case 1:
			it[name] = drawKeyValue(t, rapid.SampledFrom([]string{"S", "N", "B"}).Draw(t, "another type"))
		case 2:
			it[name] = keyValue{rapid.SampledFrom([]string{"S", "B"}).Draw(t, "empty"), ""}
		default:
			it[name] = drawKeyValue(t, m.kinds[i])
		}
	}
	return it
}

// fits reports whether the index can hold the key attributes that the item has, and
// has whether the item has all of them.
func (m *keyModel) fits(it map[string]keyValue) (fits, has bool) {
	fits, has = true, true
	for i, name := range m.names {
		v, ok := it[name]
		has = has && ok
		fits = fits && (!ok || v.kind == m.kinds[i] && v.text != "")
	}
	return fits, has
}

// inIndex returns the primary keys of the items in the index that match, in the
// order of the sort key.
func (m *keyModel) inIndex(match func(map[string]keyValue) bool) []string {
	var keys []string
	for key, it := range m.items {
		if fits, has := m.fits(it); fits && has && match(it) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(x, y string) int { return cmp.Or(m.compareSort(x, y), strings.Compare(x, y)) })
	return keys
}

// compareSort compares the sort keys of two items in the index.
func (m *keyModel) compareSort(x, y string) int {
	for _, name := range m.names[m.partition:] {
		if c := m.items[x][name].compare(m.items[y][name]); c != 0 {
			return c
		}
	}
	return 0
}

// settle sorts items whose sort keys are equal, which may come in any order.
func (m *keyModel) settle(keys []string) []string {
	keys = slices.Clone(keys)
	for i := 0; i < len(keys); {
		end := i + 1
		for end < len(keys) && m.compareSort(keys[i], keys[end]) == 0 {
			end++
		}
		slices.Sort(keys[i:end])
		i = end
	}
	return keys
}

// drawQuery draws a key condition and returns it with its meaning.
func (m *keyModel) drawQuery(t *rapid.T) (members, func(map[string]keyValue) bool) {
	like := map[string]keyValue{} // what equalities ask for: often the values of an item
	if keys := m.inIndex(func(map[string]keyValue) bool { return true }); len(keys) > 0 {
		like = m.items[rapid.SampledFrom(keys).Draw(t, "like")]
	}
	var conditions []string
	values := members{}
	var tests []func(map[string]keyValue) bool
	value := func(v keyValue) string {
		name := fmt.Sprintf(":v%d", len(values))
		values[name] = v.wire()
		return name
	}
	last := rapid.IntRange(m.partition, len(m.names)).Draw(t, "conditions")
	for i, name := range m.names[:last] {
		v, ok := like[name]
		if !ok || rapid.IntRange(0, 9).Draw(t, "another") == 0 {
			v = drawKeyValue(t, m.kinds[i])
		}
		operators := []string{"="}
		if i >= m.partition && i == last-1 {
			operators = []string{"=", "<", "<=", ">", ">=", "BETWEEN"}
			if v.kind != "N" {
				operators = append(operators, "begins_with")
			}
		}
		switch op := rapid.SampledFrom(operators).Draw(t, "operator"); op {
		case "BETWEEN":
			w := drawKeyValue(t, v.kind)
			if w.compare(v) < 0 {
				v, w = w, v
			}
			conditions = append(conditions, name+" BETWEEN "+value(v)+" AND "+value(w))
			tests = append(tests, func(it map[string]keyValue) bool {
				return it[name].compare(v) >= 0 && it[name].compare(w) <= 0
			})
		case "begins_with":
			conditions = append(conditions, "begins_with("+name+", "+value(v)+")")
			tests = append(tests, func(it map[string]keyValue) bool { return strings.HasPrefix(it[name].text, v.text) })
		default:
			conditions = append(conditions, name+" "+op+" "+value(v))
			tests = append(tests, func(it map[string]keyValue) bool {
				c := it[name].compare(v)
				return c == 0 && strings.Contains(op, "=") || c < 0 && op[0] == '<' || c > 0 && op[0] == '>'
			})
		}
	}
	in := members{"TableName": "tab", "IndexName": "gsi", "ExpressionAttributeValues": values,
		"KeyConditionExpression": strings.Join(rapid.Permutation(conditions).Draw(t, "order"), " AND ")}
	return in, func(it map[string]keyValue) bool {
		return !slices.ContainsFunc(tests, func(test func(map[string]keyValue) bool) bool { return !test(it) })
	}
}

// TestIndexKeyModel compares an index with a model: random keys of one to four
// attributes of each kind, random items from before and after the index, random
// conditions, pages of every size, both directions.
func TestIndexKeyModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, m := newWorld(t), drawKeyModel(rt)
		w.table("tab", "", nil)
		indexed := false
		write := func() {
			key := strconv.Itoa(rapid.IntRange(0, 12).Draw(rt, "key"))
			if rapid.IntRange(0, 5).Draw(rt, "delete") == 0 {
				w.do("DeleteItem", members{"TableName": "tab", "Key": members{"pk": str(key)}})
				delete(m.items, key)
				return
			}
			it := m.drawItem(rt)
			item := members{"pk": str(key)}
			for name, v := range it {
				item[name] = v.wire()
			}
			_, err := w.try("admin", "PutItem", members{"TableName": "tab", "Item": item})
			if fits, _ := m.fits(it); indexed && !fits {
				checkError(t, "PutItem", err, "ValidationException", "")
			} else if err != nil {
				rt.Fatalf("PutItem %v: %v", item, err)
			} else {
				m.items[key] = it
			}
		}
		for range rapid.IntRange(0, 15).Draw(rt, "writes before the index") {
			write()
		}
		w.do("UpdateTable", m.request())
		indexed = true
		for range rapid.IntRange(1, 6).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 8).Draw(rt, "writes") {
				write()
			}
			in, match := m.drawQuery(rt)
			if rapid.Bool().Draw(rt, "backward") {
				in["ScanIndexForward"] = false
			}
			got := strings.Fields(keysOf(w.do("Query", in)))
			forward := slices.Clone(got)
			if in["ScanIndexForward"] != nil {
				slices.Reverse(forward)
			}
			if want := m.inIndex(match); !slices.Equal(m.settle(forward), want) {
				rt.Fatalf("%v with %v: %v, want %v of %v", in, m, got, want, m.items)
			}
			in["Limit"] = rapid.IntRange(1, 3).Draw(rt, "limit")
			if pages := w.pagesOf("Query", in); !slices.Equal(pages, got) {
				rt.Fatalf("%v in pages: %v, want %v", in, pages, got)
			}
		}
		all := w.pagesOf("Scan", members{"TableName": "tab", "IndexName": "gsi", "Limit": 2})
		want := m.inIndex(func(map[string]keyValue) bool { return true })
		slices.Sort(all)
		slices.Sort(want)
		if !slices.Equal(all, want) {
			rt.Fatalf("the index has %v, want %v", all, want)
		}
	})
}

// pagesOf returns the primary keys of all pages of a Query or Scan.
func (w *world) pagesOf(operation string, in members) (keys []string) {
	delete(in, "ExclusiveStartKey")
	for {
		page := w.do(operation, in)
		keys = append(keys, strings.Fields(keysOf(page))...)
		if page["LastEvaluatedKey"] == nil {
			return keys
		}
		in["ExclusiveStartKey"] = page["LastEvaluatedKey"]
	}
}
