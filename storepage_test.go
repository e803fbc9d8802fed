package ddbseal_test

import (
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

type Plan struct {
	ID   string `dynamodbav:"id" seal:"partition"`
	Text string `dynamodbav:"text"`
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

	mode := store.ClientSide{Keyring: keyring}
	plans, err := store.NewEntity[Plan](db, "clinic", mode, store.Entity{Attribute: "kind", Name: "plan"})
	check()
	err = store.Create(ctx, store.CreateOptions{}, plans)
	check()
	err = plans.Insert(ctx, Plan{"1", "rest"})
	check()
	if p, err := plans.Get(ctx, store.Key{Partition: "1"}); err != nil || p.Text != "rest" {
		t.Error(p, err)
	}
}
