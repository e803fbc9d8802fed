// SPDX-License-Identifier: Apache-2.0

package localawstest

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tableInput returns the request for a table with its keys and indexes.
func (s *Server) tableInput(t Table) *dynamodb.CreateTableInput {
	s.t.Helper()
	in := &dynamodb.CreateTableInput{TableName: &t.Name, BillingMode: types.BillingModePayPerRequest}
	in.KeySchema = s.keySchema(in, t.Name, []string{t.PartitionKey}, []string{t.SortKey})
	for _, x := range t.Indexes {
		projection := &types.Projection{ProjectionType: types.ProjectionTypeAll}
		switch {
		case len(x.Projection) > 0:
			projection.ProjectionType, projection.NonKeyAttributes = types.ProjectionTypeInclude, x.Projection
		case x.Projection != nil:
			projection.ProjectionType = types.ProjectionTypeKeysOnly
		}
		if x.PartitionKey == "" {
			in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, types.LocalSecondaryIndex{
				IndexName: &x.Name, Projection: projection,
				KeySchema: s.keySchema(in, x.Name, []string{t.PartitionKey}, []string{x.SortKey}),
			})
			continue
		}
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: &x.Name, Projection: projection,
			KeySchema: s.keySchema(in, x.Name, strings.Split(x.PartitionKey, ","), strings.Split(x.SortKey, ",")),
		})
	}
	return in
}

// keySchema returns the schema of a key and defines its attributes in the request.
func (s *Server) keySchema(in *dynamodb.CreateTableInput, of string, hash, sort []string) []types.KeySchemaElement {
	s.t.Helper()
	var schema []types.KeySchemaElement
	add := func(attribute string, role types.KeyType) {
		if attribute == "" {
			return
		}
		name, kind := keyAttribute(strings.TrimSpace(attribute))
		schema = append(schema, types.KeySchemaElement{AttributeName: &name, KeyType: role})
		for _, d := range in.AttributeDefinitions {
			if *d.AttributeName != name {
				continue
			}
			if d.AttributeType != kind {
				s.t.Fatalf("seed table %s: %s has attribute %q as %s, and another key as %s: write the type at each",
					*in.TableName, of, name, kind, d.AttributeType)
			}
			return
		}
		in.AttributeDefinitions = append(in.AttributeDefinitions,
			types.AttributeDefinition{AttributeName: &name, AttributeType: kind})
	}
	for _, attribute := range hash {
		add(attribute, types.KeyTypeHash)
	}
	for _, attribute := range sort {
		add(attribute, types.KeyTypeRange)
	}
	return schema
}

// keyAttribute divides the name of a key attribute and its type.
func keyAttribute(text string) (string, types.ScalarAttributeType) {
	for _, kind := range types.ScalarAttributeTypeS.Values() {
		if name, has := strings.CutSuffix(text, ":"+string(kind)); has && name != "" {
			return name, kind
		}
	}
	return text, types.ScalarAttributeTypeS
}
