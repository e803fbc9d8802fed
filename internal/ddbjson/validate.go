// SPDX-License-Identifier: Apache-2.0

package ddbjson

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

// Validate applies DynamoDB's rules for a value that is well formed: a type at
// every place, NULL only true, no empty set, no duplicates in sets (numbers
// compare by value), valid numbers and at most 32 levels. Empty strings and
// binaries are allowed; that keys are not empty is checked by the caller, who knows
// the keys. Any error is a *ValidationError.
func Validate(v types.AttributeValue) error { return validate(v, 1) }

// ValidateItem applies [Validate] to every value of an item. Of several errors
// the one of the first name in byte order is returned.
func ValidateItem(item map[string]types.AttributeValue) error { return validateMap(item, 1) }

func validateMap(m map[string]types.AttributeValue, level int) error {
	var (
		found error
		at    string
	)
	for name, v := range m {
		if err := validate(v, level); err != nil && (found == nil || name < at) {
			found, at = err, name
		}
	}
	return found
}

func validate(v types.AttributeValue, level int) error {
	if level > MaxDepth {
		return errTooDeep
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS, *types.AttributeValueMemberB, *types.AttributeValueMemberBOOL:
		return nil
	case *types.AttributeValueMemberN:
		return validateNumber(v.Value)
	case *types.AttributeValueMemberNULL:
		if !v.Value {
			return &ValidationError{Message: invalidPrefix + "Null attribute value types must have the value of true"}
		}
		return nil
	case *types.AttributeValueMemberSS:
		return validateStrings(v.Value)
	case *types.AttributeValueMemberNS:
		return validateNumbers(v.Value)
	case *types.AttributeValueMemberBS:
		return validateBinaries(v.Value)
	case *types.AttributeValueMemberM:
		return validateMap(v.Value, level+1)
	case *types.AttributeValueMemberL:
		for _, e := range v.Value {
			if err := validate(e, level+1); err != nil {
				return err
			}
		}
		return nil
	}
	return errEmptyValue
}

func validateNumber(s string) error {
	if err := ddbnumber.Validate(s); err != nil {
		return invalidNumber(err, s)
	}
	return nil
}

func validateStrings(set []string) error {
	if len(set) == 0 {
		return &ValidationError{Message: invalidPrefix + "An string set  may not be empty"}
	}
	if hasDuplicates(set) {
		return duplicateStrings(set)
	}
	return nil
}

func validateNumbers(set []string) error {
	if len(set) == 0 {
		return &ValidationError{Message: invalidPrefix + "An number set  may not be empty"}
	}
	normal := make([]string, len(set))
	for i, s := range set {
		if err := validateNumber(s); err != nil {
			return err
		}
		normal[i], _ = ddbnumber.Normalize(s) // what Validate allows has a normal form
	}
	if hasDuplicates(normal) {
		return errDuplicateNumbers
	}
	return nil
}

func validateBinaries(set [][]byte) error {
	if len(set) == 0 {
		return &ValidationError{Message: invalidPrefix + "Binary sets should not be empty"}
	}
	texts := make([]string, len(set))
	for i, b := range set {
		texts[i] = string(b)
	}
	if hasDuplicates(texts) {
		return duplicateBinaries(set)
	}
	return nil
}

func hasDuplicates(set []string) bool {
	if len(set) <= 8 {
		for i, s := range set {
			if slices.Contains(set[:i], s) {
				return true
			}
		}
		return false
	}
	seen := make(map[string]struct{}, len(set))
	for _, s := range set {
		seen[s] = struct{}{}
	}
	return len(seen) != len(set)
}
