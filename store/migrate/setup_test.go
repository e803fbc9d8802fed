// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
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
	"github.com/ddbseal/ddbseal/localaws/localawstest"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// world is an embedded AWS with a checkpoint table, whose client retries until
// injected faults are used up.
type world struct {
	server *localawstest.Server
	client *dynamodb.Client
	tables int
}

const checkpoints = "checkpoints"

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{server: localawstest.New(t)}
	config := w.server.Config(w.server.RootCredentials())
	config.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			// Enough attempts that chance alone never uses them up.
			o.MaxAttempts, o.MaxBackoff, o.RateLimiter = 10, 5*time.Millisecond, ratelimit.None
		})
	}
	w.client = dynamodb.NewFromConfig(config)
	ok(t, migrate.CreateCheckpointTable(t.Context(), w.client, checkpoints))
	ok(t, migrate.CreateCheckpointTable(t.Context(), w.client, checkpoints)) // again is not an error
	return w
}

// table makes a table of items id "item-0" to "item-<count-1>", in plaintext or
// sealed by e.
func (w *world) table(t testing.TB, count int, e *envelope.ItemEncryptor) string {
	t.Helper()
	w.tables++
	name := fmt.Sprint("table-", w.tables)
	_, err := w.client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	ok(t, err)
	for i := range count {
		w.put(t, name, item(i), e)
	}
	return name
}

func (w *world) put(t testing.TB, table string, item envelope.Item, e *envelope.ItemEncryptor) {
	t.Helper()
	if e != nil {
		var err error
		item, err = e.EncryptItem(t.Context(), item)
		ok(t, err)
	}
	_, err := w.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item})
	ok(t, err)
}

// all reads the table as it is stored.
func (w *world) all(t testing.TB, table string) []envelope.Item {
	t.Helper()
	out, err := w.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	ok(t, err)
	return out.Items
}

func item(i int) envelope.Item {
	return envelope.Item{"id": s(fmt.Sprint("item-", i)), "ward": s("w"), "secret": s(fmt.Sprint("secret ", i)),
		"note": s("n"), "count": &types.AttributeValueMemberN{Value: "0"}}
}

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func aes(t testing.TB, b byte) materials.Keyring {
	t.Helper()
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "test", Name: fmt.Sprint("key-", b),
		Key: bytes.Repeat([]byte{b}, 32)})
	ok(t, err)
	return k
}

type change func(*envelope.Config)

// encryptor is the usual configuration with changes.
func encryptor(t testing.TB, k materials.Keyring, changes ...change) *envelope.ItemEncryptor {
	t.Helper()
	c := envelope.Config{
		LogicalTableName: "table", PartitionKey: "id", AlgorithmSuite: envelope.SuiteSymmetricSignature, Keyring: k,
		Actions: map[string]envelope.Action{
			"id": envelope.SignOnly, "ward": envelope.SignOnly, "secret": envelope.EncryptAndSign,
			"count": envelope.EncryptAndSign, "note": envelope.DoNothing,
		},
		AllowedUnsigned: []string{"note"},
	}
	for _, f := range changes {
		f(&c)
	}
	e, err := envelope.NewItemEncryptor(c)
	ok(t, err)
	return e
}

func (w *world) config(table string, from, to *envelope.ItemEncryptor) migrate.Config {
	return migrate.Config{Client: w.client, Table: table, ID: table, From: from, To: to, CheckpointTable: checkpoints,
		Segments: 3, PageSize: 7}
}

// migrated runs a migration with its dry run, and returns both reports' counts.
func migrated(t testing.TB, c migrate.Config) (dry, real migrate.Counts) {
	t.Helper()
	m, err := migrate.New(c)
	ok(t, err)
	a, err := m.DryRun(t.Context())
	ok(t, err)
	b, err := m.Run(t.Context())
	ok(t, err)
	return a.Counts, b.Counts
}

// opens checks that e opens every item and that count of them are there.
func (w *world) opens(t testing.TB, table string, e *envelope.ItemEncryptor, count int) {
	t.Helper()
	items := w.all(t, table)
	if len(items) != count {
		t.Errorf("%d items, want %d", len(items), count)
	}
	for _, stored := range items {
		plain := stored
		if e != nil {
			var err error
			if plain, err = e.DecryptItem(t.Context(), stored); err != nil {
				t.Errorf("an item does not open: %v", err)
				continue
			}
		}
		id := plain["id"].(*types.AttributeValueMemberS).Value
		if secret, _ := plain["secret"].(*types.AttributeValueMemberS); secret == nil ||
			secret.Value != "secret "+strings.TrimPrefix(id, "item-") {
			t.Errorf("%s has another secret", id)
		}
	}
}

// opensFails checks that one item is still in plaintext.
func (w *world) opensFails(t testing.TB, table string, e *envelope.ItemEncryptor) {
	t.Helper()
	failed := 0
	for _, stored := range w.all(t, table) {
		if _, err := e.DecryptItem(t.Context(), stored); errors.Is(err, envelope.ErrNotEncrypted) {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d items in plaintext", failed)
	}
}

// mortal is a client that dies at a call: either before or after the call was
// done, and for good.
type mortal struct {
	*dynamodb.Client
	mu    sync.Mutex
	calls int // left to live
	after bool
}

var errDead = errors.New("killed")

func die[In, Out any](m *mortal, ctx context.Context, in *In, o []func(*dynamodb.Options),
	call func(context.Context, *In, ...func(*dynamodb.Options)) (*Out, error)) (*Out, error) {
	m.mu.Lock()
	m.calls--
	left, after := m.calls, m.after
	m.mu.Unlock()
	if left < 0 || left == 0 && !after {
		return nil, errDead
	}
	out, err := call(ctx, in, o...)
	if left == 0 {
		return nil, errDead
	}
	return out, err
}

func (m *mortal) Scan(ctx context.Context, in *dynamodb.ScanInput,
	o ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	return die(m, ctx, in, o, m.Client.Scan)
}
func (m *mortal) GetItem(ctx context.Context, in *dynamodb.GetItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return die(m, ctx, in, o, m.Client.GetItem)
}
func (m *mortal) PutItem(ctx context.Context, in *dynamodb.PutItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return die(m, ctx, in, o, m.Client.PutItem)
}

func (m *mortal) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return die(m, ctx, in, o, m.Client.UpdateItem)
}

func multi(t testing.TB, keys ...byte) materials.Keyring {
	t.Helper()
	var all []materials.Keyring
	for _, k := range keys {
		all = append(all, aes(t, k))
	}
	k, err := keyring.NewMulti(all[0], all[1:]...)
	ok(t, err)
	return k
}
