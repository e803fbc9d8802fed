// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
	"github.com/ddbseal/ddbseal/store/transparent"
)

// counting is a keyring that counts its work and can do more.
type counting struct {
	materials.Keyring
	encrypts atomic.Int64
	during   func(context.Context) error
}

func (k *counting) OnEncrypt(ctx context.Context, m *materials.Encryption) error {
	k.encrypts.Add(1)
	if k.during != nil {
		if err := k.during(ctx); err != nil {
			return err
		}
	}
	return k.Keyring.OnEncrypt(ctx, m)
}

// wire records the requests that leave a client.
type wire struct {
	aws.HTTPClient
	calls atomic.Int64
	last  atomic.Pointer[string]
	stub  bool // answer "{}" to everything
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	w.calls.Add(1)
	if r.Body != nil {
		var b bytes.Buffer
		if _, err := b.ReadFrom(r.Body); err != nil {
			return nil, err
		}
		text := b.String()
		w.last.Store(&text)
		r.Body = io.NopCloser(&b)
	}
	if w.stub {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{},
			Body: io.NopCloser(strings.NewReader("{}"))}, nil
	}
	return w.HTTPClient.Do(r)
}

// world is an embedded AWS with the tables of this package's tests, and the
// same tables seen through a sealing client.
type world struct {
	server  *localawstest.Server
	raw     *dynamodb.Client // sees ciphertext
	client  *dynamodb.Client
	sealing *transparent.Client
	keyring *counting
	wire    *wire
	config  aws.Config
}

// The tables of a world: both encrypted ones under one key, a plain one beside.
const (
	items  = "items"  // id
	orders = "orders" // customer, number
	plain  = "plain"  // id
)

func encryptor(t testing.TB, k materials.Keyring, logical, pk, sk string,
	policy envelope.PlaintextPolicy) *envelope.ItemEncryptor {
	t.Helper()
	return encryptorOf(t, envelope.SuiteSymmetricSignature, k, logical, pk, sk, policy)
}

func encryptorOf(t testing.TB, suite envelope.AlgorithmSuite, k materials.Keyring, logical, pk, sk string,
	policy envelope.PlaintextPolicy) *envelope.ItemEncryptor {
	t.Helper()
	actions := map[string]envelope.Action{
		pk: envelope.SignOnly, "ward": envelope.SignOnly, "secret": envelope.EncryptAndSign,
		"doc":  envelope.EncryptAndSign,
		"note": envelope.DoNothing, "hits": envelope.DoNothing,
	}
	if sk != "" {
		actions[sk] = envelope.SignOnly
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: logical, PartitionKey: pk, SortKey: sk, Actions: actions,
		AllowedUnsigned: []string{"note", "hits"},
		AlgorithmSuite:  suite, Keyring: k, PlaintextPolicy: policy,
	})
	ok(t, err)
	return e
}

func newWorld(t testing.TB) *world {
	return newWorldWith(t, envelope.ForbidPlaintextWriteForbidPlaintextRead)
}

func newWorldWith(t testing.TB, policy envelope.PlaintextPolicy) *world {
	t.Helper()
	return newWorldOf(t, envelope.SuiteSymmetricSignature, policy)
}

func newWorldOf(t testing.TB, suite envelope.AlgorithmSuite, policy envelope.PlaintextPolicy) *world {
	t.Helper()
	w := &world{server: localawstest.New(t)}
	w.config = w.server.Config(w.server.RootCredentials())
	w.config.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			o.RateLimiter = ratelimit.None
		})
	}
	aes, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "test", Name: "key",
		Key: bytes.Repeat([]byte{7}, 32)})
	ok(t, err)
	w.keyring = &counting{Keyring: aes}
	w.sealing, err = transparent.New(map[string]*envelope.ItemEncryptor{
		items:  encryptorOf(t, suite, w.keyring, "items", "id", "", policy),
		orders: encryptorOf(t, suite, w.keyring, "orders", "customer", "number", policy),
	})
	ok(t, err)
	w.raw = dynamodb.NewFromConfig(w.config)
	w.wire = &wire{HTTPClient: w.config.HTTPClient}
	watched := w.config.Copy()
	watched.HTTPClient = w.wire
	w.client = dynamodb.NewFromConfig(watched, w.sealing.Install)
	for name, keys := range map[string]string{items: "id:S", orders: "customer:S,number:N", plain: "id:S"} {
		in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest}
		for i, k := range strings.Split(keys, ",") {
			k, kind, _ := strings.Cut(k, ":")
			in.AttributeDefinitions = append(in.AttributeDefinitions,
				types.AttributeDefinition{AttributeName: &k, AttributeType: types.ScalarAttributeType(kind)})
			in.KeySchema = append(in.KeySchema,
				types.KeySchemaElement{AttributeName: &k,
					KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]})
		}
		if name == orders {
			in.AttributeDefinitions = append(in.AttributeDefinitions,
				types.AttributeDefinition{AttributeName: aws.String("ward"), AttributeType: "S"})
			for index, projection := range map[string]types.ProjectionType{"wards": types.ProjectionTypeAll,
				"keys": types.ProjectionTypeKeysOnly} {
				in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
					IndexName: &index, Projection: &types.Projection{ProjectionType: projection},
					KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("ward"),
						KeyType: types.KeyTypeHash}},
				})
			}
		}
		_, err := w.client.CreateTable(t.Context(), in) // passes
		ok(t, err)
	}
	return w
}

func (w *world) faults(t testing.TB, rules ...localaws.Fault) {
	t.Helper()
	ok(t, w.server.SetFaults(localaws.Faults{Seed: 1, Rules: rules}))
}

// rawItems reads all items of a table as they are stored.
func (w *world) rawItems(t testing.TB, table string) []envelope.Item {
	t.Helper()
	var all []envelope.Item
	for p := dynamodb.NewScanPaginator(w.raw, &dynamodb.ScanInput{TableName: &table}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		ok(t, err)
		all = append(all, page.Items...)
	}
	return all
}

func arn(table string) string { return "arn:aws:dynamodb:us-east-1:111122223333:table/" + table }

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// transact writes operations in one transaction.
func transact(ctx context.Context, c *dynamodb.Client, token *string, ops ...types.TransactWriteItem) error {
	_, err := c.TransactWriteItems(ctx,
		&dynamodb.TransactWriteItemsInput{ClientRequestToken: token, TransactItems: ops})
	return err
}

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func n(v int) types.AttributeValue    { return &types.AttributeValueMemberN{Value: fmt.Sprint(v)} }

const secret = "very secret text"

func item(id string) envelope.Item {
	return envelope.Item{"id": s(id), "ward": s("w"), "secret": s(secret), "note": s("a note"),
		"doc": &types.AttributeValueMemberM{Value: envelope.Item{"a": s("b"), "c": s("d")}}}
}

func order(customer string, number int) envelope.Item {
	return envelope.Item{"customer": s(customer), "number": n(number), "ward": s(fmt.Sprint("w", number%2)),
		"secret": s(secret), "note": s("a note")}
}
func orderKey(customer string, number int) envelope.Item {
	return envelope.Item{"customer": s(customer), "number": n(number)}
}

// stubbed returns a client that encrypts, of which every call is answered by
// body, and the requests that it sent, as JSON.
func (w *world) stubbed(body string) (client *dynamodb.Client, sent *[]map[string]any) {
	sent = &[]map[string]any{}
	config := w.config.Copy()
	config.HTTPClient = httpFunc(func(r *http.Request) (*http.Response, error) {
		request := map[string]any{}
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			return nil, err
		}
		*sent = append(*sent, request)
		return answered(http.StatusOK, body), nil
	})
	return dynamodb.NewFromConfig(config, w.sealing.Install), sent
}

// jsonOf is an item as DynamoDB JSON.
func jsonOf(t testing.TB, i envelope.Item) string {
	t.Helper()
	text, err := ddbjson.Marshal(i)
	ok(t, err)
	return string(text)
}

// sealed is an item as it is stored.
func (w *world) sealed(t testing.TB, table string, i envelope.Item) envelope.Item {
	t.Helper()
	key := envelope.Item{"id": i["id"]}
	if table == orders {
		key = envelope.Item{"customer": i["customer"], "number": i["number"]}
	}
	_, err := w.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: i})
	ok(t, err)
	out, err := w.raw.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: key})
	ok(t, err)
	return out.Item
}

// forge changes the signed attribute of a stored item.
func (w *world) forge(t testing.TB, table string, key envelope.Item) {
	t.Helper()
	_, err := w.raw.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &table, Key: key,
		UpdateExpression: aws.String("SET ward = :w"), ExpressionAttributeValues: envelope.Item{":w": s("forged")}})
	ok(t, err)
}
