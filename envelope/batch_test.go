// SPDX-License-Identifier: Apache-2.0

package envelope_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
)

func TestBatchesKeepOrder(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	items := make([]envelope.Item, 50)
	for i := range items {
		items[i] = validItem()
		items[i]["sk"] = n(fmt.Sprint(i))
	}
	sealed, err := e.EncryptAll(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.DecryptAll(t.Context(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	for i := range items {
		sameItem(t, got[i], items[i])
	}
	for _, f := range []func() ([]envelope.Item, error){
		func() ([]envelope.Item, error) { return e.EncryptAll(t.Context(), nil) },
		func() ([]envelope.Item, error) { return e.DecryptAll(t.Context(), nil) },
	} {
		if out, err := f(); err != nil || len(out) != 0 {
			t.Errorf("an empty batch gives %v, %v", out, err)
		}
	}
}

func TestBatchesReportEachFailure(t *testing.T) {
	e := mustEncryptor(t, validConfig(t))
	broken := validItem()
	delete(broken, "pk")
	sealed, err := e.EncryptAll(t.Context(), []envelope.Item{validItem(), broken, nil, validItem()})
	var batch *envelope.BatchError
	if !errors.As(err, &batch) || !errors.Is(err, envelope.ErrInvalidItem) {
		t.Fatalf("got %v", err)
	}
	for i, failed := range []bool{false, true, true, false} {
		if (batch.Errors[i] != nil) != failed || (sealed[i] == nil) != failed {
			t.Errorf("item %d: %v, %v", i, sealed[i], batch.Errors[i])
		}
	}
	if len(batch.Unwrap()) != 2 {
		t.Errorf("%d errors", len(batch.Unwrap()))
	}
	const text = `2 of 4 items failed, the first at index 1: encrypt table "orders" attribute "pk": item cannot be encrypted: key attribute is missing`
	if err.Error() != text {
		t.Errorf("got %q", err)
	}
	_, err = e.DecryptAll(t.Context(), []envelope.Item{sealed[0], validItem()})
	if !errors.As(err, &batch) || batch.Errors[0] != nil || !errors.Is(batch.Errors[1], envelope.ErrNotEncrypted) {
		t.Errorf("got %v", err)
	}
}

// A keyring that panics is the caller's to recover from, as with one item.
func TestBatchPanicsInItsCaller(t *testing.T) {
	own := errors.New("supplier is broken")
	supplier := func(context.Context, map[string]types.AttributeValue) (string, error) { panic(own) }
	k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: &keyring.MemorySource{}, Supplier: supplier})
	if err != nil {
		t.Fatal(err)
	}
	config := validConfig(t)
	config.Keyring = k
	e := mustEncryptor(t, config)
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, own) ||
			!strings.Contains(err.Error(), "TestBatchPanicsInItsCaller") {
			t.Errorf("recovered %v", err)
		}
	}()
	_, err = e.EncryptAll(t.Context(), []envelope.Item{validItem(), validItem()})
	t.Errorf("no panic, but %v", err)
}
