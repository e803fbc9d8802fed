package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

// DeclarationError lists what [Table.Check] found. It matches
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

// Check compares the table with its declaration by one DescribeTable: that it
// exists, its key names and types, in server-side mode its KMS key if one is
// declared, and in client-side mode that no index key is an encrypted
// attribute. Run it when the program starts. Errors: [*DeclarationError], and
// for a missing table an error that matches [ErrDeclaration] and wraps the
// SDK's.
func (t *Table[T]) Check(ctx context.Context) error {
	out, err := t.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &t.name})
	if err != nil {
		return t.callError("check", err)
	}
	if out.Table == nil {
		return fmt.Errorf("check of %s: DescribeTable returned nothing", t.name)
	}
	var problems []string
	report := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	kinds := make(map[string]string)
	for _, a := range out.Table.AttributeDefinitions {
		kinds[aws.ToString(a.AttributeName)] = string(a.AttributeType)
	}
	t.checkKeys(out.Table.KeySchema, kinds, report)
	if m, ok := t.mode.(ServerSide); ok && m.KMSKeyARN != "" {
		checkSSE(m.KMSKeyARN, out.Table.SSEDescription, report)
	}
	for _, i := range out.Table.GlobalSecondaryIndexes {
		t.checkIndex(aws.ToString(i.IndexName), i.KeySchema, report)
	}
	for _, i := range out.Table.LocalSecondaryIndexes {
		t.checkIndex(aws.ToString(i.IndexName), i.KeySchema, report)
	}
	if len(problems) > 0 {
		return &DeclarationError{Table: t.name, Problems: problems}
	}
	return nil
}

func (c *core) checkKeys(schema []types.KeySchemaElement, kinds map[string]string, report func(string, ...any)) {
	real := map[types.KeyType]string{}
	for _, k := range schema {
		real[k.KeyType] = aws.ToString(k.AttributeName)
	}
	for _, k := range []struct {
		what  string
		typ   types.KeyType
		field *field
	}{{"partition", types.KeyTypeHash, c.plan.partition}, {"sort", types.KeyTypeRange, c.plan.sort}} {
		declared := ""
		if k.field != nil {
			declared = k.field.name
		}
		if real[k.typ] != declared {
			report("%s key is %q, declared %q", k.what, real[k.typ], declared)
			continue
		}
		if k.field == nil {
			continue
		}
		if want := k.field.keyType(); want != "" && kinds[declared] != want {
			report("%s key %q is of type %s, field %s of type %s", k.what, declared, kinds[declared], k.field.goName, want)
		}
	}
}

func checkSSE(arn string, sse *types.SSEDescription, report func(string, ...any)) {
	if sse == nil || aws.ToString(sse.KMSMasterKeyArn) == "" {
		report("encrypted under a key that AWS owns, declared %s", arn)
		return
	}
	if got := aws.ToString(sse.KMSMasterKeyArn); got != arn {
		report("encrypted under %s, declared %s", got, arn)
	}
	if sse.InaccessibleEncryptionDateTime != nil {
		report("the KMS key is inaccessible since %v", sse.InaccessibleEncryptionDateTime.UTC())
	}
}

func (c *core) checkIndex(index string, schema []types.KeySchemaElement, report func(string, ...any)) {
	for _, k := range schema {
		if f := c.plan.field(aws.ToString(k.AttributeName)); f != nil && f.isTextTime() {
			report("key %q of index %s is field %s: %s", f.name, index, f.goName, textTime)
		}
	}
	if c.encryptor == nil {
		return
	}
	for _, k := range schema {
		name := aws.ToString(k.AttributeName)
		if action, _ := c.encryptor.Action(name); action == envelope.EncryptAndSign {
			report("key %q of index %s is encrypted: the index holds ciphertext", name, index)
		}
	}
}
