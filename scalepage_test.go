// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/change"
)

var (
	patients *store.Table[Patient]
	index    func(context.Context, change.Change[Patient]) error
)

// handle is the function of docs/scale.md, as TestCodeIsHere checks.
func handle(ctx context.Context, event json.RawMessage) (change.BatchResponse, error) {
	records, err := change.Lambda(event)
	if err != nil {
		return change.BatchResponse{}, err
	}
	for c, err := range change.Decode(ctx, patients, records) {
		if err == nil {
			if err = index(ctx, c); err != nil {
				err = c.Failed(err)
			}
		}
		if response, ok := change.Response(err); err != nil && ok {
			return response, nil
		} else if err != nil {
			return change.BatchResponse{}, err
		}
	}
	response, _ := change.Response(nil)
	return response, nil
}

// handleBatch is what a record processor of the KCL does there.
func handleBatch(ctx context.Context, batch []processed) error {
	records := make([]change.Record, len(batch))
	for i, r := range batch {
		records[i] = change.Kinesis(r.Data, r.SequenceNumber)
	}
	for c, err := range change.Decode(ctx, patients, records) {
		if err == nil {
			err = index(ctx, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// processed is a record as the KCL gives it to a processor.
type processed struct {
	Data           []byte
	SequenceNumber string
}

// TestScalePage runs the functions of docs/scale.md on records of keys.
func TestScalePage(t *testing.T) {
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "example", Name: "key", Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	db := dynamodb.NewFromConfig(localawstest.New(t).Root())
	if patients, err = store.New[Patient](db, "patients", store.ClientSide{Keyring: k}); err != nil {
		t.Fatal(err)
	}
	seen := 0
	errSecond := errors.New("the second record fails")
	index = func(_ context.Context, c change.Change[Patient]) error {
		if seen++; c.Sequence == "222" {
			return errSecond
		}
		return nil
	}
	response, err := handle(t.Context(), json.RawMessage(`{"Records": [
		{"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": {"Keys": {"id": {"S": "7"}},
			"SequenceNumber": "111", "StreamViewType": "KEYS_ONLY"}},
		{"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": {"Keys": {"id": {"S": "8"}},
			"SequenceNumber": "222", "StreamViewType": "KEYS_ONLY"}}]}`))
	if err != nil || seen != 2 || len(response.BatchItemFailures) != 1 ||
		response.BatchItemFailures[0].ItemIdentifier != "222" {
		t.Error(response, err, seen)
	}
	if err := store.Create(t.Context(), store.CreateOptions{}, patients); err != nil {
		t.Fatal(err)
	}
	record := func(id string) []byte {
		if err := patients.Put(t.Context(), Patient{ID: id, Diagnosis: "hay fever"}); err != nil {
			t.Fatal(err)
		}
		item, err := patients.Raw(t.Context(), store.Key{Partition: id})
		if err != nil {
			t.Fatal(err)
		}
		image, err := ddbjson.Marshal(item)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Appendf(nil, `{"eventName": "INSERT", "tableName": "patients", "dynamodb": {`+
			`"ApproximateCreationDateTime": 1, "Keys": {"id": {"S": %q}}, "NewImage": %s}}`, id, image)
	}
	batch := []processed{{record("7"), "1"}, {record("8"), "222"}}
	if err := handleBatch(t.Context(), batch); !errors.Is(err, errSecond) {
		t.Error(err)
	}
}
