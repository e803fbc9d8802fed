// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"expvar"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
	"github.com/ddbseal/ddbseal/store"
)

type Visit struct {
	Patient string `dynamodbav:"patient" seal:"partition"`
	Day     string `dynamodbav:"day" seal:"sort"`
	Ward    string `dynamodbav:"ward" seal:"sign" index:"byWard,hash"` // readable, signed
	Notes   string `dynamodbav:"notes"`                                // encrypted: the default
	Version int    `dynamodbav:"version" seal:"version"`               // optimistic locking
	Expires int64  `dynamodbav:"expires" seal:"ttl"`                   // Unix seconds; zero never expires
}

type Customer struct {
	Partition string `dynamodbav:"pk" seal:"partition"`
	Sort      string `dynamodbav:"sk" seal:"sort"`
	Name      string `dynamodbav:"name"`
}

type Order struct {
	Partition string `dynamodbav:"pk" seal:"partition"`
	Sort      string `dynamodbav:"sk" seal:"sort"`
	Total     int    `dynamodbav:"total"`
}

// TestStorePage runs the code of docs/store.md, as TestCodeIsHere checks.
func TestStorePage(t *testing.T) {
	ctx, cfg := t.Context(), localawstest.New(t).Root()
	db := dynamodb.NewFromConfig(cfg)
	key, err := kms.NewFromConfig(cfg).CreateKey(ctx, nil)
	check := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check()
	keyring, err := awskms.New(awskms.Config{Client: kms.NewFromConfig(cfg),
		KeyARN: aws.ToString(key.KeyMetadata.Arn)})
	check()

	visits, err := store.New[Visit](db, "visits", store.ClientSide{Keyring: keyring})
	check()
	err = store.Create(ctx, store.CreateOptions{}, visits) // or, when something else creates it:
	check()
	err = visits.Check(ctx)
	check()

	err = visits.Insert(ctx, Visit{Patient: "7", Day: "2026-03-01", Ward: "north", Notes: "hay fever"})
	check()
	v, err := visits.Get(ctx, store.Key{Partition: "7", Sort: "2026-03-01"})
	check()
	if v.Notes != "hay fever" || v.Version != 1 {
		t.Error(v)
	}
	v, err = visits.Update(ctx, store.Key{Partition: "7", Sort: "2026-03-01"}, func(v *Visit) error {
		v.Notes += ", better"
		return nil
	})
	check()
	if v.Notes != "hay fever, better" || v.Version != 2 {
		t.Error(v)
	}
	found := 0
	for v, err := range visits.Query(ctx, store.Query{
		Partition: "7",
		Sort:      store.SortBetween("2026-01-01", "2026-12-31"),
		Filter:    expression.Name("ward").Equal(visits.Value("north")),
	}) {
		if err != nil || v.Notes != "hay fever, better" {
			t.Error(v, err)
		}
		found++
	}
	if found != 1 {
		t.Errorf("%d visits were found", found)
	}

	expvar.Publish("visits", expvar.Func(func() any { return visits.Stats() }))
	if got := expvar.Get("visits").String(); !strings.Contains(got, `"Conflicts":0`) {
		t.Error(got)
	}

	var (
		customers *store.Table[Customer]
		orders    *store.Table[Order]
		orderList []Order
	)
	shop, err := store.NewCollection(db, "shop", store.ClientSide{Keyring: keyring}, "kind",
		store.MemberOf(&customers, "customer"), store.MemberOf(&orders, "order"))
	check()
	err = store.Create(ctx, store.CreateOptions{}, shop)
	check()
	err = customers.Put(ctx, Customer{Partition: "CUSTOMER#7", Sort: "CUSTOMER", Name: "Ada"})
	check()
	err = orders.Put(ctx, Order{Partition: "CUSTOMER#7", Sort: "ORDER#0001", Total: 40})
	check()
	rest, err := shop.Collect(ctx, store.Query{Partition: "CUSTOMER#7"}, store.Into(&orderList))
	check()
	if len(orderList) != 1 || orderList[0].Total != 40 || len(rest) != 1 {
		t.Error(orderList, rest)
	}
}
