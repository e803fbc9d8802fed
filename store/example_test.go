// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// Visit is an entity with a partition and a sort key.
type Visit struct {
	Patient   string `dynamodbav:"patient" seal:"partition"`
	Day       int    `dynamodbav:"day" seal:"sort"`
	Ward      string `dynamodbav:"ward" seal:"sign"`
	Diagnosis string `dynamodbav:"diagnosis"`
	Seen      int    `dynamodbav:"seen" seal:"none"`
}

// exampleTable runs on an embedded AWS; anything else in these examples is the
// same on a real one.
func exampleTable() (*store.Table[Visit], *dynamodb.Client, func()) {
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	client := dynamodb.NewFromConfig(server.Config(server.RootCredentials()))
	_, err = client.CreateTable(context.Background(), &dynamodb.CreateTableInput{
		TableName: aws.String("visits"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("patient"), AttributeType: "S"},
			{AttributeName: aws.String("day"), AttributeType: "N"}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("patient"), KeyType: "HASH"},
			{AttributeName: aws.String("day"), KeyType: "RANGE"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	key, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "example", Name: "key",
		Key: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		log.Fatal(err)
	}
	visits, err := store.New[Visit](client, "visits", store.ClientSide{Keyring: key})
	if err != nil {
		log.Fatal(err)
	}
	for day := range 4 {
		if err := visits.Put(context.Background(),
			Visit{Patient: "ann", Day: day, Ward: "north", Diagnosis: fmt.Sprint("finding ", day)}); err != nil {
			log.Fatal(err)
		}
	}
	return visits, client, func() { _ = server.Close() }
}

func ExampleNew() {
	type mistake struct {
		ID   string `dynamodbav:"id" seal:"partition"`
		Name string `dynamodbav:"name" seal:"encypt"`
	}
	client := dynamodb.New(dynamodb.Options{Region: "eu-central-1"})
	_, err := store.New[mistake](client, "people", store.ServerSide{})
	fmt.Println(err)
	// Output:
	// invalid configuration: field Name of store_test.mistake: unknown seal tag "encypt": one of partition, sort, sign, encrypt, context, none, version, ttl
}

func ExampleTable_Get() {
	visits, _, done := exampleTable()
	defer done()
	ctx := context.Background()
	v, err := visits.Get(ctx, store.Key{Partition: "ann", Sort: 2})
	fmt.Println(v.Diagnosis, err)
	_, err = visits.Get(ctx, store.Key{Partition: "bob", Sort: 2})
	fmt.Println(errors.Is(err, store.ErrNotFound))
	// Output:
	// finding 2 <nil>
	// true
}

func ExampleTable_Put() {
	visits, _, done := exampleTable()
	defer done()
	absent := expression.AttributeNotExists(expression.Name("patient"))
	err := visits.Put(context.Background(), Visit{Patient: "ann", Day: 1, Ward: "south"}, absent)
	fmt.Println(err, errors.Is(err, store.ErrConditionFailed))
	// Output:
	// write to visits: condition not met true
}

func ExampleTable_PutOld() {
	visits, _, done := exampleTable()
	defer done()
	old, err := visits.PutOld(context.Background(), Visit{Patient: "ann", Day: 1, Ward: "south"})
	fmt.Println(old.Ward, err)
	// Output:
	// north <nil>
}

func ExampleTable_Delete() {
	visits, _, done := exampleTable()
	defer done()
	hidden := expression.Name("diagnosis").Equal(expression.Value("finding 1"))
	err := visits.Delete(context.Background(), store.Key{Partition: "ann", Sort: 1}, hidden)
	fmt.Println(errors.Is(err, store.ErrEncryptedAttribute))
	// Output:
	// true
}

func ExampleTable_DeleteOld() {
	visits, _, done := exampleTable()
	defer done()
	old, err := visits.DeleteOld(context.Background(), store.Key{Partition: "ann", Sort: 1})
	fmt.Println(old.Diagnosis, err)
	// Output:
	// finding 1 <nil>
}

func ExampleTable_DeleteVersion() {
	_, client, done := exampleTable()
	defer done()
	type task struct {
		Patient string `dynamodbav:"patient" seal:"partition"`
		Day     int    `dynamodbav:"day" seal:"sort"`
		Done    bool   `dynamodbav:"done"`
		Version int    `dynamodbav:"version" seal:"version"`
	}
	tasks, err := store.New[task](client, "visits", store.ServerSide{})
	if err != nil {
		log.Fatal(err)
	}
	ctx, key := context.Background(), store.Key{Partition: "bob", Sort: 1}
	if err := tasks.Put(ctx, task{Patient: "bob", Day: 1}); err != nil {
		log.Fatal(err)
	}
	read, err := tasks.Get(ctx, key)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := tasks.Update(ctx, key, func(t *task) error { t.Done = true; return nil }); err != nil {
		log.Fatal(err)
	}
	err = tasks.DeleteVersion(ctx, read)
	fmt.Println(errors.Is(err, store.ErrStaleVersion))
	// Output:
	// true
}

func ExampleTable_Update() {
	visits, _, done := exampleTable()
	defer done()
	v, err := visits.Update(context.Background(), store.Key{Partition: "ann", Sort: 1}, func(v *Visit) error {
		v.Diagnosis += ", healed"
		return nil
	})
	fmt.Println(v.Diagnosis, err)
	// Output:
	// finding 1, healed <nil>
}

func ExampleTable_UpdateOrCreate() {
	visits, _, done := exampleTable()
	defer done()
	v, err := visits.UpdateOrCreate(context.Background(), store.Key{Partition: "bob", Sort: 1}, func(v *Visit) error {
		v.Ward = "west"
		return nil
	})
	fmt.Printf("%+v %v\n", v, err)
	// Output:
	// {Patient:bob Day:1 Ward:west Diagnosis: Seen:0} <nil>
}

func ExampleTable_UpdateAttributes() {
	visits, _, done := exampleTable()
	defer done()
	ctx, k := context.Background(), store.Key{Partition: "ann", Sort: 1}
	fmt.Println(visits.UpdateAttributes(ctx, k, expression.Add(expression.Name("seen"), expression.Value(1))))
	err := visits.UpdateAttributes(ctx, k, expression.Set(expression.Name("ward"), expression.Value("south")))
	fmt.Println(errors.Is(err, store.ErrEncryptedAttribute))
	// Output:
	// <nil>
	// true
}

func ExampleTable_Query() {
	visits, _, done := exampleTable()
	defer done()
	for v, err := range visits.Query(context.Background(),
		store.Query{Partition: "ann", Sort: store.SortGreater(1), Descending: true}) {
		var item *store.ItemError
		if errors.As(err, &item) {
			continue // this one does not open; the rest comes
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(v.Day, v.Diagnosis)
	}
	// Output:
	// 3 finding 3
	// 2 finding 2
}

func ExampleTable_QueryPage() {
	visits, _, done := exampleTable()
	defer done()
	var cursor store.Cursor
	for {
		page, err := visits.QueryPage(context.Background(), store.Query{Partition: "ann", PageSize: 3}, cursor)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(page.Items), "items")
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	// Output:
	// 3 items
	// 1 items
}

func ExampleTable_Scan() {
	visits, _, done := exampleTable()
	defer done()
	n := 0
	for _, err := range visits.Scan(context.Background(), store.Scan{Segments: 2}) {
		if err != nil {
			log.Fatal(err)
		}
		n++
	}
	fmt.Println(n, "visits")
	// Output:
	// 4 visits
}

func ExampleTable_BatchPut() {
	visits, _, done := exampleTable()
	defer done()
	ctx := context.Background()
	var many []Visit
	for day := range 100 {
		many = append(many, Visit{Patient: "bob", Day: day})
	}
	rest, err := visits.BatchPut(ctx, many)
	fmt.Println(len(rest), err)
	got, err := visits.BatchGet(ctx, []store.Key{{Partition: "bob", Sort: 99}, {Partition: "bob", Sort: 100}})
	fmt.Println(got[0].Day, got[1], err)
	left, err := visits.BatchDelete(ctx, []store.Key{{Partition: "bob", Sort: 1}, {Partition: "bob", Sort: 2}})
	fmt.Println(len(left), err)
	// Output:
	// 0 <nil>
	// 99 <nil> <nil>
	// 0 <nil>
}

func ExampleTransactWrite() {
	visits, client, done := exampleTable()
	defer done()
	ctx := context.Background()
	north := expression.Name("ward").Equal(expression.Value("north"))
	err := store.TransactWrite(ctx, client,
		visits.PutOp(Visit{Patient: "bob", Day: 1}),
		visits.DeleteOp(store.Key{Partition: "ann", Sort: 3}),
		visits.CheckOp(store.Key{Partition: "ann", Sort: 2}, north),
		visits.UpdateOp(store.Key{Partition: "ann", Sort: 1},
			func(v *Visit) error { v.Diagnosis = "none"; return nil }),
	)
	fmt.Println(err)
	read := visits.GetOp(store.Key{Partition: "ann", Sort: 1})
	if err := store.TransactGet(ctx, client, read); err != nil {
		log.Fatal(err)
	}
	v, err := read.Result()
	fmt.Println(v.Diagnosis, err)
	// Output:
	// <nil>
	// none <nil>
}

func ExampleTable_Raw() {
	visits, _, done := exampleTable()
	defer done()
	item, err := visits.Raw(context.Background(), store.Key{Partition: "ann", Sort: 1})
	fmt.Printf("%T %T %v\n", item["ward"], item["diagnosis"], err)
	// Output:
	// *types.AttributeValueMemberS *types.AttributeValueMemberB <nil>
}

func ExampleTable_Check() {
	_, client, done := exampleTable()
	defer done()
	type person struct {
		Name string `dynamodbav:"name" seal:"partition"`
	}
	people, err := store.New[person](client, "visits", store.ServerSide{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(people.Check(context.Background()))
	// Output:
	// table differs from its declaration: visits: partition key is "patient", declared "name"; sort key is "day", declared ""
}

func ExampleNewEntity() {
	_, client, done := exampleTable()
	defer done()
	type bill struct {
		Patient string `dynamodbav:"patient" seal:"partition"`
		Day     int    `dynamodbav:"day" seal:"sort"`
		Amount  int    `dynamodbav:"amount"`
	}
	bills, err := store.NewEntity[bill](client, "visits", store.ServerSide{},
		store.Entity{Attribute: "type", Name: "bill"})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if err := bills.Put(ctx, bill{"ann", 9, 100}); err != nil {
		log.Fatal(err)
	}
	for b, err := range bills.Query(ctx, store.Query{Partition: "ann"}) { // the visits are left out
		fmt.Println(b, err)
	}
	_, err = bills.Get(ctx, store.Key{Partition: "ann", Sort: 1})
	fmt.Println(errors.Is(err, store.ErrOtherEntity))
	// Output:
	// {ann 9 100} <nil>
	// true
}

func ExampleActions() {
	actions, err := store.Actions[Visit]()
	fmt.Println(actions["diagnosis"], actions["seen"], err)
	fmt.Println(actions["ward"] == envelope.SignOnly)
	// Output:
	// ENCRYPT_AND_SIGN DO_NOTHING <nil>
	// true
}

// Ward is a type that declares an index.
type Ward struct {
	ID    string `dynamodbav:"id" seal:"partition"`
	House string `dynamodbav:"house" seal:"sign" index:"byHouse,hash"`
	Beds  int    `dynamodbav:"beds" seal:"sign" index:"byHouse,range"`
	Notes string `dynamodbav:"notes"`
}

// A table is made from its type, with the indexes that tags declare. A second
// call finds it as declared, and changes nothing.
func ExampleCreate() {
	ctx := context.Background()
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client := dynamodb.NewFromConfig(server.Config(server.RootCredentials()))
	key, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "example", Name: "key",
		Key: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		log.Fatal(err)
	}
	wards, err := store.New[Ward](client, "wards", store.ClientSide{Keyring: key})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		if err := store.Create(ctx, store.CreateOptions{}, wards); err != nil {
			log.Fatal(err)
		}
	}
	if err := wards.Put(ctx, Ward{ID: "w1", House: "north", Beds: 12, Notes: "closed on Sundays"}); err != nil {
		log.Fatal(err)
	}
	for w, err := range wards.Query(ctx, store.Query{Index: &store.Index{Name: "byHouse"}, Partition: "north",
		Sort: store.SortGreater(10)}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(w.ID, w.Beds, w.Notes)
	}
	err = store.Create(ctx, store.CreateOptions{ReadUnits: 5, WriteUnits: 5}, wards)
	fmt.Println(err)
	// Output:
	// w1 12 closed on Sundays
	// table differs from its declaration: wards: the billing mode is PAY_PER_REQUEST, declared PROVISIONED
}
