// SPDX-License-Identifier: Apache-2.0

package localawstest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

const ordersJSON = `{"tables": [{"name": "Orders", "partitionKey": "customer", "sortKey": "number:N", "indexes": [
	{"name": "byDay", "partitionKey": "day:S", "sortKey": "total:N", "projection": ["status"]},
	{"name": "byPlace", "partitionKey": "country,city", "sortKey": "number:N"},
	{"name": "byTotal", "sortKey": "total:N", "projection": []},
	{"name": "byDigest", "partitionKey": "digest:B", "projection": null}]}]}`

// TestTable: a table of a seed has the types of its keys, and its indexes.
func TestTable(t *testing.T) {
	seed, err := localawstest.ParseSeed([]byte(ordersJSON))
	if err != nil {
		t.Fatal(err)
	}
	s := localawstest.New(t, localawstest.WithSeed(seed))
	client := dynamodb.NewFromConfig(s.Root())
	out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("Orders")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range out.Table.AttributeDefinitions {
		got = append(got, *d.AttributeName+":"+string(d.AttributeType))
	}
	key := func(name string, schema []types.KeySchemaElement, p *types.Projection) {
		text := name
		for _, k := range schema {
			text += fmt.Sprint(" ", *k.AttributeName, "/", k.KeyType)
		}
		got = append(got, fmt.Sprint(text, " ", p.ProjectionType, p.NonKeyAttributes))
	}
	for _, x := range out.Table.GlobalSecondaryIndexes {
		key(*x.IndexName, x.KeySchema, x.Projection)
	}
	for _, x := range out.Table.LocalSecondaryIndexes {
		key("local "+*x.IndexName, x.KeySchema, x.Projection)
	}
	slices.Sort(got)
	want := []string{"byDay day/HASH total/RANGE INCLUDE[status]", "byDigest digest/HASH ALL[]",
		"byPlace country/HASH city/HASH number/RANGE ALL[]", "city:S", "country:S", "customer:S", "day:S", "digest:B",
		"local byTotal customer/HASH total/RANGE KEYS_ONLY[]", "number:N", "total:N"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func ExampleTable() {
	t := &testing.T{} // that of your test
	aws := localawstest.New(t, localawstest.WithSeed(localawstest.Seed{Tables: []localawstest.Table{{
		Name: "Orders", PartitionKey: "customer", SortKey: "number:N",
		Indexes: []localawstest.Index{{Name: "byDay", PartitionKey: "day", SortKey: "number:N"}},
	}}}))
	defer aws.Close()
	name := "Orders"
	out, err := dynamodb.NewFromConfig(aws.Root()).DescribeTable(context.Background(),
		&dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range out.Table.AttributeDefinitions {
		fmt.Println(*d.AttributeName, d.AttributeType)
	}
	fmt.Println(*out.Table.GlobalSecondaryIndexes[0].IndexName)
	// Output:
	// customer S
	// number N
	// day S
	// byDay
}
