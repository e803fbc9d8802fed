// SPDX-License-Identifier: Apache-2.0

package localawstest_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// Failures that a fault asked for are no defects of the server.
func TestFaultsAreNoFailures(t *testing.T) {
	r := &recorder{TB: t}
	s := localawstest.New(r,
		localawstest.WithOptions(
			localaws.Options{Faults: localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultInternal}}}}))
	cfg := s.Root()
	cfg.RetryMaxAttempts = 1
	if _, err := iam.NewFromConfig(cfg).ListUsers(context.Background(), nil); err == nil {
		t.Fatal("the fault did not work")
	}
	for _, f := range r.cleanups {
		f()
	}
	if len(r.failures) != 0 {
		t.Errorf("a fault that was asked for failed the test: %q", r.failures)
	}
}

// A table may have a policy that denies everything to the root user too, which is
// no defect of the server.
func TestPoliciesAreNoFailures(t *testing.T) {
	r := &recorder{TB: t}
	s := localawstest.New(r, localawstest.WithSeed(localawstest.Seed{
		Tables: []localawstest.Table{{Name: "Closed", PartitionKey: "id"}}}))
	tables := dynamodb.NewFromConfig(s.Root())
	described, err := tables.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("Closed")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tables.PutResourcePolicy(t.Context(), &dynamodb.PutResourcePolicyInput{
		ResourceArn: described.Table.TableArn, ConfirmRemoveSelfResourceAccess: true, Policy: aws.String(
			`{"Statement":{"Effect":"Deny","Principal":"*","Action":"dynamodb:*","Resource":"*"}}`)}); err != nil {
		t.Fatal(err)
	}
	_, err = tables.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("Closed")})
	localawstest.AssertDenied(t, err, "dynamodb:DescribeTable", "explicit deny in a resource-based policy")
	for _, f := range r.cleanups {
		f()
	}
	if len(r.failures) != 0 {
		t.Errorf("a table that no principal may describe failed the test: %q", r.failures)
	}
}
