// SPDX-License-Identifier: Apache-2.0

package keystore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

func newStorage(t testing.TB, client keystore.DynamoDBClient) *keystore.DynamoDBStorage {
	t.Helper()
	s, err := keystore.NewDynamoDBStorage(client, "keys")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// More records than a transaction holds are deleted by several, in their order,
// until one fails.
func TestDeleteInSeveralTransactions(t *testing.T) {
	for _, c := range []struct{ records, failing, deleted int }{{0, 0, 0}, {1, 0, 1}, {100, 0, 100}, {101, 0, 101},
		{250, 0, 250}, {250, 1, 0}, {250, 2, 100}, {250, 3, 200}} {
		table := newTable()
		failed, calls := errors.New("no network"), 0
		table.fault = func(string) error {
			if calls++; calls == c.failing {
				return failed
			}
			return nil
		}
		var kinds []string
		for i := range c.records {
			kinds = append(kinds, fmt.Sprintf("kind %03d", i))
		}
		err := newStorage(t, table).Delete(t.Context(), "tenant", kinds)
		if (c.failing > 0) != errors.Is(err, failed) || c.failing == 0 && err != nil {
			t.Errorf("%+v: %v", c, err)
		}
		if len(table.deleted) != c.deleted {
			t.Errorf("%+v: %d were deleted", c, len(table.deleted))
		}
		for i, name := range table.deleted {
			if name != "tenant|"+kinds[i] {
				t.Errorf("%+v: %s was deleted as number %d", c, name, i)
				break
			}
		}
	}
}

// A cancelled transaction means what its reasons say, and nothing else.
func TestCancelledTransactions(t *testing.T) {
	w := newWorld(t)
	for _, codes := range [][]string{{"ValidationError"}, {"None", "ItemCollectionSizeLimitExceeded"}, {},
		{"None", ""}} {
		cancelled := &types.TransactionCanceledException{}
		for _, code := range codes {
			cancelled.CancellationReasons = append(cancelled.CancellationReasons,
				types.CancellationReason{Code: aws.String(code)})
		}
		w.table.fault = func(operation string) error {
			if operation == "TransactWriteItems" {
				return cancelled
			}
			return nil
		}
		_, err := w.CreateKey(t.Context(), keystore.CreateKeyInput{})
		for _, not := range []error{keystore.ErrExists, keystore.ErrConflict, keystore.ErrUnavailable,
			materials.ErrKeyDenied} {
			if errors.Is(err, not) {
				t.Errorf("%q: %v", codes, err)
			}
		}
		var e *materials.KeyError
		if !errors.Is(err, cancelled) || !errors.As(err, &e) || e.Code != "TransactionCanceledException" ||
			!strings.Contains(err.Error(), "key store table keys") {
			t.Errorf("%q: %v", codes, err)
		}
	}
}

// oddTable answers with items that no table of this schema holds.
type oddTable struct {
	*table
	items []item
}

func (o oddTable) Query(context.Context, *dynamodb.QueryInput,
	...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return &dynamodb.QueryOutput{Items: o.items}, nil
}

// An attribute of a type that no client writes makes an item no record, whatever
// the order in which its attributes are read. A listing shows it with what it
// has of a key.
func TestItemsThatAreNoRecords(t *testing.T) {
	w := newWorld(t)
	w.tenant(t, "tenant")
	good := w.table.items["tenant|branch:ACTIVE"]
	str, bin := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }, good["enc"]
	for name, v := range map[string]types.AttributeValue{
		"enc": str("x"), "other": bin, "version": bin, "create-time": &types.AttributeValueMemberN{Value: "1"},
		"hierarchy-version": bin,
		"note":              &types.AttributeValueMemberBOOL{}, "nil": nil, "list": &types.AttributeValueMemberL{},
	} {
		altered := item{}
		for k, v := range good {
			altered[k] = v
		}
		altered[name] = v
		w.table.items["tenant|branch:ACTIVE"] = altered
		calls := len(w.kms.Calls())
		for range 5 {
			if _, err := w.Active(t.Context(), "tenant"); !errors.Is(err, keystore.ErrInvalidRecord) ||
				len(w.kms.Calls()) != calls {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	records, err := newStorage(t, oddTable{w.table, []item{
		good, {"branch-key-id": str("tenant"), "type": str("junk"), "m": &types.AttributeValueMemberM{}},
		{"branch-key-id": str("tenant"), "type": &types.AttributeValueMemberN{Value: "1"}}, {"m": &types.AttributeValueMemberM{}},
	}}).List(t.Context(), "tenant")
	if err != nil || len(records) != 4 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for i, want := range []struct{ id, kind string }{{"tenant", "branch:ACTIVE"}, {"tenant", "junk"}, {"tenant", ""},
		{"", ""}} {
		if r := records[i]; r.BranchKeyID() != want.id || r.Type() != want.kind || (len(r.Wrapped) > 0) != (i == 0) ||
			(len(r.Attributes) > 2) != (i == 0) {
			t.Errorf("record %d is %v", i, r.Attributes)
		}
	}
}

// What a service says that has no name here is passed on without one.
func TestUnknownServiceErrors(t *testing.T) {
	w := newWorld(t)
	w.tenant(t, "tenant")
	odd := &smithy.GenericAPIError{Code: "ValidationException", Message: "odd"}
	w.table.fault = func(string) error { return odd }
	_, err := w.Active(t.Context(), "tenant")
	if errors.Is(err, keystore.ErrUnavailable) || !errors.Is(err, odd) ||
		!strings.Contains(err.Error(), "key store table keys") {
		t.Errorf("table: %v", err)
	}
}

// A table that was not created is the first mistake with a key store.
func TestMissingTableNamesTheCure(t *testing.T) {
	w := newWorld(t)
	w.table.fault = func(string) error { return &types.ResourceNotFoundException{} }
	_, err := w.CreateKey(t.Context(), keystore.CreateKeyInput{})
	if err == nil || !strings.Contains(err.Error(), "key store table keys does not exist; CreateTable creates it") {
		t.Error(err)
	}
	_, err = w.CreateKey(t.Context(), keystore.CreateKeyInput{BranchKeyID: "tenant"})
	if !errors.Is(err, materials.ErrConfiguration) || !strings.Contains(err.Error(), "set EncryptionContext") {
		t.Error(err)
	}
}
