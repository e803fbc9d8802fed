// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// BranchKeySupplier returns the branch key id of one item, so that each tenant
// can have its own branch key. It is called on writing and on reading and must
// give the same answer for the same attributes.
//
// attributes holds the item's partition and sort key, numbers in normalized
// form. For an item with SIGN_AND_INCLUDE_IN_ENCRYPTION_CONTEXT attributes it
// holds all of those too (header version 2). On reading they are what the item
// claims; a false claim leads to a key that does not open it.
type BranchKeySupplier func(ctx context.Context, attributes map[string]types.AttributeValue) (string, error)

// contextAttributes reads the attributes back out of an item's encryption
// context. Without a legend (header version 1) each value is base64 of type id
// and serialized value; with one (version 2), as the legend says.
func contextAttributes(c materials.EncryptionContext) (map[string]types.AttributeValue, error) {
	var keys []string
	for k := range c {
		if strings.HasPrefix(k, materials.ContextAttributePrefix) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	legend, versionTwo := c[materials.ContextLegend]
	if versionTwo && len(legend) != len(keys) {
		return nil, fmt.Errorf("%w: %s has %d characters for %d attributes", materials.ErrMaterials,
			materials.ContextLegend, len(legend), len(keys))
	}
	attributes := make(map[string]types.AttributeValue, len(keys))
	for i, k := range keys {
		kind := byte(format.ContextBinary)
		if versionTwo {
			kind = legend[i]
		}
		name := k[len(materials.ContextAttributePrefix):]
		v, err := contextAttribute(kind, c[k])
		if err != nil {
			return nil, fmt.Errorf("%w: attribute %.100q in the encryption context: %w", materials.ErrMaterials, name,
				err)
		}
		attributes[name] = v
	}
	return attributes, nil
}

func contextAttribute(kind byte, text string) (types.AttributeValue, error) {
	switch kind {
	case format.ContextString:
		return &types.AttributeValueMemberS{Value: text}, nil
	case format.ContextNumber:
		return &types.AttributeValueMemberN{Value: text}, nil
	case format.ContextLiteral:
		switch text {
		case "null":
			return &types.AttributeValueMemberNULL{Value: true}, nil
		case "true", "false":
			return &types.AttributeValueMemberBOOL{Value: text == "true"}, nil
		}
		return nil, fmt.Errorf("unknown literal")
	case format.ContextBinary:
		raw, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("not base64")
		}
		return decodeAttribute(raw)
	}
	return nil, fmt.Errorf("unknown legend character %q", kind)
}

// decodeAttribute reads type id and serialized value, with nothing after it.
func decodeAttribute(raw []byte) (types.AttributeValue, error) {
	if len(raw) < format.TypeIDLength {
		return nil, format.ErrMalformed
	}
	return format.ParseValue(format.TypeID(binary.BigEndian.Uint16(raw)), raw[format.TypeIDLength:])
}
