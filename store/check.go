// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store/internal/calls"
	"github.com/ddbseal/ddbseal/store/internal/expiry"
	"github.com/ddbseal/ddbseal/store/internal/provision"
)

// DeclarationError lists what [Table.Check] or [Create] found. It matches
// [ErrDeclaration].
type DeclarationError struct {
	Table    string
	Problems []string
}

// Error lists the problems.
func (e *DeclarationError) Error() string {
	return fmt.Sprintf("%v: %s: %s", ErrDeclaration, e.Table, strings.Join(e.Problems, "; "))
}

// Unwrap gives [ErrDeclaration].
func (e *DeclarationError) Unwrap() error { return ErrDeclaration }

// CheckReport is what [Table.CheckReport] found out.
type CheckReport struct {
	// Problems say, for each difference between the table and its declaration,
	// what the table has and what is declared.
	Problems []string
	// Unchecked says what was not compared and why, such as the table's time to
	// live because the caller lacks dynamodb:DescribeTimeToLive.
	Unchecked []string
}

// Check compares the table with its declaration; run it when the program
// starts. It calls DescribeTable and, if the client has the method and T has a
// ttl field or the table is encrypted on the client, DescribeTimeToLive. It
// compares:
//
//   - the names and types of the keys;
//   - in server-side mode the KMS key, if one is declared;
//   - in client-side mode that no index has an encrypted attribute as a key, and
//     that the table does not expire items by an encrypted attribute, which
//     DynamoDB never does, and that an index on a beacon is on one that items
//     have;
//   - that the table expires items by the field that T tags ttl;
//   - that the indexes of [WholeIndexes] exist and project all attributes;
//   - that the indexes which tags of T declare exist, with the keys and the
//     projection that they are declared to have.
//
// A caller who lacks dynamodb:DescribeTimeToLive gets no error for that:
// [Table.CheckReport] says what was not compared. Errors: [*DeclarationError],
// and for a missing table an error that matches [ErrDeclaration] and wraps the
// SDK's.
func (t *Table[T]) Check(ctx context.Context) error {
	r, err := t.CheckReport(ctx)
	if err == nil && len(r.Problems) > 0 {
		err = &DeclarationError{Table: t.name, Problems: r.Problems}
	}
	return err
}

// CheckReport compares as [Table.Check] does, and returns the problems instead
// of an error, with what it could not compare. Errors: the SDK's, and for a
// missing table one that also matches [ErrDeclaration].
func (t *Table[T]) CheckReport(ctx context.Context) (CheckReport, error) {
	var r CheckReport
	out, err := t.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &t.name})
	if err != nil {
		return r, t.callError("check", err)
	}
	if out.Table == nil {
		return r, fmt.Errorf("check of %s: DescribeTable returned nothing", t.name)
	}
	report := func(format string, args ...any) { r.Problems = append(r.Problems, fmt.Sprintf(format, args...)) }
	kinds := make(map[string]string)
	for _, a := range out.Table.AttributeDefinitions {
		kinds[aws.ToString(a.AttributeName)] = string(a.AttributeType)
	}
	t.plan.KeyDifferences(out.Table.KeySchema, kinds, report)
	if m, ok := t.mode.(ServerSide); ok && m.KMSKeyARN != "" {
		provision.SSEDifferences(m.KMSKeyARN, out.Table.SSEDescription, report)
	}
	for _, i := range out.Table.GlobalSecondaryIndexes {
		t.requests().IndexDifferences(aws.ToString(i.IndexName), i.KeySchema, kinds, report)
	}
	for _, i := range out.Table.LocalSecondaryIndexes {
		t.requests().IndexDifferences(aws.ToString(i.IndexName), i.KeySchema, kinds, report)
	}
	provision.WholeDifferences(t.options.wholeIndexes, out.Table, report)
	provision.IndexDifferences(t.plan.Indexes, out.Table, report)
	if t.encryptor == nil && t.plan.TTL == nil {
		return r, nil
	}
	client, options := calls.Base(t.client) // which may have more methods than a Client
	attribute, unchecked, err := expiry.Attribute(ctx, client, t.name, options...)
	switch {
	case err != nil:
		return r, t.callError("check", err)
	case unchecked != "":
		r.Unchecked = append(r.Unchecked, unchecked)
	default:
		t.requests().ExpiryDifferences(attribute, report)
	}
	return r, nil
}
