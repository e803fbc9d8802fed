// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/transparent"
)

func (w *world) fill(t testing.TB, count int) {
	t.Helper()
	for i := range count {
		_, err := w.client.PutItem(t.Context(),
			&dynamodb.PutItemInput{TableName: aws.String(orders), Item: order("ann", i)})
		ok(t, err)
	}
}

// guarantees: E5, E9
func TestPages(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.fill(t, 10)
	query := dynamodb.NewQueryPaginator(w.client,
		&dynamodb.QueryInput{TableName: aws.String(arn(orders)), Limit: aws.Int32(3),
			KeyConditionExpression:    aws.String("customer = :c"),
			ExpressionAttributeValues: envelope.Item{":c": s("ann")}})
	next := 0
	for query.HasMorePages() {
		page, err := query.NextPage(ctx)
		ok(t, err)
		for _, got := range page.Items {
			same(t, "query", order("ann", next), got)
			next++
		}
	}
	if next != 10 {
		t.Errorf("%d items", next)
	}
	scan := dynamodb.NewScanPaginator(w.client, &dynamodb.ScanInput{TableName: aws.String(orders), Limit: aws.Int32(4),
		FilterExpression: aws.String("#w = :w"), ProjectionExpression: aws.String("secret, #w, #n"),
		ExpressionAttributeNames:  map[string]string{"#w": "ward", "#n": "note"},
		ExpressionAttributeValues: envelope.Item{":w": s("w1")}})
	found := 0
	for scan.HasMorePages() {
		page, err := scan.NextPage(ctx)
		ok(t, err)
		for _, got := range page.Items {
			same(t, "scan", envelope.Item{"secret": s(secret), "ward": s("w1"), "note": s("a note")}, got)
			found++
		}
	}
	if found != 5 {
		t.Errorf("%d items", found)
	}
	byIndex := func(index string) (*dynamodb.QueryOutput, error) {
		return w.client.Query(ctx, &dynamodb.QueryInput{TableName: aws.String(orders), IndexName: &index,
			KeyConditionExpression: aws.String("ward = :w"), ExpressionAttributeValues: envelope.Item{":w": s("w0")}})
	}
	if out, err := byIndex("wards"); err != nil || len(out.Items) != 5 {
		t.Errorf("index: %v", err)
	}
	if _, err := byIndex("keys"); !errors.Is(err, store.ErrPartialItem) {
		t.Errorf("index of keys only: %v", err)
	}
	count, err := w.client.Query(ctx, &dynamodb.QueryInput{TableName: aws.String(orders), Select: types.SelectCount,
		KeyConditionExpression: aws.String("customer = :c"), ExpressionAttributeValues: envelope.Item{":c": s("ann")}})
	if err != nil || count.Count != 10 {
		t.Errorf("count: %v", err)
	}

	_, err = w.raw.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String(orders), Key: orderKey("ann", 3),
		UpdateExpression: aws.String("SET ward = :w"), ExpressionAttributeValues: envelope.Item{":w": s("forged")}})
	ok(t, err)
	_, err = w.client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(orders)})
	if !errors.Is(err, envelope.ErrTampered) || strings.Contains(err.Error(), "forged") {
		t.Errorf("a tampered page: %v", err)
	}
	_, err = w.client.PutItem(ctx,
		&dynamodb.PutItemInput{TableName: aws.String(orders), Item: order("ann", 3),
			ReturnValues: types.ReturnValueAllOld})
	if !errors.Is(err, envelope.ErrTampered) || !errors.Is(err, transparent.ErrReturnedItem) {
		t.Errorf("a tampered old item: %v", err)
	}
	_, err = w.client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(orders)})
	ok(t, err)
}

// TestUnreadablePages: the error of a page says how many items do not open and
// which one is the first.
func TestUnreadablePages(t *testing.T) {
	w := newWorld(t)
	w.fill(t, 5)
	w.forge(t, orders, orderKey("ann", 1))
	w.forge(t, orders, orderKey("ann", 3))
	query := &dynamodb.QueryInput{TableName: aws.String(orders), KeyConditionExpression: aws.String("customer = :c"),
		ExpressionAttributeValues: envelope.Item{":c": s("ann")}}
	out, err := w.client.Query(t.Context(), query)
	if !errors.Is(err, envelope.ErrTampered) || out != nil ||
		!strings.Contains(err.Error(), "2 of 5 items cannot be read; item 1 of the page") {
		t.Errorf("%v, %v", out, err)
	}
	// An index does not make a changed item an incomplete one.
	_, err = w.client.Scan(t.Context(),
		&dynamodb.ScanInput{TableName: aws.String(orders), IndexName: aws.String("wards")})
	if !errors.Is(err, envelope.ErrTampered) || errors.Is(err, store.ErrPartialItem) {
		t.Error(err)
	}
	_, err = w.client.Scan(t.Context(),
		&dynamodb.ScanInput{TableName: aws.String(orders), IndexName: aws.String("keys")})
	if !errors.Is(err, store.ErrPartialItem) {
		t.Error(err)
	}
}

// TestEmptyPages: a page without items has none after decryption.
func TestEmptyPages(t *testing.T) {
	w := newWorld(t)
	w.fill(t, 2)
	query := &dynamodb.QueryInput{TableName: aws.String(orders), Select: types.SelectCount,
		KeyConditionExpression:    aws.String("customer = :c"),
		ExpressionAttributeValues: envelope.Item{":c": s("ann")}}
	got, err := w.client.Query(t.Context(), query)
	if err != nil || got.Count != 2 || got.Items != nil {
		t.Errorf("Query: %v, %v", got, err)
	}
	all, err := w.client.Scan(t.Context(),
		&dynamodb.ScanInput{TableName: aws.String(orders), Select: types.SelectCount})
	if err != nil || all.Count != 2 || all.Items != nil {
		t.Errorf("Scan: %v, %v", all, err)
	}
}

// wide returns a client of a table with count attributes that are signed, and the
// requests that it sends.
func wide(t *testing.T, count int) (client *dynamodb.Client, sent *[]map[string]any) {
	w := newWorld(t)
	actions := map[string]envelope.Action{"id": envelope.SignOnly, "note": envelope.DoNothing}
	for i := range count - 1 {
		actions[fmt.Sprint("a", i)] = envelope.EncryptAndSign
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{LogicalTableName: "wide", PartitionKey: "id", Actions: actions,
		AllowedUnsigned: []string{"note"},
		AlgorithmSuite:  envelope.SuiteSymmetricSignature, Keyring: w.keyring})
	ok(t, err)
	w.sealing, err = transparent.New(map[string]*envelope.ItemEncryptor{"wide": e})
	ok(t, err)
	return w.stubbed("{}")
}

// TestWideProjections: where the attributes that verification needs make too long
// an expression, the whole item is read, and Select and names go with the
// projection. An expression of exactly the limit is sent.
func TestWideProjections(t *testing.T) {
	// 698 attributes, note, header and footer make 701 terms. With #s50 taken by the
	// filter they are 4,096 bytes: 10 terms of 3, 89 of 4, 602 of 5 and 700 commas.
	const limit = 698
	// With #s5 taken instead they are one byte more.
	for _, c := range []struct {
		attributes  int
		placeholder string // of the filter
		fits        bool
	}{{10, "#s50", true}, {limit, "#s50", true}, {limit, "#s5", false}, {limit + 1, "#s50", false},
		{900, "#s50", false}} {
		client, sent := wide(t, c.attributes)
		ctx := t.Context()
		name, projection := aws.String("wide"), aws.String("#p, "+c.placeholder)
		names := map[string]string{"#p": "a1", c.placeholder: "note"}
		filter, value := aws.String(c.placeholder+" = :v"), envelope.Item{":v": s("x")}
		ok(t, second(client.Query(ctx,
			&dynamodb.QueryInput{TableName: name, KeyConditionExpression: aws.String("id = :v"),
				FilterExpression: filter, ProjectionExpression: projection,
				ExpressionAttributeNames: names, ExpressionAttributeValues: value,
				Select: types.SelectSpecificAttributes})))
		ok(t, second(client.Scan(ctx,
			&dynamodb.ScanInput{TableName: name, FilterExpression: filter, ProjectionExpression: projection,
				ExpressionAttributeNames: names, ExpressionAttributeValues: value,
				Select: types.SelectSpecificAttributes})))
		for i, operation := range []string{"Query", "Scan"} {
			r := (*sent)[i]
			text, has := r["ProjectionExpression"].(string)
			sentNames, _ := r["ExpressionAttributeNames"].(map[string]any)
			if has != c.fits || (r["Select"] == "SPECIFIC_ATTRIBUTES") != c.fits {
				t.Errorf("%s, %d attributes: %d bytes of projection, Select %v", operation, c.attributes, len(text),
					r["Select"])
			}
			if sentNames[c.placeholder] != "note" || sentNames["#p"] != nil || !c.fits && len(sentNames) != 1 {
				t.Errorf("%s, %d attributes: names %v", operation, c.attributes, sentNames)
			}
			if c.attributes == limit && c.fits && len(text) != 4096 {
				t.Errorf("%s: a projection of %d bytes", operation, len(text))
			}
			if !c.fits {
				continue
			}
			var asked []string
			for _, placeholder := range strings.Split(text, ",") {
				asked = append(asked, fmt.Sprint(sentNames[placeholder]))
			}
			slices.Sort(asked)
			want := []string{envelope.HeaderAttribute, envelope.FooterAttribute, "id", "note"} // note was asked for
			for i := range c.attributes - 1 {
				want = append(want, fmt.Sprint("a", i))
			}
			slices.Sort(want)
			if !slices.Equal(asked, want) {
				t.Errorf("%s, %d attributes: asks for %d: %.300q", operation, c.attributes, len(asked), asked)
			}
		}
		ok(t, second(client.GetItem(ctx,
			&dynamodb.GetItemInput{TableName: name, Key: aKey, ProjectionExpression: projection,
				ExpressionAttributeNames: names})))
		get := (*sent)[2]
		if c.attributes > limit+1 && (get["ProjectionExpression"] != nil || get["ExpressionAttributeNames"] != nil) {
			t.Errorf("GetItem, %d attributes: %v", c.attributes, get["ExpressionAttributeNames"])
		}
	}
}

// TestProjections: what is asked of DynamoDB is what verification needs and the
// caller asked for, under placeholders that no other expression uses.
func TestProjections(t *testing.T) {
	w := newWorld(t)
	w.fill(t, 3)
	signed := []string{envelope.FooterAttribute, envelope.HeaderAttribute, "customer", "doc", "number", "secret",
		"ward"}
	for projection, more := range map[string][]string{"secret": nil, "doc.a": nil, "note": {"note"},
		"note, hits": {"hits", "note"}, "#s0": nil, "nowhere": {"nowhere"}} {
		in := &dynamodb.ScanInput{TableName: aws.String(orders), ProjectionExpression: &projection,
			FilterExpression: aws.String("#s0 = :w AND #s00 = :w AND #s1 <> :x AND #other <> :x"),
			ExpressionAttributeNames: map[string]string{"#s0": "ward", "#s00": "ward", "#s1": "customer",
				"#other": "note"},
			ExpressionAttributeValues: envelope.Item{":w": s("w1"), ":x": s("x")},
			Select:                    types.SelectSpecificAttributes}
		names := maps.Clone(in.ExpressionAttributeNames)
		out, err := w.client.Scan(t.Context(), in)
		if err != nil || out.Count != 1 {
			t.Errorf("%s: %v, %v", projection, out, err)
		}
		if !maps.Equal(in.ExpressionAttributeNames, names) || in.ProjectionExpression != &projection {
			t.Errorf("%s: the caller's request was changed", projection)
		}
		client, sent := w.stubbed("{}")
		ok(t, second(client.Scan(t.Context(), in)))
		r := (*sent)[0]
		sentNames := r["ExpressionAttributeNames"].(map[string]any)
		for placeholder, name := range names {
			if sentNames[placeholder] != name {
				t.Errorf("%s: %s stands for %v", projection, placeholder, sentNames[placeholder])
			}
		}
		var asked []string
		for _, placeholder := range strings.Split(r["ProjectionExpression"].(string), ",") {
			if names[placeholder] != "" {
				t.Errorf("%s: %s is the filter's", projection, placeholder)
			}
			asked = append(asked, sentNames[placeholder].(string))
		}
		want := slices.Concat(signed, more)
		slices.Sort(want)
		slices.Sort(asked)
		if !slices.Equal(asked, want) || r["Select"] != "SPECIFIC_ATTRIBUTES" {
			t.Errorf("%s: asks for %q, Select %v", projection, asked, r["Select"])
		}
	}
	// Without a projection the request is the caller's.
	client, sent := w.stubbed("{}")
	ok(t, second(client.Scan(t.Context(),
		&dynamodb.ScanInput{TableName: aws.String(orders), Select: types.SelectCount})))
	ok(t, second(client.Query(t.Context(),
		&dynamodb.QueryInput{TableName: aws.String(orders), Select: types.SelectCount,
			KeyConditionExpression:    aws.String("customer = :c"),
			ExpressionAttributeValues: envelope.Item{":c": s("ann")}})))
	for _, r := range *sent {
		if r["Select"] != "COUNT" || r["ProjectionExpression"] != nil || r["ExpressionAttributeNames"] != nil {
			t.Errorf("sent %v", r)
		}
	}
}
