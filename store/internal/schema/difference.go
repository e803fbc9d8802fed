// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// KeyDifferences reports what the keys of a table have other than declared. kinds
// are the types of its attributes.
func (p *Plan) KeyDifferences(schema []types.KeySchemaElement, kinds map[string]string, report func(string, ...any)) {
	real := map[types.KeyType]string{}
	for _, k := range schema {
		real[k.KeyType] = aws.ToString(k.AttributeName)
	}
	for _, k := range []struct {
		what  string
		typ   types.KeyType
		field *Field
	}{{"partition", types.KeyTypeHash, p.Partition}, {"sort", types.KeyTypeRange, p.Sort}} {
		declared := ""
		if k.field != nil {
			declared = k.field.Name
		}
		if real[k.typ] != declared {
			report("%s key is %q, declared %q", k.what, real[k.typ], declared)
			continue
		}
		if k.field == nil {
			continue
		}
		if want := k.field.keyType(); want != "" && kinds[declared] != want {
			report("%s key %q is of type %s, field %s of type %s", k.what, declared, kinds[declared], k.field.GoName,
				want)
		}
	}
}
