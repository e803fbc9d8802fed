// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
	"github.com/ddbseal/ddbseal/store"
)

// The suite runs on localaws. With DDBSEAL_DYNALITE set to the URL of a
// dynalite server it runs there instead.
var dynalite = os.Getenv("DDBSEAL_DYNALITE")

var tables atomic.Int64

// world is a database for one test.
type world struct {
	server *localawstest.Server // nil on dynalite
	client *dynamodb.Client
	config aws.Config
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{}
	if dynalite != "" {
		w.config = aws.Config{
			Region: "us-east-1", BaseEndpoint: &dynalite,
			Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		}
	} else {
		w.server = localawstest.New(t)
		w.config = w.server.Config(w.server.RootCredentials())
	}
	w.config.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			// At a fault rate of 0.02, three attempts fail by chance once in 125,000 calls.
			o.MaxAttempts, o.MaxBackoff, o.RateLimiter = 10, 5*time.Millisecond, ratelimit.None
		})
	}
	w.client = dynamodb.NewFromConfig(w.config)
	return w
}

// onlyLocal skips what dynalite does not have.
func (w *world) onlyLocal(t testing.TB, what string) {
	t.Helper()
	if w.server == nil {
		t.Skipf("dynalite has no %s", what)
	}
}

func (w *world) faults(t testing.TB, f localaws.Faults) {
	t.Helper()
	w.onlyLocal(t, "fault injection")
	if err := w.server.SetFaults(f); err != nil {
		t.Fatal(err)
	}
}

// table makes a table with keys such as "id:S" and indexes such as
// "name=ward:S,n:N".
func (w *world) table(t testing.TB, keys string, indexes ...string) string {
	t.Helper()
	in := &dynamodb.CreateTableInput{
		TableName:   aws.String(fmt.Sprintf("test-%d-%d", os.Getpid(), tables.Add(1))),
		BillingMode: types.BillingModePayPerRequest,
	}
	defined := map[string]bool{}
	schema := func(keys string) (s []types.KeySchemaElement) {
		for i, k := range strings.Split(keys, ",") {
			name, kind, _ := strings.Cut(k, ":")
			if !defined[name] {
				in.AttributeDefinitions = append(in.AttributeDefinitions,
					types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeType(kind)})
				defined[name] = true
			}
			s = append(s, types.KeySchemaElement{AttributeName: &name,
				KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]})
		}
		return s
	}
	in.KeySchema = schema(keys)
	for _, index := range indexes {
		name, keys, _ := strings.Cut(index, "=")
		keys, projection, _ := strings.Cut(keys, " ")
		if projection == "" {
			projection = "ALL"
		}
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: &name, KeySchema: schema(keys),
			Projection: &types.Projection{ProjectionType: types.ProjectionType(projection)},
		})
	}
	if _, err := w.client.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	waiter := dynamodb.NewTableExistsWaiter(w.client,
		func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay, o.MaxDelay = 20e6, 100e6 })
	if err := waiter.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: in.TableName}, 60e9); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if w.server == nil {
			_, _ = w.client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: in.TableName})
		}
	})
	return *in.TableName
}

// expires makes the table expire items by an attribute.
func (w *world) expires(t testing.TB, table, attribute string) {
	t.Helper()
	_, err := w.client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: &table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attribute,
			Enabled: aws.Bool(true)},
	})
	ok(t, err)
}

func aesKeyring(t testing.TB, b byte) *keyring.RawAES {
	t.Helper()
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "test", Name: fmt.Sprint("key-", b),
		Key: bytes.Repeat([]byte{b}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// clientSide is the mode of most tests: the fast suite, one local key.
func clientSide(t testing.TB) store.ClientSide {
	return store.ClientSide{Keyring: aesKeyring(t, 1), AlgorithmSuite: envelope.SuiteSymmetricSignature,
		LogicalTableName: "test"}
}

// bothModes runs a test once in each mode.
func bothModes(t *testing.T, test func(t *testing.T, w *world, m store.Mode)) {
	t.Parallel()
	for _, m := range []store.Mode{store.ServerSide{}, clientSide(t)} {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel() // the tests mostly wait, for retries
			test(t, newWorld(t), m)
		})
	}
}

// bothModesAtOnce runs a test once in each mode, in time that passes only while
// it waits, so that no pause takes any.
func bothModesAtOnce(t *testing.T, test func(t *testing.T, w *world, m store.Mode)) {
	if dynalite != "" {
		t.Skip("dynalite is a process with its own time")
	}
	t.Parallel()
	for _, m := range []store.Mode{store.ServerSide{}, clientSide(t)} {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(t, newWorld(t), m) })
		})
	}
}

func open[T any](t testing.TB, c store.Client, table string, m store.Mode, opts ...store.Option) *store.Table[T] {
	t.Helper()
	out, err := store.New[T](c, table, m, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// order is the entity of most tests.
type order struct {
	Customer string            `dynamodbav:"customer" seal:"partition"`
	Number   int               `dynamodbav:"number" seal:"sort"`
	Ward     string            `dynamodbav:"ward,omitempty" seal:"sign"`
	Secret   string            `dynamodbav:"secret,omitempty"`
	Note     string            `dynamodbav:"note,omitempty" seal:"none"`
	Extra    map[string]string `dynamodbav:"extra,omitempty"`
	Tags     []string          `dynamodbav:"tags,omitempty,stringset"`
	Expiry   int64             `dynamodbav:"expiry" seal:"ttl"`
}

func (o order) key() store.Key { return store.Key{Partition: o.Customer, Sort: o.Number} }

const orderKeys = "customer:S,number:N"

// counter is an entity with a version.
type counter struct {
	ID      string `dynamodbav:"id" seal:"partition"`
	Count   int    `dynamodbav:"count"`
	Version int    `dynamodbav:"version" seal:"version"`
	Hits    int    `dynamodbav:"hits" seal:"none"`
}
