// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/guregu/dynamo/v2"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/transparent"
)

// patients is the table of the tests of searching: key id, an index on the beacon
// of number and the signed beacon ward_id, and one of keys only.
const patients = "patients"

var patientActions = map[string]envelope.Action{"id": envelope.SignOnly, "ward": envelope.SignOnly,
	"number": envelope.EncryptAndSign, "name": envelope.EncryptAndSign, "tags": envelope.EncryptAndSign,
	"doc": envelope.EncryptAndSign, "note": envelope.DoNothing}

// patientSearch has beacons of two bits, so that collisions are the rule.
func patientSearch(t testing.TB) *beacon.Config {
	t.Helper()
	keys := &keyring.MemorySource{}
	ok(t, keys.AddBeaconKey(materials.NewBeaconKey("clinic", [32]byte{1, 2, 3})))
	return &beacon.Config{
		Standard: []beacon.Standard{{Name: "number", Length: 2}, {Name: "name", Length: 2},
			{Name: "tags", Length: 2, Style: beacon.AsSet}},
		Compound: []beacon.Compound{
			{Name: "ward_id", Split: '|', Signed: []beacon.SignedPart{{Name: "ward", Prefix: "W-"},
				{Name: "id", Prefix: "I-"}}},
			{Name: "ward_name", Split: '|', Signed: []beacon.SignedPart{{Name: "ward", Prefix: "W-"}},
				Encrypted: []beacon.EncryptedPart{{Name: "name", Prefix: "N-"}}},
		},
		Keys: beacon.KeySource{Source: keys, BranchKeyID: "clinic", Lifetime: time.Hour},
	}
}

// searchable adds the table patients to a world, and makes its clients search in
// it. The plain table of the world gets an index of the same kind.
func (w *world) searchable(t testing.TB, config envelope.Config) {
	t.Helper()
	config.LogicalTableName, config.PartitionKey = "patients", "id"
	config.AlgorithmSuite = envelope.SuiteSymmetricSignature
	config.AllowedUnsigned = append(config.AllowedUnsigned, "note")
	if config.Actions == nil {
		config.Actions = patientActions
	}
	if config.Keyring == nil {
		config.Keyring = w.keyring
	}
	e, err := envelope.NewItemEncryptor(config)
	ok(t, err)
	w.sealing, err = transparent.New(map[string]*envelope.ItemEncryptor{patients: e})
	ok(t, err)
	watched := w.config.Copy()
	watched.HTTPClient = w.wire
	w.client = dynamodb.NewFromConfig(watched, w.sealing.Install)
	attribute := func(names ...string) (out []types.AttributeDefinition) {
		for _, name := range names {
			out = append(out, types.AttributeDefinition{AttributeName: &name,
				AttributeType: types.ScalarAttributeTypeS})
		}
		return out
	}
	key := func(names ...string) (out []types.KeySchemaElement) {
		for i, name := range names {
			out = append(out, types.KeySchemaElement{AttributeName: &name,
				KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]})
		}
		return out
	}
	indexes := []types.GlobalSecondaryIndex{
		{IndexName: aws.String("numbers"), KeySchema: key("aws_dbe_b_number", "ward_id"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}},
		{IndexName: aws.String("keys"), KeySchema: key("aws_dbe_b_name"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}},
	}
	_, err = w.raw.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: aws.String(patients),
		BillingMode: types.BillingModePayPerRequest, KeySchema: key("id"), GlobalSecondaryIndexes: indexes,
		AttributeDefinitions: attribute("id", "aws_dbe_b_number", "aws_dbe_b_name", "ward_id")})
	ok(t, err)
}

func newSearchable(t testing.TB) *world {
	w := newWorld(t)
	w.searchable(t, envelope.Config{Search: patientSearch(t)})
	return w
}

// patientItem makes an item. Some lack attributes.
func patientItem(i int) envelope.Item {
	out := envelope.Item{"id": s(fmt.Sprintf("p%02d", i)), "ward": s(string(rune('A' + i%3))), "number": n(i % 7),
		"name": s(fmt.Sprintf("name%d", i%5)), "note": s(fmt.Sprint("n", i%2))}
	if i%4 != 0 {
		out["tags"] = &types.AttributeValueMemberSS{Value: []string{fmt.Sprint("t", i%3), fmt.Sprint("u", i%4)}}
	}
	if i%11 == 0 {
		delete(out, "name")
	}
	return out
}

// admit writes patients to the encrypted table, and as they are to the plain one
// with the plaintext of their beacons.
func (w *world) admit(t testing.TB, count int) {
	t.Helper()
	for i := range count {
		_, err := w.client.PutItem(t.Context(),
			&dynamodb.PutItemInput{TableName: aws.String(patients), Item: patientItem(i)})
		ok(t, err)
		model := patientItem(i)
		model["ward_id"] = s("W-" + text(model["ward"]) + "|I-" + text(model["id"]))
		if name, has := model["name"]; has {
			model["ward_name"] = s("W-" + text(model["ward"]) + "|N-" + text(name))
		}
		_, err = w.raw.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(plain), Item: model})
		ok(t, err)
	}
}

func text(v types.AttributeValue) string { return v.(*types.AttributeValueMemberS).Value }

func ids(found []envelope.Item) []string {
	var out []string
	for _, i := range found {
		out = append(out, text(i["id"]))
	}
	slices.Sort(out)
	return out
}

// searches are filters that beacons serve.
var searches = []string{
	"number = :three", ":three = number", "#x = :three", "number IN (:three, :four)",
	"contains(tags, :t)", "NOT contains(tags, :t)", "ward_name <> :wn OR number = :three",
	"number = :three OR name = :name", "NOT number = :three", "NOT (number = :three OR ward = :a)",
	"NOT (number = :three AND ward = :a)", "attribute_not_exists(name) OR name = :name",
	"attribute_exists(ward_name) AND number = :four", "ward_name = :wn", "begins_with(ward_name, :w)",
	"begins_with(ward_name, :wp) AND NOT number = :three", "ward_name IN (:wn, :wn2)", "ward_id = :wi OR number = :four",
	"begins_with(ward_id, :w) AND number = :three", "note = :n1 AND name = :name", "number = :three AND size(note) = :two",
}

var searchValues = envelope.Item{":three": n(3), ":four": n(4), ":t": s("t1"), ":name": s("name2"), ":a": s("A"),
	":w": s("W-B"), ":wn": s("W-B|N-name2"), ":wp": s("W-B|N-"), ":wn2": s("W-C|N-name3"), ":wi": s("W-A|I-p03"),
	":n1": s("n1"), ":two": n(2)}

// usedIn returns the values that an expression uses.
func usedIn(expression string) envelope.Item {
	out := envelope.Item{}
	for name, v := range searchValues {
		if regexp.MustCompile(name + `\b`).MatchString(expression) {
			out[name] = v
		}
	}
	return out
}

// TestSearchScans compares each search with DynamoDB's own answer over plaintext
// items: page by page, as a count, and with a projection. No value of an encrypted
// attribute leaves the client.
//
// guarantees: E12
func TestSearchScans(t *testing.T) {
	w := newSearchable(t)
	ctx := t.Context()
	w.admit(t, 40)
	for _, filter := range searches {
		in := dynamodb.ScanInput{TableName: aws.String(plain), FilterExpression: aws.String(spelled(filter)),
			ExpressionAttributeValues: usedIn(filter)}
		in.ExpressionAttributeNames = usedNames(*in.FilterExpression, map[string]string{"#n": "name", "#x": "number"})
		want, err := w.raw.Scan(ctx, &in)
		ok(t, err)
		if len(filter)%2 == 0 { // the names as they are, which the rewriting accepts
			in.FilterExpression = &filter
			in.ExpressionAttributeNames = usedNames(filter, map[string]string{"#x": "number"})
		}
		in.TableName = aws.String(patients)
		before := fmt.Sprint(in.ExpressionAttributeValues, in.ExpressionAttributeNames)
		got, err := w.client.Scan(ctx, &in)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if !slices.Equal(ids(want.Items), ids(got.Items)) || int(got.Count) != len(got.Items) ||
			got.ScannedCount != 40 {
			t.Errorf("%s: %v, want %v; count %d of %d", filter, ids(got.Items), ids(want.Items), got.Count,
				got.ScannedCount)
		}
		if after := fmt.Sprint(in.ExpressionAttributeValues, in.ExpressionAttributeNames); after != before {
			t.Errorf("%s: the caller's request was changed", filter)
		}
		if sent := *w.wire.last.Load(); strings.Contains(sent, "name2") || strings.Contains(sent, `{"N":"3"}`) ||
			strings.Contains(sent, `"t1"`) {
			t.Errorf("%s: sent %s", filter, sent)
		}
		for _, item := range got.Items {
			for name := range item {
				if beacon.Stored(name) {
					t.Errorf("%s: an item has %s", filter, name)
				}
			}
		}
		count := in
		count.Select = types.SelectCount
		counted, err := w.client.Scan(ctx, &count)
		if err != nil || counted.Count != want.Count || counted.Items != nil {
			t.Errorf("%s: count %v, want %d: %v", filter, counted, want.Count, err)
		}
		paged := in
		paged.Limit, paged.ProjectionExpression = aws.Int32(7), aws.String("id, tags[0], note")
		var found []envelope.Item
		for p := dynamodb.NewScanPaginator(w.client, &paged); p.HasMorePages(); {
			page, err := p.NextPage(ctx)
			ok(t, err)
			if page.ScannedCount > 7 || int(page.Count) != len(page.Items) {
				t.Errorf("%s: a page of %d from %d", filter, page.Count, page.ScannedCount)
			}
			found = append(found, page.Items...)
		}
		if !slices.Equal(ids(want.Items), ids(found)) {
			t.Errorf("%s by pages: %v, want %v", filter, ids(found), ids(want.Items))
		}
		for _, item := range found {
			if len(item) != 2 {
				t.Errorf("%s: projection %v", filter, item)
			}
		}
	}
}

// spelled writes the names that DynamoDB reserves by placeholders.
func spelled(filter string) string {
	return regexp.MustCompile(`(^|[ (])(name|number)\b`).ReplaceAllStringFunc(filter, func(match string) string {
		return strings.NewReplacer("name", "#n", "number", "#x").Replace(match)
	})
}

func usedNames(expression string, names map[string]string) map[string]string {
	var out map[string]string
	for placeholder, name := range names {
		if strings.Contains(expression, placeholder) {
			if out == nil {
				out = map[string]string{}
			}
			out[placeholder] = name
		}
	}
	return out
}

// TestSearchQueries: a Query of an index on a beacon, by an expression and by the
// legacy parameter, page by page.
func TestSearchQueries(t *testing.T) {
	w := newSearchable(t)
	ctx := t.Context()
	w.admit(t, 40)
	want := map[string][]string{}
	for i := range 40 {
		if i%7 == 3 {
			want[""] = append(want[""], fmt.Sprintf("p%02d", i))
			if i%3 == 1 {
				want["B"] = append(want["B"], fmt.Sprintf("p%02d", i))
			}
		}
	}
	legacy := map[string]types.Condition{"number": {ComparisonOperator: types.ComparisonOperatorEq,
		AttributeValueList: []types.AttributeValue{n(3)}}}
	for what, in := range map[string]dynamodb.QueryInput{
		"": {KeyConditionExpression: aws.String("#n = :n"), ExpressionAttributeValues: envelope.Item{":n": n(3)},
			ExpressionAttributeNames: map[string]string{"#n": "number"}},
		"B": {KeyConditionExpression: aws.String("#n = :n AND begins_with(ward_id, :w)"),
			ExpressionAttributeNames:  map[string]string{"#n": "number"},
			ExpressionAttributeValues: envelope.Item{":n": n(3), ":w": s("W-B|")}},
		"legacy": {KeyConditions: legacy},
	} {
		in.TableName, in.IndexName, in.Limit = aws.String(patients), aws.String("numbers"), aws.Int32(3)
		var found []envelope.Item
		for p := dynamodb.NewQueryPaginator(w.client, &in); p.HasMorePages(); {
			page, err := p.NextPage(ctx)
			ok(t, err)
			if len(page.LastEvaluatedKey) > 0 && page.LastEvaluatedKey["aws_dbe_b_number"] == nil {
				t.Errorf("%s: next key %v", what, page.LastEvaluatedKey)
			}
			found = append(found, page.Items...)
		}
		expected := want[strings.TrimPrefix(what, "legacy")]
		if !slices.Equal(ids(found), expected) {
			t.Errorf("%q: %v, want %v", what, ids(found), expected)
		}
	}
	var found []struct {
		ID string `dynamo:"id"`
	}
	table := dynamo.NewFromIface(w.client).Table(patients)
	ok(t, table.Get("number", 3).Index("numbers").Filter("'ward' = ?", "B").All(ctx, &found))
	if len(found) != len(want["B"]) {
		t.Errorf("guregu/dynamo: %v", found)
	}
	// A request that no beacon serves is answered as before.
	all, err := w.client.Query(ctx, &dynamodb.QueryInput{TableName: aws.String(patients), Select: types.SelectCount,
		KeyConditionExpression: aws.String("id = :i"), FilterExpression: aws.String("attribute_exists(tags)"),
		ExpressionAttributeValues: envelope.Item{":i": s("p01")}})
	if err != nil || all.Count != 1 || !strings.Contains(*w.wire.last.Load(), `"Select":"COUNT"`) {
		t.Errorf("a query by key: %v, %v", all, err)
	}
	_, err = w.client.Query(ctx, &dynamodb.QueryInput{TableName: aws.String(patients), IndexName: aws.String("keys"),
		KeyConditionExpression:    aws.String("#n = :n"),
		ExpressionAttributeNames:  map[string]string{"#n": "name"},
		ExpressionAttributeValues: envelope.Item{":n": s("name1")}})
	if !errors.Is(err, store.ErrPartialItem) {
		t.Errorf("an index of keys only: %v", err)
	}
	w.forge(t, patients, envelope.Item{"id": s("p03")})
	if _, err := w.client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(patients),
		FilterExpression:          aws.String("attribute_exists(ward_name) OR number = :n"),
		ExpressionAttributeValues: envelope.Item{":n": n(3)}}); !errors.Is(err, envelope.ErrTampered) {
		t.Errorf("an item that does not open: %v", err)
	}
}

// TestSearchWrites: every put writes beacons, no read returns them, and conditions
// on encrypted attributes stay refused.
func TestSearchWrites(t *testing.T) {
	w := newSearchable(t)
	ctx := t.Context()
	put := func(i int) error {
		_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(patients), Item: patientItem(i)})
		return err
	}
	ok(t, put(1))
	w.faults(t, localaws.Fault{Kind: localaws.FaultUnprocessed, Operation: "BatchWriteItem", Skip: 1, Count: 1})
	written, err := w.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{patients: {{PutRequest: &types.PutRequest{Item: patientItem(2)}},
			{PutRequest: &types.PutRequest{Item: patientItem(3)}}}}})
	ok(t, err)
	left := written.UnprocessedItems[patients]
	if len(left) != 1 || left[0].PutRequest.Item["aws_dbe_b_number"] != nil {
		t.Fatalf("unprocessed: %v", left)
	}
	w.faults(t)
	_, err = w.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: written.UnprocessedItems})
	ok(t, err)
	ok(t, transact(ctx, w.client, nil, types.TransactWriteItem{Put: &types.Put{TableName: aws.String(patients),
		Item: patientItem(5)}}))
	raw := w.rawItems(t, patients)
	if len(raw) != 4 {
		t.Fatalf("%d items", len(raw))
	}
	for _, item := range raw {
		for _, name := range []string{"aws_dbe_b_number", "aws_dbe_b_name", "aws_dbe_b_tags", "aws_dbe_b_ward_name",
			"ward_id"} {
			if item[name] == nil {
				t.Errorf("%s has no %s", text(item["id"]), name)
			}
		}
	}
	want := patientItem(1)
	want["ward_id"] = s("W-B|I-p01")
	got, err := w.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(patients),
		Key: envelope.Item{"id": s("p01")}})
	ok(t, err)
	same(t, "get", want, got.Item)
	old, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(patients), Item: patientItem(1),
		ReturnValues: types.ReturnValueAllOld})
	ok(t, err)
	same(t, "old values", want, old.Attributes)
	for _, condition := range []string{"#a = :v", "aws_dbe_b_number = :v", "#a IN (:v)", "ward_name = :v"} {
		_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(patients), Item: patientItem(1),
			ConditionExpression: &condition, ExpressionAttributeValues: envelope.Item{":v": n(1)},
			ExpressionAttributeNames: usedNames(condition, map[string]string{"#a": "number"})})
		if !errors.Is(err, store.ErrEncryptedAttribute) && !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("%s: %v", condition, err)
		}
	}
}

// TestSearchRefusals: a search that no beacon serves is refused by name before it
// is sent.
func TestSearchRefusals(t *testing.T) {
	w := newSearchable(t)
	ctx := t.Context()
	for filter, want := range map[string]error{
		"doc = :v": store.ErrEncryptedAttribute, "number > :v": search.ErrUnsearchable,
		"begins_with(name, :v)": search.ErrUnsearchable, "doc.a = :v": search.ErrUnsearchable,
		"name = number AND ward = :v": search.ErrUnsearchable, "size(name) = :v": search.ErrUnsearchable,
		"number = :v AND ward = :v": search.ErrUnsearchable, "misspelt = :v": envelope.ErrConfiguration,
		"number = ": envelope.ErrConfiguration,
	} {
		calls := w.wire.calls.Load()
		_, err := w.client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(patients), FilterExpression: &filter,
			ExpressionAttributeValues: envelope.Item{":v": s("classified")}})
		var own *transparent.Error
		if !errors.Is(err, want) || !errors.As(err, &own) || own.Table != patients || own.Operation != "Scan" ||
			strings.Contains(err.Error(), "classified") || w.wire.calls.Load() != calls {
			t.Errorf("%s: %v", filter, err)
		}
	}
	refused := func(what string, err, want error) {
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	condition := map[string]types.Condition{"number": {ComparisonOperator: types.ComparisonOperatorEq,
		AttributeValueList: []types.AttributeValue{n(1)}}}
	_, err := w.client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(patients), ScanFilter: condition})
	refused("ScanFilter", err, transparent.ErrRefused)
	_, err = w.client.Query(ctx, &dynamodb.QueryInput{TableName: aws.String(patients), KeyConditions: condition,
		IndexName: aws.String("numbers"), QueryFilter: condition})
	refused("QueryFilter", err, transparent.ErrRefused)
	_, err = w.client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(patients),
		FilterExpression: aws.String("number = :v"), ExpressionAttributeValues: envelope.Item{":v": n(1)},
		ExclusiveStartKey: envelope.Item{"id": s("a"), "number": n(1)}})
	refused("ExclusiveStartKey", err, store.ErrEncryptedAttribute)
	_, err = w.client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(patients),
		FilterExpression: aws.String("number = :v"), ExpressionAttributeValues: envelope.Item{":v": n(1),
			search.PartitionValue: n(0)}})
	refused("a partition without partitions", err, envelope.ErrConfiguration)
}
