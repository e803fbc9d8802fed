package keyring

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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

// Characters of the legend: how each attribute of a version-2 context is
// written.
const (
	legendString  = 'S'
	legendNumber  = 'N'
	legendLiteral = 'L'
	legendBinary  = 'B'
)

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
		return nil, fmt.Errorf("%w: %s has %d characters for %d attributes", materials.ErrMaterials, materials.ContextLegend, len(legend), len(keys))
	}
	attributes := make(map[string]types.AttributeValue, len(keys))
	for i, k := range keys {
		kind := byte(legendBinary)
		if versionTwo {
			kind = legend[i]
		}
		name := k[len(materials.ContextAttributePrefix):]
		v, err := contextAttribute(kind, c[k])
		if err != nil {
			return nil, fmt.Errorf("%w: attribute %.100q in the encryption context: %w", materials.ErrMaterials, name, err)
		}
		attributes[name] = v
	}
	return attributes, nil
}

func contextAttribute(kind byte, text string) (types.AttributeValue, error) {
	switch kind {
	case legendString:
		return &types.AttributeValueMemberS{Value: text}, nil
	case legendNumber:
		return &types.AttributeValueMemberN{Value: text}, nil
	case legendLiteral:
		switch text {
		case "null":
			return &types.AttributeValueMemberNULL{Value: true}, nil
		case "true", "false":
			return &types.AttributeValueMemberBOOL{Value: text == "true"}, nil
		}
		return nil, fmt.Errorf("unknown literal")
	case legendBinary:
		raw, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("not base64")
		}
		return decodeAttribute(raw)
	}
	return nil, fmt.Errorf("unknown legend character %q", kind)
}
