// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/testenv"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/change"
)

func TestMain(m *testing.M) {
	remove := testenv.Isolate()
	if os.Getenv(childURL) != "" {
		if err := child(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	remove()
	os.Exit(code)
}

// patient is an item of the tests.
type patient struct {
	ID        string `dynamodbav:"id" seal:"partition"`
	Ward      string `dynamodbav:"ward" seal:"sign"`
	Diagnosis string `dynamodbav:"diagnosis"`
	Visits    int    `dynamodbav:"visits"`
	Expires   int64  `dynamodbav:"expires" seal:"ttl"`
}

const secret = "hay fever and more"

func aPatient(i int) patient {
	return patient{ID: fmt.Sprintf("patient-%d", i), Ward: "north", Diagnosis: secret, Visits: i}
}

func aKeyring(t testing.TB) store.ClientSide {
	t.Helper()
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "test", Name: "key-1", Key: make([]byte, 32)})
	ok(t, err)
	return store.ClientSide{Keyring: k, AlgorithmSuite: envelope.SuiteSymmetricSignature}
}

// noClient is a client that no test may call.
type noClient struct{ store.Client }

func patients(t testing.TB) *store.Table[patient] {
	t.Helper()
	return must(store.New[patient](noClient{}, "patients", aKeyring(t)))(t)
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

// sealed is the stored form of an item as DynamoDB JSON.
func sealed(t testing.TB, e *envelope.ItemEncryptor, item envelope.Item) string {
	t.Helper()
	if e != nil {
		item = must(e.EncryptItem(t.Context(), item))(t)
	}
	return string(must(ddbjson.Marshal(item))(t))
}

func plainPatient(p patient) envelope.Item {
	return envelope.Item{
		"id": &types.AttributeValueMemberS{Value: p.ID}, "ward": &types.AttributeValueMemberS{Value: p.Ward},
		"diagnosis": &types.AttributeValueMemberS{Value: p.Diagnosis},
		"visits":    &types.AttributeValueMemberN{Value: fmt.Sprint(p.Visits)},
	}
}

// collected are the results of an iteration.
type collected[T any] struct {
	changes []change.Change[T]
	errs    []error
}

func collect[T any](all func(func(change.Change[T], error) bool)) (out collected[T]) {
	for c, err := range all {
		out.changes, out.errs = append(out.changes, c), append(out.errs, err)
	}
	return out
}

// world is an embedded AWS whose client retries until injected faults are used up.
type world struct {
	server  *localawstest.Server
	db      *dynamodb.Client
	streams *dynamodbstreams.Client
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{server: localawstest.New(t)}
	config := w.server.Config(w.server.RootCredentials())
	config.Retryer = patient10
	w.db, w.streams = dynamodb.NewFromConfig(config), dynamodbstreams.NewFromConfig(config)
	return w
}

// patient10 retries quickly, with enough attempts that chance never uses them up.
func patient10() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff, o.RateLimiter = 10, 5*time.Millisecond, ratelimit.None
	})
}

// streamed makes a table with a stream.
func (w *world) streamed(t testing.TB, name string, view types.StreamViewType) *store.Table[patient] {
	t.Helper()
	_, err := w.db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: "HASH"}},
		StreamSpecification:  &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: view},
	})
	ok(t, err)
	return must(store.New[patient](w.db, name, aKeyring(t)))(t)
}

var errDone = errors.New("the test has seen enough")

// first follows until n changes were handled.
func first(ctx context.Context, w change.StreamsClient, table change.Table[patient], n int,
	options ...change.Option) (out []change.Change[patient], err error) {
	err = change.Follow(ctx, w, table, func(_ context.Context, c change.Change[patient]) error {
		if len(out) < n {
			out = append(out, c)
		}
		if len(out) == n {
			return errDone
		}
		return nil
	}, append([]change.Option{change.Attempts(1), change.Parallel(1), change.PollEvery(time.Millisecond)},
		options...)...)
	if errors.Is(err, errDone) {
		err = nil
	}
	return out, err
}
