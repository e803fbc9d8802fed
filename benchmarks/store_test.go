// SPDX-License-Identifier: Apache-2.0

package benchmarks

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/migrate"
	"github.com/ddbseal/ddbseal/store/transparent"
)

// person is a struct of twelve fields, about 400 bytes.
type person struct {
	ID       string            `dynamodbav:"id" seal:"partition"`
	Created  int64             `dynamodbav:"created" seal:"sort"`
	Name     string            `dynamodbav:"name"`
	Email    string            `dynamodbav:"email"`
	Phone    string            `dynamodbav:"phone"`
	Street   string            `dynamodbav:"street"`
	City     string            `dynamodbav:"city"`
	Country  string            `dynamodbav:"country" seal:"sign"`
	Balance  float64           `dynamodbav:"balance"`
	Active   bool              `dynamodbav:"active"`
	Labels   map[string]string `dynamodbav:"labels"`
	Comments []string          `dynamodbav:"comments"`
}

func aPerson(i int) person {
	return person{
		ID: "customer-0001", Created: int64(i), Name: "Robin Example", Email: "robin@example.com", Phone: "+1 555 0100",
		Street: "1 Long Street", City: "Springfield", Country: "XX", Balance: 12.5, Active: true,
		Labels:   map[string]string{"tier": "gold", "since": "2020"},
		Comments: []string{strings.Repeat("a", 60), strings.Repeat("b", 60)},
	}
}

// instant is a DynamoDB that answers at once, so that only our own work shows.
type instant struct {
	store.Client
	items []map[string]types.AttributeValue
}

func (c *instant) PutItem(context.Context, *dynamodb.PutItemInput,
	...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return &dynamodb.PutItemOutput{}, nil
}
func (c *instant) GetItem(context.Context, *dynamodb.GetItemInput,
	...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return &dynamodb.GetItemOutput{Item: c.items[0]}, nil
}
func (c *instant) Query(context.Context, *dynamodb.QueryInput,
	...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return &dynamodb.QueryOutput{Items: slices.Clone(c.items)}, nil
}

// storedPeople are the first n people as a table holds them.
func storedPeople(b *testing.B, people *store.Table[person], n int) []map[string]types.AttributeValue {
	b.Helper()
	var items []map[string]types.AttributeValue
	for i := range n {
		item, err := attributevalue.MarshalMap(aPerson(i))
		if err != nil {
			b.Fatal(err)
		}
		if e := people.Encryptor(); e != nil {
			if item, err = e.EncryptItem(b.Context(), item); err != nil {
				b.Fatal(err)
			}
		}
		items = append(items, item)
	}
	return items
}

// BenchmarkRepository takes turns between an operation of the repository and
// the same done by hand (marshal, encrypt, call), in both modes.
func BenchmarkRepository(b *testing.B) {
	b.Run("server-side", func(b *testing.B) { benchRepository(b, store.ServerSide{}) })
	for _, suite := range suites() {
		b.Run(fmt.Sprintf("client-side/suite=%#x", uint16(suite)), func(b *testing.B) {
			benchRepository(b, store.ClientSide{Keyring: rawAES(b), AlgorithmSuite: suite})
		})
	}
}

func benchRepository(b *testing.B, mode store.Mode) {
	ctx := b.Context()
	client := &instant{}
	people, err := store.New[person](client, "people", mode)
	if err != nil {
		b.Fatal(err)
	}
	client.items = storedPeople(b, people, 100)
	encrypt := func(item map[string]types.AttributeValue) (map[string]types.AttributeValue, error) { return item, nil }
	decrypt := encrypt
	if e := people.Encryptor(); e != nil {
		encrypt = func(item map[string]types.AttributeValue) (map[string]types.AttributeValue, error) {
			return e.EncryptItem(ctx, item)
		}
		decrypt = func(item map[string]types.AttributeValue) (map[string]types.AttributeValue, error) {
			return e.DecryptItem(ctx, item)
		}
	}
	p, name := aPerson(0), "people"
	key := store.Key{Partition: p.ID, Sort: p.Created}
	for _, op := range []struct {
		name        string
		own, byHand func() error
	}{
		{"put", func() error { return people.Put(ctx, p) }, func() error {
			plain, err := attributevalue.MarshalMap(p)
			if err != nil {
				return err
			}
			item, err := encrypt(plain)
			if err != nil {
				return err
			}
			_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: item})
			return err
		}},
		{"get", func() error { _, err := people.Get(ctx, key); return err }, func() error {
			k, err := attributevalue.MarshalMap(struct {
				ID      string `dynamodbav:"id"`
				Created int64  `dynamodbav:"created"`
			}{p.ID, p.Created})
			if err != nil {
				return err
			}
			out, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &name, Key: k})
			if err != nil {
				return err
			}
			plain, err := decrypt(out.Item)
			if err != nil {
				return err
			}
			var v person
			return attributevalue.UnmarshalMap(plain, &v)
		}},
		{"query-100", func() error {
			n := 0
			for _, err := range people.Query(ctx, store.Query{Partition: p.ID}) {
				if err != nil {
					return err
				}
				n++
			}
			if n != len(client.items) {
				return fmt.Errorf("%d items", n)
			}
			return nil
		}, func() error {
			out, err := client.Query(ctx, nil)
			if err != nil {
				return err
			}
			for _, item := range out.Items {
				plain, err := decrypt(item)
				if err != nil {
					return err
				}
				var v person
				if err := attributevalue.UnmarshalMap(plain, &v); err != nil {
					return err
				}
			}
			return nil
		}},
	} {
		b.Run(op.name, func(b *testing.B) { beside(b, "by-hand", op.own, op.byHand) })
	}
}

// benchTable makes a table with the string key "id" on an embedded AWS.
func benchTable(b *testing.B, name string) (*localaws.Server, *dynamodb.Client) {
	b.Helper()
	server, err := localaws.New(localaws.Options{AuditLimit: 100})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Close() })
	client := dynamodb.NewFromConfig(server.Config(server.RootCredentials()))
	if _, err := client.CreateTable(b.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"),
			AttributeType: types.ScalarAttributeTypeS}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	}); err != nil {
		b.Fatal(err)
	}
	return server, client
}

func benchEncryptor(b *testing.B, name string) *envelope.ItemEncryptor {
	b.Helper()
	e, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: name, PartitionKey: "id", Keyring: rawAES(b),
		AlgorithmSuite: envelope.SuiteSymmetricSignature,
		Actions: map[string]envelope.Action{"id": envelope.SignOnly, "text": envelope.EncryptAndSign,
			"number": envelope.EncryptAndSign},
	})
	if err != nil {
		b.Fatal(err)
	}
	return e
}

func plainItem(i int) envelope.Item {
	return envelope.Item{
		"id":     &types.AttributeValueMemberS{Value: fmt.Sprintf("item-%08d", i)},
		"text":   &types.AttributeValueMemberS{Value: strings.Repeat("x", 990)},
		"number": &types.AttributeValueMemberN{Value: fmt.Sprint(i)},
	}
}

// BenchmarkTransparent is PutItem and GetItem of an item of 1 KB through the
// SDK's whole pipeline to an embedded AWS, with and without the middleware.
func BenchmarkTransparent(b *testing.B) {
	const name = "people"
	server, plain := benchTable(b, name)
	sealing, err := transparent.New(map[string]*envelope.ItemEncryptor{name: benchEncryptor(b, name)})
	if err != nil {
		b.Fatal(err)
	}
	put := func(client *dynamodb.Client) func() error {
		return func() error {
			_, err := client.PutItem(b.Context(),
				&dynamodb.PutItemInput{TableName: aws.String(name), Item: plainItem(1)})
			return err
		}
	}
	get := func(client *dynamodb.Client, id string) func() error {
		return func() error {
			_, err := client.GetItem(b.Context(),
				&dynamodb.GetItemInput{TableName: aws.String(name),
					Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}}})
			return err
		}
	}
	through := dynamodb.NewFromConfig(server.Config(server.RootCredentials()), sealing.Install)
	for i, client := range []*dynamodb.Client{plain, through} {
		if _, err := client.PutItem(b.Context(),
			&dynamodb.PutItemInput{TableName: aws.String(name), Item: plainItem(2 + i)}); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("put", func(b *testing.B) { beside(b, "plain-client", put(through), put(plain)) })
	b.Run("get", func(b *testing.B) {
		beside(b, "plain-client", get(through, "item-00000003"), get(plain, "item-00000002"))
	})
}

const migratedItems = 100_000

// migrationWorld is an embedded AWS in memory with 100,000 plaintext items of
// 1 KB.
func migrationWorld(b *testing.B) (*localaws.Server, *dynamodb.Client) {
	b.Helper()
	server, client := benchTable(b, "people")
	if err := migrate.CreateCheckpointTable(b.Context(), client, "checkpoints"); err != nil {
		b.Fatal(err)
	}
	for from := 0; from < migratedItems; from += 25 {
		var requests []types.WriteRequest
		for i := range 25 {
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: plainItem(from + i)}})
		}
		if _, err := client.BatchWriteItem(b.Context(),
			&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
				"people": requests}}); err != nil {
			b.Fatal(err)
		}
	}
	return server, client
}

func migrateAll(b *testing.B, client *dynamodb.Client) {
	b.Helper()
	m, err := migrate.New(migrate.Config{
		Client: client, Table: "people", ID: "bench", To: benchEncryptor(b, "people"), CheckpointTable: "checkpoints",
		Segments: 2, SkipDryRun: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	report, err := m.Run(b.Context())
	if err != nil || report.Counts.Migrated != migratedItems {
		b.Fatalf("%+v, %v", report.Counts, err)
	}
}

// BenchmarkMigration encrypts 100,000 plaintext items of 1 KB; run it with
// -benchtime 1x. The server is in the same process, and so is all its work.
func BenchmarkMigration(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		_, client := migrationWorld(b)
		b.StartTimer()
		begin := time.Now()
		migrateAll(b, client)
		b.ReportMetric(migratedItems/time.Since(begin).Seconds(), "items/s")
	}
}

// Variables that make the test binary the migrating process of
// BenchmarkMigrationMemory.
const (
	migrationURL    = "DDBSEAL_BENCH_MIGRATION_URL"
	migrationKey    = "DDBSEAL_BENCH_MIGRATION_KEY"
	migrationSecret = "DDBSEAL_BENCH_MIGRATION_SECRET"
)

// BenchmarkMigrationMemory is BenchmarkMigration with the migration in a
// process of its own, over HTTP, and reports that process's largest resident
// set, where the system tells it: the runtime, one page for each of two segments, and garbage.
func BenchmarkMigrationMemory(b *testing.B) {
	if os.Getenv(migrationURL) != "" {
		migrateAll(b, dynamodb.New(dynamodb.Options{
			Region: "us-east-1", BaseEndpoint: aws.String(os.Getenv(migrationURL)),
			Credentials: credentials.NewStaticCredentialsProvider(os.Getenv(migrationKey), os.Getenv(migrationSecret),
				""),
		}))
		// Not getrusage: that counts the parent's memory before exec too.
		if status, err := os.ReadFile("/proc/self/status"); err == nil {
			for line := range strings.Lines(string(status)) {
				var kb float64
				if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kb); n == 1 {
					b.ReportMetric(kb/1e3, "rss-MB")
				}
			}
		}
		return
	}
	for b.Loop() {
		b.StopTimer()
		server, _ := migrationWorld(b)
		listener, err := server.Listen("127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		root := server.RootCredentials()
		child := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkMigrationMemory$",
			"-test.benchtime=1x")
		child.Env = append(os.Environ(), migrationURL+"="+listener.URL(), migrationKey+"="+root.AccessKeyID,
			migrationSecret+"="+root.SecretAccessKey)
		b.StartTimer()
		begin := time.Now()
		out, err := child.CombinedOutput()
		if err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		b.ReportMetric(migratedItems/time.Since(begin).Seconds(), "items/s")
		fields := strings.Fields(string(out))
		if i := slices.Index(fields, "rss-MB"); i > 0 {
			var mb float64
			if _, err := fmt.Sscan(fields[i-1], &mb); err == nil {
				b.ReportMetric(mb, "rss-MB")
			}
		}
	}
}
