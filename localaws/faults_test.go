// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/localaws"
)

func TestFaults(t *testing.T) {
	s := start(t, localaws.Options{})
	cfg := s.Config(s.RootCredentials())
	cfg.RetryMaxAttempts = 1
	tables, keys, people := dynamodb.NewFromConfig(cfg), kms.NewFromConfig(cfg), iam.NewFromConfig(cfg)
	for _, name := range []string{"One", "Two"} {
		name := name + "Table"
		if _, err := tables.CreateTable(ctx,
			&dynamodb.CreateTableInput{TableName: &name, BillingMode: dynamodbtypes.BillingModePayPerRequest,
				AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("id"),
					AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
				KeySchema: []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("id"),
					KeyType: dynamodbtypes.KeyTypeHash}}}); err != nil {
			t.Fatal(err)
		}
	}
	scan := func(table string) func() error {
		return func() error {
			_, err := tables.Scan(ctx, &dynamodb.ScanInput{TableName: &table})
			return err
		}
	}
	listKeys := func() error { _, err := keys.ListKeys(ctx, nil); return err }
	listUsers := func() error { _, err := people.ListUsers(ctx, nil); return err }
	put := dynamodbtypes.TransactWriteItem{Put: &dynamodbtypes.Put{TableName: aws.String("OneTable"),
		Item: map[string]dynamodbtypes.AttributeValue{"id": &dynamodbtypes.AttributeValueMemberS{Value: "1"}}}}
	transact := func() error {
		_, err := tables.TransactWriteItems(ctx,
			&dynamodb.TransactWriteItemsInput{TransactItems: []dynamodbtypes.TransactWriteItem{put}})
		return err
	}
	transactGet := func() error {
		_, err := tables.TransactGetItems(ctx,
			&dynamodb.TransactGetItemsInput{TransactItems: []dynamodbtypes.TransactGetItem{{Get: &dynamodbtypes.Get{
				TableName: aws.String("OneTable"),
				Key: map[string]dynamodbtypes.AttributeValue{
					"id": &dynamodbtypes.AttributeValueMemberS{Value: "1"}}}}}})
		return err
	}
	type step struct {
		do   func() error
		want string
	}
	for _, c := range []struct {
		name  string
		rules []localaws.Fault
		steps []step
	}{
		{"throttling of a service", []localaws.Fault{{Kind: localaws.FaultThrottle, Service: "kms"}}, []step{{listKeys, "ThrottlingException"}, {listUsers, ""}}},
		{"throttling of IAM", []localaws.Fault{{Kind: localaws.FaultThrottle, Service: "iam"}}, []step{{listUsers, "Throttling"}, {listKeys, ""}}},
		{"throttling of a table", []localaws.Fault{{Kind: localaws.FaultThrottle, Table: "OneTable"}}, []step{{scan("OneTable"), "ThrottlingException"}, {scan("TwoTable"), ""}, {listKeys, ""}}},
		{"throttling of everything", []localaws.Fault{{Kind: localaws.FaultThrottle}}, []step{{scan("OneTable"), "ThrottlingException"}, {listKeys, "ThrottlingException"}}},
		{"an operation", []localaws.Fault{{Kind: localaws.FaultInternal, Operation: "Scan"}}, []step{{scan("OneTable"), "InternalServerError"}, {transact, ""}}},
		{"internal", []localaws.Fault{{Kind: localaws.FaultInternal}}, []step{{listKeys, "KMSInternalException"}, {listUsers, "InternalFailure"}}},
		{"unavailable, once after the first", []localaws.Fault{{Kind: localaws.FaultUnavailable, Skip: 1, Count: 1}}, []step{{listKeys, ""}, {listKeys, "ServiceUnavailable"}, {listKeys, ""}}},
		{"the first rule decides", []localaws.Fault{{Kind: localaws.FaultThrottle, Service: "kms"}, {Kind: localaws.FaultInternal}}, []step{{listKeys, "ThrottlingException"}, {listUsers, "InternalFailure"}}},
		{"transaction conflict", []localaws.Fault{{Kind: localaws.FaultTransactionConflict, Count: 1}}, []step{{scan("OneTable"), ""}, {transact, "TransactionCanceledException"}, {transact, ""}}},
		{"transaction conflict of an operation", []localaws.Fault{{Kind: localaws.FaultTransactionConflict, Operation: "TransactGetItems"}}, []step{{transact, ""}, {transactGet, "TransactionCanceledException"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := s.SetFaults(localaws.Faults{Rules: c.rules}); err != nil {
				t.Fatal(err)
			}
			for i, step := range c.steps {
				if got := code(step.do()); got != step.want {
					t.Errorf("call %d: got %q, want %q", i, got, step.want)
				}
			}
		})
	}

	t.Run("unprocessed items", func(t *testing.T) {
		if err := s.SetFaults(localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultUnprocessed, Skip: 1,
			Count: 1}}}); err != nil {
			t.Fatal(err)
		}
		request := func(id string) dynamodbtypes.WriteRequest {
			return dynamodbtypes.WriteRequest{PutRequest: &dynamodbtypes.PutRequest{
				Item: map[string]dynamodbtypes.AttributeValue{"id": &dynamodbtypes.AttributeValueMemberS{Value: id}}}}
		}
		left := map[string][]dynamodbtypes.WriteRequest{"TwoTable": {request("a"), request("b"), request("c")}}
		for round, want := range []int{1, 0} {
			out, err := tables.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: left})
			if err != nil {
				t.Fatal(err)
			}
			if left = out.UnprocessedItems; len(left["TwoTable"]) != want {
				t.Fatalf("round %d: %d unprocessed, want %d", round, len(left["TwoTable"]), want)
			}
		}
		out, err := tables.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("TwoTable")})
		if err != nil || out.Count != 3 {
			t.Errorf("%d items, %v", out.Count, err)
		}
	})
	t.Run("rate", func(t *testing.T) {
		hits := func(seed uint64) (n int) {
			if err := s.SetFaults(localaws.Faults{Seed: seed,
				Rules: []localaws.Fault{{Kind: localaws.FaultThrottle, Service: "kms", Rate: 0.25}}}); err != nil {
				t.Fatal(err)
			}
			for range 200 {
				if listKeys() != nil {
					n++
				}
			}
			return n
		}
		if a, b := hits(7), hits(7); a != b || a < 25 || a > 75 {
			t.Errorf("%d and %d of 200 calls were hit at a rate of 0.25 and the same seed", a, b)
		}
	})
	t.Run("latency ends with the context", func(t *testing.T) {
		if err := s.SetFaults(localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultLatency, Service: "kms",
			Latency: time.Minute}}}); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		if _, err := keys.ListKeys(short, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("latencies add up", func(t *testing.T) {
		rule := localaws.Fault{Kind: localaws.FaultLatency, Service: "kms", Latency: 20 * time.Millisecond}
		if err := s.SetFaults(localaws.Faults{Rules: []localaws.Fault{rule, rule}}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := listKeys(); err != nil || time.Since(began) < 40*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestFaultValidation(t *testing.T) {
	for name, f := range map[string]localaws.Fault{
		"no kind":                  {},
		"unknown kind":             {Kind: 99},
		"rate":                     {Kind: localaws.FaultThrottle, Rate: 1.1},
		"negative rate":            {Kind: localaws.FaultThrottle, Rate: -0.1},
		"negative count":           {Kind: localaws.FaultThrottle, Count: -1},
		"latency without length":   {Kind: localaws.FaultLatency},
		"length without latency":   {Kind: localaws.FaultThrottle, Latency: time.Second},
		"table of an internal one": {Kind: localaws.FaultInternal, Table: "x"},
		"table of KMS":             {Kind: localaws.FaultThrottle, Service: "kms", Table: "x"},
		"unprocessed keys":         {Kind: localaws.FaultUnprocessed, Service: "kms"},
		"operation of a split":     {Kind: localaws.FaultShardSplit, Operation: "PutItem"},
	} {
		if _, err := localaws.New(localaws.Options{Faults: localaws.Faults{Rules: []localaws.Fault{f}}}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
