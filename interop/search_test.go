// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/peer"
	"github.com/ddbseal/ddbseal/store/migrate"
	"github.com/ddbseal/ddbseal/store/transparent"
)

func valueS(v string) types.AttributeValue     { return &types.AttributeValueMemberS{Value: v} }
func valueN(n int) types.AttributeValue        { return &types.AttributeValueMemberN{Value: strconv.Itoa(n)} }
func valueSS(v ...string) types.AttributeValue { return &types.AttributeValueMemberSS{Value: v} }

// patient is an item in plaintext. The computed signed beacon wardYear is not
// part of it.
type patient struct {
	id, tenant, number, former, name, ward, tag string
	year, age                                   int
}

func (p patient) item() envelope.Item {
	return envelope.Item{"pk": valueS(p.id), "tenant": valueS(p.tenant), "number": valueS(p.number),
		"former": valueS(p.former), "name": valueS(p.name),
		"ward": valueS(p.ward), "year": valueN(p.year), "age": valueN(p.age), "tags": valueSS("all", p.tag)}
}

// patients returns 24 patients of a tenant with each combination of values.
func patients(writer, tenant string) (out []patient) {
	for i := range 24 {
		out = append(out, patient{id: fmt.Sprintf("%s of %s %02d", writer, tenant, i), tenant: tenant,
			number: strconv.Itoa(4711 + i%4), former: strconv.Itoa(4711 + i%7),
			name: []string{"ada", "alan", "grace"}[i%3],
			ward: []string{"north", "south"}[i/12], year: 1984 + i%2, age: 30 + i%5, tag: "tag " + strconv.Itoa(i%6)})
	}
	return out
}

// request is a search in terms of plaintext, and the patients that it finds.
type request struct {
	Index        string          `json:"index,omitempty"`
	KeyCondition string          `json:"keyCondition,omitempty"`
	Filter       string          `json:"filter,omitempty"`
	Values       envelope.Item   `json:"-"`
	Sent         json.RawMessage `json:"values"`
	finds        func(patient) bool
}

// searches are those that the official libraries answer rightly: they do not
// resolve compound beacons through placeholders, ignore parentheses after NOT, and
// take a name such as initial for IN and itial.
func searches(tenant string) []request {
	return []request{
		{Index: "byNumber", KeyCondition: "number = :n", Filter: "tenant = :t",
			Values: envelope.Item{":n": valueS("4711")}, finds: func(p patient) bool { return p.number == "4711" }},
		{Index: "byNumber", KeyCondition: "number = :n", Filter: "tenant = :t AND letter = :i",
			Values: envelope.Item{":n": valueS("4711"), ":i": valueS("A")},
			finds:  func(p patient) bool { return p.number == "4711" && p.name[0] == 'a' }},
		{Index: "byYearNumber", KeyCondition: "yearNumber = :c", Filter: "tenant = :t",
			Values: envelope.Item{":c": valueS("Y-1985|N-4712")},
			finds:  func(p patient) bool { return p.year == 1985 && p.number == "4712" }},
		{Index: "byTenant", KeyCondition: "tenantNumber = :c", Filter: "tenant = :t",
			Values: envelope.Item{":c": valueS("T-" + tenant + "|N-4713")},
			finds:  func(p patient) bool { return p.number == "4713" }},
		{Index: "byWard", KeyCondition: "ward = :w AND begins_with(yearNumber, :c)", Filter: "tenant = :t",
			Values: envelope.Item{":w": valueS("south"), ":c": valueS("Y-1984|N-")},
			finds:  func(p patient) bool { return p.ward == "south" && p.year == 1984 }},
		{Filter: "tenant = :t AND contains(tags, :g)", Values: envelope.Item{":g": valueS("tag 3")},
			finds: func(p patient) bool { return p.tag == "tag 3" }},
		{Filter: "tenant = :t AND age IN (:a, :b)", Values: envelope.Item{":a": valueN(31), ":b": valueN(34)},
			finds: func(p patient) bool { return p.age == 31 || p.age == 34 }},
		{Filter: "tenant = :t AND (number = :n OR letter = :i)",
			Values: envelope.Item{":n": valueS("4714"), ":i": valueS("G")},
			finds:  func(p patient) bool { return p.number == "4714" || p.name == "grace" }},
		{Filter: "tenant = :t AND (number = :n OR former = :n)", Values: envelope.Item{":n": valueS("4713")},
			finds: func(p patient) bool { return p.number == "4713" || p.former == "4713" }},
		{Filter: "tenant = :t AND begins_with(wardYear, :w)", Values: envelope.Item{":w": valueS("W-north|Y-1985")},
			finds: func(p patient) bool { return p.ward == "north" && p.year == 1985 }},
	}
}

// searchConfig has beacons of every kind.
func searchConfig(keys itemconfig.BeaconKeySource) *itemconfig.Search {
	signed := map[string]itemconfig.Part{"year": {Name: "year", Prefix: "Y-"}, "ward": {Name: "ward", Prefix: "W-"},
		"tenant": {Name: "tenant", Prefix: "T-"}}
	encrypted := []itemconfig.Part{{Name: "number", Prefix: "N-"}}
	return &itemconfig.Search{
		StandardBeacons: []itemconfig.StandardBeacon{{Name: "number", Length: 16}, {Name: "letter", Length: 3},
			{Name: "tags", Length: 9, Style: &itemconfig.Style{AsSet: &struct{}{}}}, {Name: "age", Length: 5},
			{Name: "former", Length: 16, Style: &itemconfig.Style{Shared: &itemconfig.Shared{Other: "number"}}}},
		VirtualFields: []itemconfig.VirtualField{{Name: "letter", Parts: []itemconfig.VirtualPart{{Loc: "name",
			Trans: []itemconfig.Transform{{Prefix: &itemconfig.Length{Length: 1}}, {Upper: &struct{}{}}}}}}},
		CompoundBeacons: []itemconfig.CompoundBeacon{
			{Name: "yearNumber", Split: "|", Signed: []itemconfig.Part{signed["year"]}, Encrypted: encrypted},
			{Name: "tenantNumber", Split: "|", Signed: []itemconfig.Part{signed["tenant"]}, Encrypted: encrypted},
			{Name: "wardYear", Split: "|", Signed: []itemconfig.Part{signed["ward"], signed["year"]}}},
		KeySource: keys,
	}
}

// searched is a table with indexes on beacons that both sides write and search.
type searched struct {
	*cloud
	table   string
	search  *itemconfig.Search
	written []patient
}

// TestSearch has a program with the official interceptor and a Go program with
// the transparent client write items with beacons to one table, and both find all
// of them. Under one branch key, and under one for each tenant.
func TestSearch(t *testing.T) {
	eachPeer(t, searching, func(t *testing.T, c *cloud) {
		tenants := c.tenants(t)
		t.Run("one branch key", func(t *testing.T) {
			s := c.searchTable(t, "single", searchConfig(c.beaconKeys(itemconfig.BeaconKeySource{KeyID: tenants[0]})))
			s.write(t, tenants[0])
			s.find(t, tenants[0])
			s.verify(t, tenants[0])
		})
		t.Run("branch keys of tenants", func(t *testing.T) {
			s := c.searchTable(t, "multi",
				searchConfig(c.beaconKeys(itemconfig.BeaconKeySource{KeyFieldName: "tenant"})))
			for _, tenant := range tenants {
				s.write(t, tenant)
			}
			for _, tenant := range tenants {
				s.find(t, tenant)
			}
		})
	})
}

// TestSearchPartitions is TestSearch with partitioned beacons, which each side
// draws the partitions of.
func TestSearchPartitions(t *testing.T) {
	eachPeer(t, partitioned, func(t *testing.T, c *cloud) {
		tenant := c.tenants(t)[0]
		config := searchConfig(c.beaconKeys(itemconfig.BeaconKeySource{KeyID: tenant}))
		config.MaximumNumberOfPartitions, config.DefaultNumberOfPartitions = 5, 4
		for i, n := range []int{2, 3, 1, 0, 2} { // 0 is the default
			config.StandardBeacons[i].NumberOfPartitions = n
		}
		s := c.searchTable(t, "partitioned", config)
		s.write(t, tenant)
		s.find(t, tenant)
		s.verify(t, tenant)
	})
}

// tenants have branch keys with beacon keys that each side made.
func (c *cloud) tenants(t *testing.T) []string {
	t.Helper()
	ours, err := c.store.CreateKey(t.Context(),
		keystore.CreateKeyInput{BranchKeyID: "made-here", EncryptionContext: map[string]string{"tenant": "é"}})
	if err != nil {
		t.Fatal(err)
	}
	c.theirStore(t, "create-key", "made-by-them")
	return []string{ours, "made-by-them"}
}

func (c *cloud) beaconKeys(k itemconfig.BeaconKeySource) itemconfig.BeaconKeySource {
	k.Table, k.LogicalName, k.KMSKeyID = storeTable, logicalName, c.keyARN
	return k
}

func (c *cloud) searchTable(t *testing.T, table string, config *itemconfig.Search) *searched {
	t.Helper()
	hash, sort := types.KeyTypeHash, types.KeyTypeRange
	in := &dynamodb.CreateTableInput{TableName: &table, BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: hash}}}
	for _, name := range []string{"pk", "ward", "aws_dbe_b_number", "aws_dbe_b_yearNumber", "aws_dbe_b_tenantNumber"} {
		in.AttributeDefinitions = append(in.AttributeDefinitions,
			types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS})
	}
	for index, keys := range map[string][]string{"byNumber": {"aws_dbe_b_number"},
		"byYearNumber": {"aws_dbe_b_yearNumber"}, "byTenant": {"aws_dbe_b_tenantNumber"},
		"byWard": {"ward", "aws_dbe_b_yearNumber"}} {
		g := types.GlobalSecondaryIndex{IndexName: aws.String(index),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}
		for i, key := range keys {
			g.KeySchema = append(g.KeySchema, types.KeySchemaElement{AttributeName: aws.String(key),
				KeyType: []types.KeyType{hash, sort}[i]})
		}
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, g)
	}
	if _, err := c.ddb.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	return &searched{cloud: c, table: table, search: config}
}

// config is that of a program that works for a tenant.
func (s *searched) config(tenant string) *itemconfig.Config {
	return &itemconfig.Config{Table: "logical", PartitionKey: "pk", Keyring: s.hierarchical(tenant), Search: s.search,
		AttributeActions: map[string]envelope.Action{"pk": envelope.SignOnly, "tenant": envelope.SignOnly,
			"ward": envelope.SignOnly, "year": envelope.SignOnly, "number": envelope.EncryptAndSign,
			"former": envelope.EncryptAndSign,
			"name":   envelope.EncryptAndSign, "tags": envelope.EncryptAndSign, "age": envelope.EncryptAndSign}}
}

// open makes a plain client that encrypts and searches for a tenant.
func (s *searched) open(t *testing.T, tenant string) (*dynamodb.Client, *envelope.ItemEncryptor) {
	t.Helper()
	e := s.encryptor(t, s.config(tenant))
	client, err := transparent.New(map[string]*envelope.ItemEncryptor{s.table: e})
	if err != nil {
		t.Fatal(err)
	}
	return dynamodb.New(s.ddb.Options(), client.Install), e
}

func (s *searched) they(t *testing.T, op, tenant string, more map[string]any) map[string]json.RawMessage {
	t.Helper()
	request := map[string]any{"op": op, "tableName": s.table, "config": s.config(tenant)}
	maps.Copy(request, more)
	answer, err := s.peer.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", s.peer.Name, op, err)
	}
	return answer
}

// write has each side put half of a tenant's patients.
func (s *searched) write(t *testing.T, tenant string) {
	t.Helper()
	client, _ := s.open(t, tenant)
	for _, p := range patients("theirs", tenant) {
		s.they(t, "table-put", tenant, map[string]any{"item": ddb(t, p.item())})
		s.written = append(s.written, p)
	}
	for _, p := range patients("ours", tenant) {
		in := &dynamodb.PutItemInput{TableName: &s.table, Item: p.item()}
		if _, err := client.PutItem(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		s.written = append(s.written, p)
	}
}

// find has each side search all items of a tenant.
func (s *searched) find(t *testing.T, tenant string) {
	t.Helper()
	client, e := s.open(t, tenant)
	for _, r := range searches(tenant) {
		r.Values = maps.Clone(r.Values)
		r.Values[":t"] = valueS(tenant)
		want := map[string]envelope.Item{}
		for _, p := range s.written {
			if p.tenant == tenant && r.finds(p) {
				want[p.id] = p.item()
			}
		}
		if len(want) < 4 {
			t.Fatalf("%+v finds %d items", r, len(want))
		}
		what := fmt.Sprintf("%s, %s %s", tenant, r.KeyCondition, r.Filter)
		var ours, theirs []envelope.Item
		here, there := s.queries(t, tenant, r, e)
		for partition := range here {
			ours = append(ours, s.weSearch(t, client, s.inPartition(r, partition))...)
		}
		for partition := range there {
			theirs = append(theirs, s.theySearch(t, tenant, s.inPartition(r, partition))...)
		}
		if there > here { // each query finds all of them
			theirs = theirs[:len(theirs)/there]
		}
		s.compare(t, what+" here", ours, want)
		s.compare(t, what+" by "+s.peer.Name, theirs, want)
	}
}

// inPartition returns a request for one of several queries.
func (s *searched) inPartition(r request, partition int) request {
	if r.KeyCondition != "" && s.search.MaximumNumberOfPartitions > 1 {
		r.Values = maps.Clone(r.Values)
		r.Values[search.PartitionValue] = valueN(partition)
	}
	return r
}

// queries returns the number of queries that a search takes here and there. They
// differ if the key condition hashes nothing: the official library counts the
// bare prefix of an encrypted part.
func (s *searched) queries(t *testing.T, tenant string, r request, e *envelope.ItemEncryptor) (here, there int) {
	t.Helper()
	if r.KeyCondition == "" || s.search.MaximumNumberOfPartitions <= 1 {
		return 1, 1
	}
	plan, err := search.New(e.Search(), []string{"pk", "tenant", "ward", "year"}).Plan(search.Request{
		Operation: search.Query, KeyCondition: &r.KeyCondition, Filter: &r.Filter, Values: r.Values})
	if err != nil {
		t.Fatal(err)
	}
	here = plan.Queries()
	r.Sent = ddb(t, r.Values)
	answer := s.they(t, "number-of-queries", tenant, map[string]any{"request": r})
	if err := json.Unmarshal(answer["queries"], &there); err != nil {
		t.Fatal(err)
	}
	want := 2 // the partitions of number
	if there != want || here != want && r.Index != "byWard" || here != 1 && r.Index == "byWard" {
		t.Errorf("%s: %d queries here, %d by %s", r.KeyCondition, here, there, s.peer.Name)
	}
	return here, there
}

func (s *searched) theySearch(t *testing.T, tenant string, r request) (found []envelope.Item) {
	t.Helper()
	r.Sent = ddb(t, r.Values)
	var items []json.RawMessage
	answer := s.they(t, "table-search", tenant, map[string]any{"request": r})
	if err := json.Unmarshal(answer["items"], &items); err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		opened, err := ddbjson.Unmarshal(item)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, opened)
	}
	return found
}

func (s *searched) weSearch(t *testing.T, client *dynamodb.Client, r request) (found []envelope.Item) {
	t.Helper()
	if r.KeyCondition == "" {
		pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &s.table, FilterExpression: &r.Filter,
			ExpressionAttributeValues: r.Values})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", r.Filter, err)
			}
			found = append(found, page.Items...)
		}
		return found
	}
	pages := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{TableName: &s.table, IndexName: &r.Index,
		KeyConditionExpression: &r.KeyCondition, FilterExpression: &r.Filter, ExpressionAttributeValues: r.Values,
		Limit: aws.Int32(7)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", r.KeyCondition, err)
		}
		found = append(found, page.Items...)
	}
	return found
}

// compare compares what was found with what was written, each item once.
func (s *searched) compare(t *testing.T, what string, found []envelope.Item, want map[string]envelope.Item) {
	t.Helper()
	seen := map[string]bool{}
	for _, item := range found {
		id := item["pk"].(*types.AttributeValueMemberS).Value
		delete(item, "wardYear")
		if seen[id] || !peer.EqualItems(item, want[id]) {
			t.Errorf("%s: %s was found twice, is not the item that was written, or should not be found", what, id)
		}
		seen[id] = true
		results.count(s.direction, s.peer.Name)
	}
	if len(seen) != len(want) {
		t.Errorf("%s: found %q, want %q", what, slices.Sorted(maps.Keys(seen)), slices.Sorted(maps.Keys(want)))
	}
}

// verify compares every beacon in the table with that of the item's plaintext.
func (s *searched) verify(t *testing.T, tenant string) {
	t.Helper()
	_, e := s.open(t, tenant)
	m, err := migrate.New(migrate.Config{Client: s.ddb, Table: s.table, ID: "verify", CheckpointTable: "none", To: e})
	if err != nil {
		t.Fatal(err)
	}
	report, err := m.VerifyBeacons(context.WithoutCancel(t.Context()))
	if err != nil || int(report.Counts.Current) != len(s.written) {
		t.Errorf("beacons of %d items: %+v, %v", len(s.written), report, err)
	}
}

// ddb returns an item in DynamoDB JSON.
func ddb(t *testing.T, item envelope.Item) json.RawMessage {
	t.Helper()
	out, err := ddbjson.Marshal(item)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
