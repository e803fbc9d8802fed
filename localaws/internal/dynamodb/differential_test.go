// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// other is an independent DynamoDB behind HTTP, which checks no signatures.
type other struct {
	t   testing.TB
	url string
}

// send returns the answer, and of an error its code and message too.
func (o other) send(operation string, in members) (answer members, code, message string) {
	o.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		o.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(o.t.Context(), http.MethodPost, o.url, bytes.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	r.Header.Set("X-Amz-Date", "20260101T000000Z")
	r.Header.Set("Authorization",
		"AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/dynamodb/aws4_request, "+
			"SignedHeaders=host;x-amz-date, Signature=00")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &answer); err != nil && len(raw) > 0 {
		if resp.StatusCode != http.StatusInternalServerError {
			o.t.Fatalf("%s: %s: %v", operation, raw, err)
		}
		return nil, "crash", string(raw)
	}
	if resp.StatusCode == http.StatusOK {
		return answer, "", ""
	}
	kind, _ := answer["__type"].(string)
	message, _ = answer["message"].(string)
	if message == "" {
		message, _ = answer["Message"].(string)
	}
	return answer, kind[strings.LastIndexByte(kind, '#')+1:], message
}

// send is the same for the engine.
func (w *world) send(operation string, in members) (answer members, code, message string) {
	w.t.Helper()
	out, err := w.try("admin", operation, in)
	var e *request.Error
	if err != nil && !errors.As(err, &e) {
		w.t.Fatal(err)
	}
	if e == nil {
		return out, "", ""
	}
	out = members{}
	for name, raw := range e.Members {
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			w.t.Fatal(err)
		}
		out[name] = v
	}
	return out, e.Code, e.Message
}

func differential(t *testing.T) other {
	url := os.Getenv("DDBSEAL_DYNALITE")
	if url == "" {
		t.Skip("DDBSEAL_DYNALITE is not set: .ci/suite-dynalite starts dynalite and sets it")
	}
	return other{t, url}
}

// differentialSeed is the same in every run, unless DDBSEAL_DYNALITE_SEED has
// another, or "random" for a search for new differences.
func differentialSeed(t *testing.T) uint64 {
	switch text := os.Getenv("DDBSEAL_DYNALITE_SEED"); text {
	case "":
		return 22
	case "random":
		return rand.Uint64()
	default:
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return seed
	}
}

// settle waits until a table and its indexes are ACTIVE, or gone: dynalite
// changes them later.
func (o other) settle(table string) {
	o.t.Helper()
	for range 500 {
		out, code, _ := o.send("DescribeTable", members{"TableName": table})
		if b, _ := json.Marshal(out); code != "" || !bytes.Contains(b, []byte(`Status":"CREATING"`)) &&
			!bytes.Contains(b, []byte(`Status":"DELETING"`)) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	o.t.Fatalf("%s is never done", table)
}

const (
	diffHash  = "diff-hash"
	diffRange = "diff-range"
)

// diffTables are the tables of the comparison; the second has every index.
func diffTables() []members {
	attribute := func(name, kind string) members { return members{"AttributeName": name, "AttributeType": kind} }
	key := func(names ...string) []members {
		list := []members{{"AttributeName": names[0], "KeyType": "HASH"}}
		if len(names) > 1 {
			list = append(list, members{"AttributeName": names[1], "KeyType": "RANGE"})
		}
		return list
	}
	through := members{"ReadCapacityUnits": 10, "WriteCapacityUnits": 10}
	index := func(name, projection string, keys ...string) members {
		return members{"IndexName": name, "KeySchema": key(keys...),
			"Projection": members{"ProjectionType": projection}}
	}
	global := func(m members) members { m["ProvisionedThroughput"] = through; return m }
	include := index("gInclude", "INCLUDE", "h", "b")
	include["Projection"].(members)["NonKeyAttributes"] = []string{"v"}
	return []members{
		{"TableName": diffHash, "ProvisionedThroughput": through, "AttributeDefinitions": []members{attribute("pk", "S")}, "KeySchema": key("pk")},
		{"TableName": diffRange, "ProvisionedThroughput": through,
			"AttributeDefinitions":   []members{attribute("pk", "S"), attribute("sk", "N"), attribute("g", "S"), attribute("h", "N"), attribute("l", "S"), attribute("b", "B")},
			"KeySchema":              key("pk", "sk"),
			"LocalSecondaryIndexes":  []members{index("lAll", "ALL", "pk", "l"), index("lKeys", "KEYS_ONLY", "pk", "h")},
			"GlobalSecondaryIndexes": []members{global(index("gAll", "ALL", "g", "h")), global(index("gKeys", "KEYS_ONLY", "g")), global(include)}},
	}
}

// TestDifferentialRandom sends random requests to both and compares.
func TestDifferentialRandom(t *testing.T) {
	o := differential(t)
	seed := differentialSeed(t)
	requests := 4000
	if os.Getenv("DDBSEAL_HEAVY") != "" {
		requests = 40_000
	}
	t.Logf("seed %d, %d requests", seed, requests)
	w := newWorld(t)
	for _, in := range diffTables() {
		name := in["TableName"].(string)
		o.send("DeleteTable", members{"TableName": name})
		o.settle(name)
		if _, code, message := o.send("CreateTable", in); code != "" {
			t.Fatalf("CreateTable: %s: %s", code, message)
		}
		o.settle(name)
		w.do("CreateTable", in)
	}
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
	compared, refused, excused, texts := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	walked := 0
	for i := range requests {
		operation, in := g.request()
		got, code, message := w.send(operation, in)
		want, wantCode, wantMessage := o.send(operation, in)
		compared[operation]++
		if code != "" {
			refused[code]++
		}
		d := difference{operation: operation, in: in, got: got, want: want, code: code, wantCode: wantCode,
			wantMessage: wantMessage}
		if code != "" && code == wantCode && message != wantMessage {
			texts[operation+"\n ours:  "+message+"\n other: "+wantMessage]++
		}
		if d.diverges() {
			d.align(w, o)
			continue
		}
		if d.same() {
			if code == "" && (operation == "Query" || operation == "Scan") && in["Limit"] == nil &&
				in["ExclusiveStartKey"] == nil && g.odds(3) {
				walked++
				limit := 1 + g.IntN(3)
				if ours, theirs := pages(w.send, operation, in, limit),
					pages(o.send, operation, in, limit); ours != theirs {
					body, _ := json.Marshal(in)
					t.Errorf("request %d, pages of %d: %s %s\n ours:  %s\n other: %s", i, limit, operation, body, ours,
						theirs)
				}
			}
			continue
		}
		if reason := d.known(); reason != "" {
			excused[reason]++
			d.align(w, o)
			continue
		}
		body, _ := json.Marshal(in)
		t.Errorf("request %d: %s %s\n ours:  %s %s %s\n other: %s %s %s", i, operation, body, code, message, text(got),
			wantCode, wantMessage, text(want))
		if t.Failed() && i > requests/2 {
			break
		}
		d.align(w, o)
	}
	t.Logf("compared %v, refused %v, walked page by page %d", compared, refused, walked)
	for _, reason := range slices.Sorted(maps.Keys(excused)) {
		t.Logf("known difference, %d times: %s", excused[reason], reason)
	}
	if os.Getenv("DDBSEAL_DYNALITE_TEXTS") != "" {
		for _, pair := range slices.Sorted(maps.Keys(texts)) {
			t.Logf("%d × %s", texts[pair], pair)
		}
	}
	for _, operation := range []string{"PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan",
		"BatchGetItem", "BatchWriteItem"} {
		if compared[operation] == 0 {
			t.Errorf("%s was never compared", operation)
		}
	}
}

// pages is what all pages of a Query or Scan find together: counts, and the
// items in no order.
func pages(send func(string, members) (members, string, string), operation string, in members, limit int) string {
	in = maps.Clone(in)
	in["Limit"] = limit
	var count, scanned float64
	items := []any{}
	for range 1000 {
		answer, code, message := send(operation, in)
		if code != "" {
			return code + ": " + message
		}
		count += answer["Count"].(float64)
		scanned += answer["ScannedCount"].(float64)
		if list, ok := answer["Items"].([]any); ok {
			items = append(items, list...)
		}
		if answer["LastEvaluatedKey"] == nil {
			items = sortSets(items).([]any)
			sortList(items)
			return fmt.Sprintf("%v of %v: %s", count, scanned, jsonText(items))
		}
		in["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
	}
	return "pages without an end"
}

// difference is one request with both answers, without the engine's text: no
// difference is known by it.
type difference struct {
	operation      string
	in             members
	got, want      members
	code, wantCode string
	wantMessage    string
}

// same compares codes and answers, items of one page as a set where AWS
// promises no order.
func (d *difference) same() bool {
	if d.code != d.wantCode {
		return false
	}
	if d.code != "" {
		return true
	}
	return d.canonical(d.got) == d.canonical(d.want)
}

func (d *difference) canonical(answer members) string {
	b, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	var copied any
	if err := json.Unmarshal(b, &copied); err != nil {
		panic(err)
	}
	m := sortSets(copied).(map[string]any)
	if d.capacityDiffers() {
		delete(m, "ConsumedCapacity")
	}
	delete(m, "ItemCollectionMetrics") // dynalite has none
	if a, ok := m["Attributes"].(map[string]any); ok && len(a) == 0 {
		delete(m, "Attributes") // AWS leaves it out
	}
	if d.operation == "Scan" || d.in["IndexName"] != nil {
		sortList(m["Items"])
	}
	if responses, ok := m["Responses"].(map[string]any); ok {
		for _, list := range responses {
			sortList(list)
		}
	}
	if list, ok := m["ConsumedCapacity"].([]any); ok {
		sortList(list)
	}
	b, _ = json.Marshal(m)
	return string(b)
}

// capacityDiffers: dynalite charges writes nothing for indexes, pages that read
// nothing not even the minimum, and consistent scans like others; AWS documents
// all three.
func (d *difference) capacityDiffers() bool {
	switch d.operation {
	case "Query", "Scan", "BatchWriteItem":
		return true
	case "PutItem", "UpdateItem", "DeleteItem":
		return d.in["TableName"] != diffHash
	}
	return false
}

// copyAndChange: SET takes a value from elsewhere, and ADD or DELETE follows.
var copyAndChange = regexp.MustCompile(`SET .*= [a-z#].* (ADD|DELETE) `)

// diverges: updates that only remove make an item in dynalite; on AWS they do
// nothing where there is none. And a set that SET copied there shares what
// ADD and DELETE then change; AWS computes all values from the item before.
func (d *difference) diverges() bool {
	if text, ok := d.in["UpdateExpression"].(string); ok {
		return copyAndChange.MatchString(text) || !strings.Contains(text, "SET ") && !strings.Contains(text, "ADD ")
	}
	updates, ok := d.in["AttributeUpdates"].(members)
	for _, u := range updates {
		ok = ok && u.(members)["Action"] == "DELETE"
	}
	return ok
}

// sortSets puts the elements of sets, which have no order, into one.
func sortSets(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, e := range v {
			v[name] = sortSets(e)
			if name == "SS" || name == "NS" || name == "BS" {
				sortList(e)
			}
		}
	case []any:
		for i := range v {
			v[i] = sortSets(v[i])
		}
	}
	return v
}

func sortList(v any) {
	list, _ := v.([]any)
	slices.SortFunc(list, func(a, b any) int {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		return bytes.Compare(x, y)
	})
}

// align deletes at both what a differing write touched, so that one difference
// does not make others.
func (d *difference) align(w *world, o other) {
	for table, keys := range writtenKeys(d.operation, d.in) {
		for _, key := range keys {
			in := members{"TableName": table, "Key": key}
			w.send("DeleteItem", in)
			o.send("DeleteItem", in)
		}
	}
}

func writtenKeys(operation string, in members) map[string][]members {
	keyOf := func(table string, it members) members {
		key := members{}
		for _, name := range []string{"pk", "sk"} {
			if v, ok := it[name]; ok && (name == "pk" || table == diffRange) {
				key[name] = v
			}
		}
		return key
	}
	out := map[string][]members{}
	table, _ := in["TableName"].(string)
	switch operation {
	case "PutItem":
		out[table] = []members{keyOf(table, in["Item"].(members))}
	case "UpdateItem", "DeleteItem":
		out[table] = []members{keyOf(table, in["Key"].(members))}
	case "BatchWriteItem":
		for table, list := range in["RequestItems"].(members) {
			for _, r := range list.([]members) {
				if put, ok := r["PutRequest"].(members); ok {
					out[table] = append(out[table], keyOf(table, put["Item"].(members)))
				}
				if remove, ok := r["DeleteRequest"].(members); ok {
					out[table] = append(out[table], keyOf(table, remove["Key"].(members)))
				}
			}
		}
	}
	return out
}
