// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tableRequest is a random CreateTable, about half of them wrong somewhere.
func (g *generator) tableRequest(name string) members {
	attributes := []string{"a", "b", "c", "d"}
	in := members{"TableName": name}
	var defined []members
	n := pick(g, 1, 2, 2, 2, 3, 4)
	for _, a := range attributes[:n] {
		defined = append(defined, members{"AttributeName": a, "AttributeType": pick(g, "S", "N", "B")})
	}
	if g.odds(20) {
		defined = append(defined,
			pick(g, members{"AttributeName": "a", "AttributeType": "S"},
				members{"AttributeName": "x", "AttributeType": "SS"}, members{"AttributeName": "x"},
				members{"AttributeType": "S"}))
	}
	in["AttributeDefinitions"] = defined
	key := func(hash string) []members {
		list := []members{{"AttributeName": hash, "KeyType": "HASH"}}
		if n > 1 && !g.odds(4) {
			other := pick(g, attributes[:n]...)
			for other == hash && !g.odds(10) {
				other = pick(g, attributes[:n]...)
			}
			list = append(list, members{"AttributeName": other, "KeyType": "RANGE"})
		}
		if g.odds(20) {
			list[0]["KeyType"] = pick(g, "RANGE", "BOTH")
		}
		// The other server does not know keys of several HASH attributes.
		if (len(list) == 2 || hash == "a") && g.odds(30) {
			list = append(list, members{"AttributeName": "a", "KeyType": "HASH"})
		}
		return list
	}
	in["KeySchema"] = key("a")
	through := func() members {
		if g.odds(20) {
			return pick(g, members{"ReadCapacityUnits": 0, "WriteCapacityUnits": 1}, members{"ReadCapacityUnits": 1},
				members{})
		}
		return members{"ReadCapacityUnits": 1 + g.IntN(5), "WriteCapacityUnits": 1 + g.IntN(5)}
	}
	onDemand := g.odds(3)
	if onDemand {
		in["BillingMode"] = "PAY_PER_REQUEST"
	}
	if !onDemand != g.odds(15) {
		in["ProvisionedThroughput"] = through()
	}
	if g.odds(30) {
		in["BillingMode"] = "FREE"
	}
	index := func(i int, local bool) members {
		projection := members{"ProjectionType": pick(g, "ALL", "KEYS_ONLY")}
		if g.odds(3) {
			projection = members{"ProjectionType": "INCLUDE", "NonKeyAttributes": []string{"n", "m"}[:1+g.IntN(2)]}
		}
		if g.odds(15) {
			projection = pick(g, members{}, members{"ProjectionType": "SOME"}, members{"ProjectionType": "INCLUDE"},
				members{"ProjectionType": "ALL", "NonKeyAttributes": []string{"n"}})
		}
		hash := "a"
		if !local {
			hash = pick(g, attributes[:n]...)
		}
		x := members{"IndexName": pick(g, "index-one", "index-two", "index-three") + strconv.Itoa(i),
			"KeySchema": key(hash), "Projection": projection}
		if !local && !onDemand != g.odds(20) {
			x["ProvisionedThroughput"] = through()
		}
		if g.odds(25) {
			x["IndexName"] = pick(g, "ab", "bad name", "index-one0")
		}
		return x
	}
	for _, kind := range []string{"LocalSecondaryIndexes", "GlobalSecondaryIndexes"} {
		if !g.odds(3) {
			continue
		}
		list := []members{}
		for i := range g.IntN(4) {
			list = append(list, index(i, kind[0] == 'L'))
		}
		in[kind] = list
	}
	if g.odds(40) {
		delete(in, pick(g, "AttributeDefinitions", "KeySchema", "TableName"))
	}
	if g.odds(40) {
		in["TableName"] = pick(g, "a", "bad;name", strings.Repeat("x", 256))
	}
	return in
}

// TestDifferentialTables compares CreateTable, DescribeTable, ListTables and
// DeleteTable.
func TestDifferentialTables(t *testing.T) {
	o := differential(t)
	seed := differentialSeed(t)
	t.Logf("seed %d", seed)
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 2))}
	w := newWorld(t)
	made, refused, excused := 0, 0, map[string]int{}
	for i := range 500 {
		name := "diff-table-" + strconv.Itoa(i%7)
		in := g.tableRequest(name)
		_, code, message := w.send("CreateTable", in)
		_, wantCode, wantMessage := o.send("CreateTable", in)
		if reason := knownTableDifference(in); code == "ValidationException" && wantCode != code && reason != "" {
			excused[reason]++
		} else if code != wantCode {
			body, _ := json.Marshal(in)
			t.Errorf("CreateTable %s\n ours:  %s %s\n other: %s %s", body, code, message, wantCode, wantMessage)
		} else if code != "" && message != wantMessage && os.Getenv("DDBSEAL_DYNALITE_TEXTS") != "" {
			t.Logf("1 × CreateTable\n ours:  %s\n other: %s", message, wantMessage)
		}
		if code != "" || wantCode != "" {
			refused++
		}
		if code == "" && wantCode == "" {
			made++
			o.settle(name)
			got, _, _ := w.send("DescribeTable", members{"TableName": name})
			want, _, _ := o.send("DescribeTable", members{"TableName": name})
			if a, b := comparable(got), comparable(want); a != b {
				body, _ := json.Marshal(in)
				t.Errorf("DescribeTable after %s\n ours:  %s\n other: %s", body, a, b)
			}
			again, _, _ := w.send("ListTables", members{})
			listed, _, _ := o.send("ListTables", members{})
			if text(again) != text(withoutTables(listed, diffHash, diffRange)) {
				t.Errorf("ListTables:\n ours:  %s\n other: %s", text(again), text(listed))
			}
		}
		w.send("DeleteTable", members{"TableName": name})
		for range 100 {
			if _, code, _ := o.send("DeleteTable", members{"TableName": name}); code != "ResourceInUseException" {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		o.settle(name)
	}
	t.Logf("%d tables made, %d requests refused, known differences %v", made, refused, excused)
	if made < 20 || refused < 20 {
		t.Error("too few of one kind")
	}
}

// knownTableDifference is the reason for which only the engine refuses a
// request, if there is one.
func knownTableDifference(in members) string {
	indexes := func(match func(members) bool) bool {
		for _, kind := range []string{"LocalSecondaryIndexes", "GlobalSecondaryIndexes"} {
			if list, _ := in[kind].([]members); slices.ContainsFunc(list, match) {
				return true
			}
		}
		return false
	}
	defined, used := map[any]int{}, map[any]bool{}
	list, _ := in["AttributeDefinitions"].([]members)
	for _, a := range list {
		defined[a["AttributeName"]]++
	}
	use := func(of members) bool {
		keys, _ := of["KeySchema"].([]members)
		for _, k := range keys {
			used[k["AttributeName"]] = true
		}
		return false
	}
	use(in)
	indexes(use)
	unused, twice := false, false
	for name, n := range defined {
		unused, twice = unused || !used[name], twice || n > 1
	}
	switch {
	case twice:
		return "it allows an attribute to be defined twice, as two types"
	case unused:
		return "it allows attributes that are no key once there is an index; AWS wants every one used"
	case indexes(func(i members) bool {
		p, _ := i["Projection"].(members)
		return p["ProjectionType"] == "INCLUDE" && p["NonKeyAttributes"] == nil
	}):
		return "it allows INCLUDE without NonKeyAttributes"
	case in["BillingMode"] != "PAY_PER_REQUEST" &&
		indexes(func(i members) bool { return i["ProvisionedThroughput"] == nil }):
		return "it allows provisioned indexes without throughput"
	}
	return ""
}

func withoutTables(list members, names ...string) members {
	var left []any
	for _, n := range list["TableNames"].([]any) {
		if n != names[0] && n != names[1] {
			left = append(left, n)
		}
	}
	list["TableNames"] = left
	return list
}

// comparable is what both say about a table, in one order. AWS's newer members
// and those that name accounts, times and ids are left out.
func comparable(answer members) string {
	t := answer["Table"].(members)
	out := members{}
	for _, name := range []string{"TableName", "TableStatus", "KeySchema", "AttributeDefinitions", "ItemCount",
		"TableSizeBytes"} {
		out[name] = t[name]
	}
	sortList(out["AttributeDefinitions"])
	for _, kind := range []string{"LocalSecondaryIndexes", "GlobalSecondaryIndexes"} {
		list, _ := t[kind].([]any)
		var indexes []any
		for _, x := range list {
			i := members{}
			for _, name := range []string{"IndexName", "KeySchema", "Projection", "ItemCount", "IndexSizeBytes",
				"IndexStatus"} {
				i[name] = x.(map[string]any)[name]
			}
			if p, _ := i["Projection"].(map[string]any); p != nil {
				sortList(p["NonKeyAttributes"])
			}
			indexes = append(indexes, i)
		}
		sortList(indexes)
		out[kind] = indexes
	}
	b, _ := json.Marshal(out)
	return string(b)
}
