// SPDX-License-Identifier: Apache-2.0

package request

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/store/internal/schema"
)

// ExpiryDifferences compares the attribute by which the table expires items, ""
// for none, with the declaration.
func (t Table) ExpiryDifferences(attribute string, report func(string, ...any)) {
	if t.Encryptor != nil && attribute != "" {
		if action, _ := t.Encryptor.Action(attribute); action == envelope.EncryptAndSign {
			report("the table expires items by %q, which is encrypted, so that no item ever expires: tag its field "+
				"ttl or sign",
				attribute)
			return
		}
	}
	switch f := t.Plan.TTL; {
	case f == nil || f.Name == attribute:
	case attribute == "":
		report("field %s is declared as ttl %q, but the table expires no items: enable time to live for %q",
			f.GoName, f.Name, f.Name)
	default:
		report("field %s is declared as ttl %q, but the table expires items by %q", f.GoName, f.Name, attribute)
	}
}

// IndexDifferences reports the keys of an index that hold ciphertext, unknown
// beacons, or times as text. kinds are the types of the table's attributes.
func (t Table) IndexDifferences(index string, keys []types.KeySchemaElement, kinds map[string]string,
	report func(string, ...any)) {
	for _, k := range keys {
		if f := t.Plan.Field(aws.ToString(k.AttributeName)); f != nil && f.IsTextTime() {
			report("key %q of index %s is field %s: %s", f.Name, index, f.GoName, schema.TextTime)
		}
	}
	if t.Encryptor == nil {
		return
	}
	for _, k := range keys {
		name := aws.ToString(k.AttributeName)
		if action, _ := t.Encryptor.Action(name); action == envelope.EncryptAndSign {
			report("key %q of index %s is encrypted: the index holds ciphertext", name, index)
		}
		if t.Searching != nil && beacon.Stored(name) {
			switch kind := t.Searching.Stored(name); {
			case kind == "":
				report("key %q of index %s is a beacon that the table's configuration does not have", name, index)
			case kind != kinds[name]:
				report("key %q of index %s is of type %s, and the beacon is stored as %s", name, index, kinds[name],
					kind)
			}
		}
	}
}
