// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

// motoRun compares the engine with moto, which has what dynalite lacks:
// transactions and the settings of tables.
type motoRun struct {
	*generator
	t                          *testing.T
	w                          *world
	o                          other
	definitions                []members
	known                      []motoDifference
	compared, refused, excused map[string]int
	differences                int
}

// motoDifference is where moto is wrong or goes its own way; what AWS documents
// decides.
type motoDifference struct {
	reason string
	when   func(d *difference) bool
}

func newMotoRun(t *testing.T, stream uint64, definitions []members, known []motoDifference) *motoRun {
	url := os.Getenv("DDBSEAL_MOTO")
	if url == "" {
		t.Skip("DDBSEAL_MOTO is not set: .ci/suite-moto starts moto and sets it")
	}
	seed := uint64(22)
	switch text := os.Getenv("DDBSEAL_MOTO_SEED"); text {
	case "":
	case "random":
		seed = rand.Uint64()
	default:
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d", seed)
	r := &motoRun{generator: &generator{Rand: rand.New(rand.NewPCG(seed, stream))}, t: t, w: newWorld(t),
		o: other{t, url}, definitions: definitions, known: known,
		compared: map[string]int{}, refused: map[string]int{}, excused: map[string]int{}}
	r.tables()
	return r
}

// tables makes new tables for the comparison at both.
func (r *motoRun) tables() {
	r.t.Helper()
	for _, in := range r.definitions {
		name := members{"TableName": in["TableName"]}
		for _, send := range []func(string, members) (members, string, string){r.w.send, r.o.send} {
			send("UpdateTable", members{"TableName": in["TableName"], "DeletionProtectionEnabled": false})
			send("DeleteTable", name)
		}
		if _, code, message := r.o.send("CreateTable", in); code != "" {
			r.t.Fatalf("CreateTable: %s: %s", code, message)
		}
		r.w.do("CreateTable", in)
	}
}

// both sends one request to both and compares codes, and what compare makes of
// the answers. When only one of them did it, the tables are made again.
func (r *motoRun) both(operation string, in members, compare func(answer members) any) {
	r.t.Helper()
	got, code, message := r.w.send(operation, in)
	want, wantCode, wantMessage := r.o.send(operation, atMoto(in))
	r.compared[operation]++
	if code != "" {
		r.refused[code]++
	}
	a, b := normal(compare(got)), normal(compare(want))
	if code == wantCode && a == b {
		return
	}
	if (code == "") != (wantCode == "") || operation == "Scan" {
		defer r.tables()
	}
	d := &difference{operation: operation, in: in, got: got, want: want, code: code, wantCode: wantCode,
		wantMessage: wantMessage}
	for _, k := range r.known {
		if k.when(d) {
			r.excused[k.reason]++
			return
		}
	}
	if strings.Contains(jsonText(in), "missing-table") && code != "" && wantCode != "" &&
		(code == "ValidationException") != (wantCode == "ValidationException") {
		r.excused["of a missing table and something else that is wrong it names the other first"]++
		return
	}
	body, _ := json.Marshal(in)
	r.t.Errorf("%s %.2000s\n ours: %s %s %s\n moto: %s %s %s", operation, body, code, message, a, wantCode, wantMessage,
		b)
	if r.differences++; r.differences > 10 {
		r.t.FailNow()
	}
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// atMoto is the request with the names that a resource has at moto.
func atMoto(in members) members {
	arn, ok := in["ResourceArn"].(string)
	if !ok {
		return in
	}
	in = maps.Clone(in)
	in["ResourceArn"] = strings.Replace(arn, testAccount, "123456789012", 1)
	return in
}

// normal is text in which equal sets and equal numbers are equal.
func normal(v any) string {
	var copied any
	if err := json.Unmarshal([]byte(jsonText(v)), &copied); err != nil {
		panic(err)
	}
	return jsonText(shortNumbers(sortSets(copied)))
}

// shortNumbers writes numbers as the engine does; moto leaves zeros behind.
func shortNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, e := range v {
			if n, ok := e.(string); ok && name == "N" {
				if short, err := ddbnumber.Normalize(n); err == nil {
					v[name] = short
				}
				continue
			}
			shortNumbers(e)
		}
	case []any:
		for _, e := range v {
			shortNumbers(e)
		}
	}
	return v
}

// done reports, and fails when something never happened.
func (r *motoRun) done(refused []string, operations ...string) {
	r.t.Helper()
	r.t.Logf("compared %v, refused %v", r.compared, r.refused)
	for _, reason := range slices.Sorted(maps.Keys(r.excused)) {
		r.t.Logf("known difference, %d times: %s", r.excused[reason], reason)
	}
	for _, operation := range operations {
		if r.compared[operation] == 0 {
			r.t.Errorf("%s was never compared", operation)
		}
	}
	for _, code := range refused {
		if r.refused[code] == 0 {
			r.t.Errorf("nothing was refused with %s", code)
		}
	}
	if os.Getenv("DDBSEAL_MOTO_SEED") != "" {
		return
	}
	for _, k := range r.known {
		if r.excused[k.reason] == 0 {
			r.t.Errorf("a known difference that is none: %s", k.reason)
		}
	}
}

// TestDifferentialMotoTransactions sends random transactions to both, compares
// answers, cancellation reasons and what the tables hold afterwards.
func TestDifferentialMotoTransactions(t *testing.T) {
	r := newMotoRun(t, 3, diffTables(), motoTransactions)
	for range 1500 {
		if r.odds(4) {
			r.both("TransactGetItems", r.reads(), func(answer members) any { return answer["Responses"] })
			continue
		}
		in := r.writes()
		r.both("TransactWriteItems", in, cancellation)
		if slices.ContainsFunc(in["TransactItems"].([]members), func(x members) bool { return len(x) > 1 }) {
			r.tables() // moto refuses such a request, and keeps what it wrote of it before
			continue
		}
		for _, table := range []string{diffHash, diffRange} {
			r.both("Scan", members{"TableName": table, "ConsistentRead": true}, func(answer members) any {
				sortList(answer["Items"])
				return answer["Items"]
			})
		}
	}
	r.done([]string{"TransactionCanceledException", "ValidationException", "ResourceNotFoundException"},
		"TransactWriteItems", "TransactGetItems", "Scan")
}

// cancellation is what a transaction's answer says of each item.
func cancellation(answer members) any {
	var list []any
	reasons, _ := answer["CancellationReasons"].([]any)
	for _, x := range reasons {
		m := x.(map[string]any)
		list = append(list, []any{m["Code"], m["Item"]})
	}
	return list
}

func (r *motoRun) cell(table string) members {
	key := members{"pk": members{"S": pick(r.generator, "a", "b", "c")}}
	if table == diffRange {
		key["sk"] = members{"N": pick(r.generator, "1", "2", "-3.5")}
	}
	return key
}

// record is a valid item, seldom with an index's key of another type.
func (r *motoRun) record(table string) members {
	it := r.cell(table)
	for range r.IntN(4) {
		switch r.IntN(6) {
		case 0, 1:
			it["v"] = members{"N": pick(r.generator, "1", "2", "7.25", "-3")}
			it["d"] = members{"N": "12345678901234567890123456789012345678"}
		case 2:
			it["w"] = members{"S": pick(r.generator, "a", "ab", "abc", "é")}
		case 3:
			it["n"] = members{"SS": r.subset("a", "b", "c")}
		case 4:
			it["m"] = members{"M": members{"a": members{"N": "1"},
				"x": members{"L": []members{{"S": "q"}, {"BOOL": true}, {"NULL": true}}}}}
		case 5:
			it["g"] = members{"S": pick(r.generator, "a", "b")}
		}
	}
	return it
}

// when is a condition over such items.
func (r *motoRun) when(depth int) string {
	if depth > 0 && r.odds(3) {
		if r.odds(3) {
			return "NOT (" + r.when(0) + ")"
		}
		return "(" + r.when(0) + pick(r.generator, ") AND (", ") OR (") + r.when(0) + ")"
	}
	number := func() string {
		return r.placeholder(members{"N": pick(r.generator, "1", "2", "7.25", "100")})
	}
	switch r.IntN(7) {
	case 0:
		return "attribute_exists(" + pick(r.generator, "pk", "v", "w", "m.a", "m.x[1]", "m.x[7]") + ")"
	case 1:
		return "attribute_not_exists(" + pick(r.generator, "pk", "v", "w") + ")"
	case 2:
		return "v " + pick(r.generator, "=", "<", "<=", ">", ">=") + " " + number()
	case 3:
		return "begins_with(w, " + r.placeholder(members{"S": pick(r.generator, "a", "ab")}) + ")"
	case 4:
		return "contains(n, " + r.placeholder(members{"S": pick(r.generator, "a", "c")}) + ")"
	case 5:
		return "v BETWEEN " + number() + " AND " + r.placeholder(members{"N": "1000"})
	}
	return "w IN (" + r.placeholder(members{"S": "a"}) + ", " + r.placeholder(members{"S": "abc"}) + ")"
}

func (r *motoRun) changes() string {
	number := func() string { return r.placeholder(members{"N": pick(r.generator, "1", "-2", "0.5")}) }
	switch r.IntN(7) {
	case 0:
		return "SET v = " + number()
	case 1:
		return "SET v = v + " + number()
	case 2:
		return "ADD v " + number()
	case 3:
		return "REMOVE w"
	case 4:
		return "SET w = if_not_exists(w, " + r.placeholder(members{"S": "new"}) + ")"
	case 5:
		return "ADD n " + r.placeholder(members{"SS": r.subset("a", "d")})
	}
	return "SET " + r.name("v") + " = " + number() + " REMOVE w"
}

// writes is a TransactWriteItems request: mostly of distinct items, with a
// share of duplicates, failing conditions, impossible updates and wrong keys.
func (r *motoRun) writes() members {
	switch {
	case r.odds(150):
		return r.oversized()
	case r.odds(20):
		return r.misfit()
	}
	list := []members{}
	seen := map[string]bool{}
	for range 1 + r.IntN(5) {
		r.begin()
		table := pick(r.generator, diffHash, diffRange)
		key := r.cell(table)
		if id := table + text(key); seen[id] && !r.odds(20) {
			continue
		} else {
			seen[id] = true
		}
		kind := pick(r.generator, "Put", "Put", "Update", "Update", "Delete", "ConditionCheck")
		w := members{"TableName": table}
		switch kind {
		case "Put":
			it := r.record(table)
			maps.Copy(it, key)
			w["Item"] = it
		default:
			w["Key"] = key
		}
		if kind == "Update" {
			w["UpdateExpression"] = r.changes()
		}
		if kind == "ConditionCheck" || r.odds(3) {
			w["ConditionExpression"] = r.when(1)
			if r.odds(2) {
				w["ReturnValuesOnConditionCheckFailure"] = pick(r.generator, "ALL_OLD", "ALL_OLD", "NONE")
			}
		}
		if len(r.names) > 0 {
			w["ExpressionAttributeNames"] = r.names
		}
		if len(r.values) > 0 {
			w["ExpressionAttributeValues"] = r.values
		}
		if r.odds(120) {
			w["TableName"] = "missing-table"
		}
		x := members{kind: w}
		if r.odds(150) {
			x["Delete"] = members{"TableName": diffHash, "Key": r.cell(diffHash)}
			x["Put"] = members{"TableName": diffHash, "Item": r.cell(diffHash)}
		}
		list = append(list, x)
	}
	return members{"TransactItems": list}
}

// misfit is a transaction of one item whose key is none of its table.
func (r *motoRun) misfit() members {
	key := r.cell(diffRange)
	pick(r.generator, func() { delete(key, "sk") }, func() { key["pk"] = members{"N": "1"} },
		func() { key["extra"] = members{"S": "x"} },
		func() { key["pk"] = members{"S": ""} })()
	w := members{"TableName": diffRange, "Key": key}
	kind := pick(r.generator, "Put", "Update", "Delete", "ConditionCheck")
	switch kind {
	case "Put":
		delete(key, "extra")
		w = members{"TableName": diffRange, "Item": key}
	case "Update":
		w["UpdateExpression"] = "REMOVE w"
		if r.odds(2) {
			w["Key"], w["UpdateExpression"], w["ExpressionAttributeValues"] = r.cell(diffRange), "SET pk = :other",
				members{":other": members{"S": "other"}}
		}
	case "ConditionCheck":
		w["ConditionExpression"] = "attribute_not_exists(v)"
	}
	return members{"TransactItems": []members{{kind: w}}}
}

// oversized is a transaction of about the greatest number of items.
func (r *motoRun) oversized() members {
	list := []members{}
	for i := range pick(r.generator, 99, 100, 101) {
		list = append(list, members{"Put": members{"TableName": diffHash,
			"Item": members{"pk": members{"S": fmt.Sprint("many-", i)}, "v": members{"N": "1"}}}})
	}
	return members{"TransactItems": list}
}

func (r *motoRun) reads() members {
	n := 1 + r.IntN(6)
	if r.odds(60) {
		n = pick(r.generator, 100, 101)
	}
	list := []members{}
	seen := map[string]bool{}
	for i := range n {
		table := pick(r.generator, diffHash, diffRange)
		key := r.cell(table)
		if id := table + text(key); seen[id] && !r.odds(30) {
			continue
		} else {
			seen[id] = true
		}
		if n > 99 {
			table, key = diffHash, members{"pk": members{"S": fmt.Sprint("many-", i)}}
		}
		get := members{"TableName": table, "Key": key}
		if r.odds(120) {
			get["TableName"] = "missing-table"
		}
		if r.odds(10) {
			get["ProjectionExpression"] = "v, m.a"
		}
		list = append(list, members{"Get": get})
	}
	return members{"TransactItems": list}
}

// motoTransactions: what AWS documents of TransactWriteItems and
// TransactGetItems decides.
var motoTransactions = []motoDifference{
	{"it reads one item twice in a transaction", func(d *difference) bool {
		return d.operation == "TransactGetItems" && d.wantCode == "" && d.refusedAlone() && d.repeatsItem()
	}},
	{"it ignores projections of transactional reads", func(d *difference) bool {
		return d.operation == "TransactGetItems" && d.code == "" && d.wantCode == "" &&
			strings.Contains(jsonText(d.in), "ProjectionExpression")
	}},
	{"it answers an update that cannot be done as for one item; AWS documents the reason ValidationError",
		func(d *difference) bool {
			return d.wantCode == "ValidationException" &&
				strings.Contains(jsonText(d.got), `"Code":"ValidationError"`) &&
				strings.HasPrefix(d.wantMessage,
					"The provided expression refers to an attribute that does not exist in the item")
		}},
	{"it answers keys that do not fit the table as for one item; AWS documents the reason ValidationError",
		func(d *difference) bool {
			return d.code == "TransactionCanceledException" &&
				strings.Contains(jsonText(d.got), `"Code":"ValidationError"`) &&
				strings.Contains(jsonText(d.got), "key") && d.wantCode == "ValidationException"
		}},
	{"it does not check the names and types of keys in transactions", func(d *difference) bool {
		return strings.Contains(jsonText(d.got), "The provided key element does not match the schema") &&
			!strings.Contains(jsonText(d.want), "ValidationError")
	}},
	{"it takes empty keys of deletes and condition checks", func(d *difference) bool {
		return d.refusedAlone() && d.wantCode == "" && strings.Contains(jsonText(d.in), `"pk":{"S":""}`)
	}},
	{"an update that only removes makes an item; on AWS it does nothing where there is none", func(d *difference) bool {
		if d.operation != "Scan" {
			return false
		}
		got := normal(d.got["Items"])
		list, _ := d.want["Items"].([]any)
		return slices.ContainsFunc(list, func(it any) bool {
			m := it.(map[string]any)
			keys := 1
			if m["sk"] != nil {
				keys = 2
			}
			return len(m) == keys && !strings.Contains(got, normal(m))
		})
	}},
	{"it names the exceptions of its own language as reasons for keys that do not fit, and goes on to judge the others",
		func(d *difference) bool {
			return strings.Contains(jsonText(d.got), `"Code":"ValidationError"`) &&
				(strings.Contains(d.wantMessage, "KeyError") ||
					strings.Contains(d.wantMessage, "MockValidationException"))
		}},
	{"a missing table is an item's reason; AWS documents ResourceNotFoundException for the request",
		func(d *difference) bool {
			return d.code == "ResourceNotFoundException" &&
				strings.Contains(jsonText(d.want), `"Code":"ResourceNotFoundException"`)
		}},
}

// repeatsItem reports whether a transaction names one item twice.
func (d *difference) repeatsItem() bool {
	seen := map[string]bool{}
	list, _ := d.in["TransactItems"].([]members)
	for _, element := range list {
		for _, item := range element {
			m := item.(members)
			id := jsonText([]any{m["TableName"], normal(m["Key"])})
			if seen[id] {
				return true
			}
			seen[id] = true
		}
	}
	return false
}
