// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store"
)

// wardStay and ward are two types of one table.
type wardStay struct {
	PK     string `dynamodbav:"pk" seal:"partition"`
	SK     string `dynamodbav:"sk" seal:"sort"`
	Ward   string `dynamodbav:"ward" seal:"sign" index:"byWard,hash"`
	Day    int    `dynamodbav:"day" seal:"sign" index:"byWard,range" localIndex:"byDay,range"`
	Secret string `dynamodbav:"secret"`
	Until  int64  `dynamodbav:"until" seal:"ttl"`
}

type wardBed struct {
	PK    string `dynamodbav:"pk" seal:"partition"`
	SK    string `dynamodbav:"sk" seal:"sort"`
	Ward  string `dynamodbav:"ward" seal:"sign" index:"byWard,partition;byKind,sort"`
	Day   int    `dynamodbav:"day" seal:"sign" index:"byWard,sort"`
	Kind  []byte `dynamodbav:"kind" seal:"sign" index:"byKind,partition"`
	Price string `dynamodbav:"price"`
}

// TestCreate makes a table for two types in each mode, twice, and reads by the
// indexes that the types declare.
func TestCreate(t *testing.T) {
	for name, mode := range map[string]store.Mode{"client": clientSide(t), "server": store.ServerSide{}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.onlyLocal(t, "time to live")
			ctx := t.Context()
			stays, beds := openBoth(t, w.client, mode)
			o := store.CreateOptions{DeletionProtection: true, Tags: map[string]string{"team": "wards"}}
			for range 2 {
				if err := store.Create(ctx, o, stays, beds); err != nil {
					t.Fatal(err)
				}
			}
			for _, check := range []func(context.Context) error{stays.Check, beds.Check} {
				if err := check(ctx); err != nil {
					t.Error(err)
				}
			}
			if err := stays.Put(ctx, wardStay{PK: "ann", SK: "1", Ward: "north", Day: 3, Secret: "s"}); err != nil {
				t.Fatal(err)
			}
			wide := wardBed{PK: "bed", SK: "7", Ward: "north", Day: 1, Kind: []byte("wide")}
			if err := beds.Put(ctx, wide); err != nil {
				t.Fatal(err)
			}
			for v, err := range stays.Query(ctx, store.Query{Partition: "north", Sort: store.SortGreater(2),
				Index: &store.Index{Name: "byWard"}}) {
				if err != nil || v.Secret != "s" {
					t.Errorf("%+v, %v", v, err)
				}
			}
			for v, err := range stays.Query(ctx, store.Query{Partition: "ann", Sort: store.SortEqual(3),
				Index: &store.Index{Name: "byDay"}}) {
				if err != nil || v.Secret != "s" {
					t.Errorf("%+v, %v", v, err)
				}
			}
			found := 0
			for v, err := range beds.Query(ctx, store.Query{Partition: []byte("wide"), Sort: store.SortBeginsWith("n"),
				Index: &store.Index{Name: "byKind"}}) {
				if found++; err != nil || v.SK != "7" {
					t.Errorf("%+v, %v", v, err)
				}
			}
			if found != 1 {
				t.Errorf("%d beds", found)
			}
			d, err := w.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("wards")})
			if err != nil {
				t.Fatal(err)
			}
			tags, err := w.client.ListTagsOfResource(ctx,
				&dynamodb.ListTagsOfResourceInput{ResourceArn: d.Table.TableArn})
			if err != nil || len(tags.Tags) != 1 || !aws.ToBool(d.Table.DeletionProtectionEnabled) {
				t.Errorf("%+v, %v", tags, err)
			}
		})
	}
}

func openBoth(t *testing.T, c store.Client, mode store.Mode) (*store.Table[wardStay], *store.Table[wardBed]) {
	t.Helper()
	stayMode, bedMode := mode, mode
	if m, is := mode.(store.ClientSide); is {
		ofStays, err := store.Actions[wardStay]()
		if err != nil {
			t.Fatal(err)
		}
		ofBeds, err := store.Actions[wardBed]()
		if err != nil {
			t.Fatal(err)
		}
		m.OtherActions = ofBeds
		stayMode = m
		m.OtherActions = ofStays
		bedMode = m
	}
	stays, err := store.NewEntity[wardStay](c, "wards", stayMode, store.Entity{Attribute: "kindOf", Name: "stay"})
	if err != nil {
		t.Fatal(err)
	}
	beds, err := store.NewEntity[wardBed](c, "wards", bedMode, store.Entity{Attribute: "kindOf", Name: "bed"})
	if err != nil {
		t.Fatal(err)
	}
	return stays, beds
}

// TestCreateTogether: programs that start at the same time all succeed.
func TestCreateTogether(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "time to live")
	stays, beds := openBoth(t, w.client, store.ServerSide{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := store.Create(t.Context(), store.CreateOptions{}, stays, beds); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestCreateDifferent: a table that differs is left as it is, and every
// difference is named.
func TestCreateDifferent(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "time to live")
	ctx := t.Context()
	stays, beds := openBoth(t, w.client, store.ServerSide{})
	if err := store.Create(ctx, store.CreateOptions{ReadUnits: 1, WriteUnits: 2}, stays); err != nil {
		t.Fatal(err)
	}
	err := store.Create(ctx, store.CreateOptions{DeletionProtection: true}, stays, beds)
	var different *store.DeclarationError
	if !errors.As(err, &different) || !errors.Is(err, store.ErrDeclaration) {
		t.Fatal(err)
	}
	for _, want := range []string{"index byKind does not exist", "billing mode is PROVISIONED",
		"deletion protection is off"} {
		if !slices.ContainsFunc(different.Problems, func(p string) bool { return strings.Contains(p, want) }) {
			t.Errorf("no %q in %q", want, different.Problems)
		}
	}
	if len(different.Problems) != 3 {
		t.Errorf("%q", different.Problems)
	}
	if err := beds.Check(ctx); !errors.As(err, &different) || !strings.Contains(err.Error(), "byKind") {
		t.Errorf("check: %v", err)
	}
}

// tableless is a client without the methods that make a table.
type tableless struct{ store.Client }

// TestCreateRefuses: declarations that do not fit together are found without a
// call.
func TestCreateRefuses(t *testing.T) {
	type other struct {
		PK string `dynamodbav:"pk" seal:"partition"`
		SK int    `dynamodbav:"sk" seal:"sort"`
	}
	type short struct {
		PK string `dynamodbav:"pk" seal:"partition"`
	}
	type expiring struct {
		PK  string `dynamodbav:"pk" seal:"partition"`
		SK  string `dynamodbav:"sk" seal:"sort"`
		End int64  `dynamodbav:"end" seal:"ttl"`
	}
	type differently struct {
		PK   string `dynamodbav:"pk" seal:"partition"`
		SK   string `dynamodbav:"sk" seal:"sort"`
		Ward string `dynamodbav:"ward" seal:"sign" index:"byWard,hash"`
	}
	client := dynamodb.New(dynamodb.Options{}) // any call fails
	stays, beds := openBoth(t, client, store.ServerSide{})
	arn := "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	for name, c := range map[string]struct {
		o      store.CreateOptions
		tables []store.Declaration
		want   string
	}{
		"nothing":       {want: "no table"},
		"half provided": {o: store.CreateOptions{ReadUnits: 1}, tables: []store.Declaration{stays}, want: "both"},
		"negative time": {o: store.CreateOptions{Timeout: -1}, tables: []store.Declaration{stays}, want: "Timeout -1ns"},
		"two tables": {tables: []store.Declaration{stays, open[wardStay](t, client, "other", store.ServerSide{})},
			want: "wards and other are two tables"},
		"key type": {tables: []store.Declaration{stays, open[other](t, client, "wards", store.ServerSide{})},
			want: `"sk" is of type S and, in store_test.other, of type N`},
		"keys": {tables: []store.Declaration{stays, open[short](t, client, "wards", store.ServerSide{})},
			want: `sort key "sk" in store_test.wardStay and partition key "pk" in store_test.short`},
		"expiry": {tables: []store.Declaration{stays, open[expiring](t, client, "wards", store.ServerSide{})},
			want: `expire by "until" or by "end"`},
		"index": {tables: []store.Declaration{stays, beds, open[differently](t, client, "wards", store.ServerSide{})},
			want: "index byWard is declared as"},
		"projection": {tables: []store.Declaration{stays, open[wardStay](t, client, "wards", store.ServerSide{},
			store.IndexProjection("byWard"))}, want: "two projections"},
		"KMS keys": {o: store.CreateOptions{KMSKey: "alias/wards"}, tables: []store.Declaration{
			open[wardStay](t, client, "wards", store.ServerSide{KMSKeyARN: arn})}, want: "two KMS keys"},
		"client": {tables: []store.Declaration{open[wardStay](t, tableless{client}, "wards", store.ServerSide{})},
			want: "TableCreator"},
	} {
		t.Run(name, func(t *testing.T) {
			err := store.Create(t.Context(), c.o, c.tables...)
			if !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestCreateUnderKey: the table is under the key of the mode or of the options.
func TestCreateUnderKey(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "KMS keys")
	type row struct {
		ID textID `dynamodbav:"id" seal:"partition"`
	}
	rows := open[row](t, w.client, "rows", clientSide(t))
	if err := store.Create(t.Context(), store.CreateOptions{KMSKey: "alias/aws/dynamodb"}, rows); err != nil {
		t.Fatal(err)
	}
	d, err := w.client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("rows")})
	if err != nil || d.Table.SSEDescription == nil || d.Table.SSEDescription.SSEType != types.SSETypeKms {
		t.Errorf("%+v, %v", d, err)
	}
	if err := store.Create(t.Context(), store.CreateOptions{}, rows); !errors.Is(err, store.ErrDeclaration) {
		t.Errorf("another key: %v", err)
	}
}

// textID converts itself.
type textID int

func (i textID) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return &types.AttributeValueMemberS{Value: strings.Repeat("x", int(i)) + "id"}, nil
}

func (i *textID) UnmarshalDynamoDBAttributeValue(v types.AttributeValue) error {
	*i = textID(len(v.(*types.AttributeValueMemberS).Value) - 2)
	return nil
}
