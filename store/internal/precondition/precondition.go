// SPDX-License-Identifier: Apache-2.0

// Package precondition makes the condition under which a rewritten item may be
// put: that it is still what was read.
package precondition

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// ErrTooWide means that there are more attributes to compare than one condition can, or
// more to change than one update can.
var ErrTooWide = errors.New("too many attributes for one condition")

// Seal returns the name of the attribute that covers all signed attributes of an
// encrypted item: the footer, or the signature of the older DynamoDB Encryption
// Client. It is empty for a plaintext item.
func Seal(stored envelope.Item) string {
	switch {
	case stored[envelope.FooterAttribute] != nil:
		return envelope.FooterAttribute
	case envelope.IsLegacy(stored) && stored[envelope.LegacySignatureAttribute] != nil:
		return envelope.LegacySignatureAttribute
	}
	return ""
}

// Sealed is the condition for an encrypted item: its [Seal], every unsigned
// attribute, which others may change without touching the seal, and the absence
// of those names that were absent.
func Sealed(stored envelope.Item, unsigned func(string) bool, names []string) (expression.ConditionBuilder, error) {
	seal := Seal(stored)
	parts := []expression.ConditionBuilder{equal(seal, stored)}
	for _, n := range slices.Sorted(maps.Keys(stored)) {
		if n != seal && unsigned(n) {
			parts = append(parts, equal(n, stored))
		}
	}
	return join(parts, stored, names)
}

// Plain is the condition for any other item: all its attributes, and the
// absence of those names that were absent. An attribute of another name that
// somebody adds is not noticed.
func Plain(stored envelope.Item, names []string) (expression.ConditionBuilder, error) {
	parts := make([]expression.ConditionBuilder, 0, len(stored)+len(names))
	for _, n := range slices.Sorted(maps.Keys(stored)) {
		parts = append(parts, equal(n, stored))
	}
	return join(parts, stored, names)
}

func equal(name string, stored envelope.Item) expression.ConditionBuilder {
	return Name(name).Equal(Value(stored[name]))
}

func join(parts []expression.ConditionBuilder, stored envelope.Item,
	names []string) (expression.ConditionBuilder, error) {
	for _, n := range names {
		if _, has := stored[n]; !has {
			parts = append(parts, Name(n).AttributeNotExists())
		}
	}
	// Each part has one operator or function, and is joined by one AND.
	if n := 2*len(parts) - 1; n > ddbexpr.MaxOperators {
		return expression.ConditionBuilder{}, fmt.Errorf("%w: %d attributes", ErrTooWide, len(parts))
	}
	all := parts[0]
	if len(parts) > 1 {
		all = expression.And(parts[0], parts[1], parts[2:]...)
	}
	e, err := expression.NewBuilder().WithCondition(all).Build()
	if err != nil {
		return expression.ConditionBuilder{}, fmt.Errorf("%w: condition: %w", envelope.ErrConfiguration, err)
	}
	if len(*e.Condition()) > ddbexpr.MaxExpressionSize {
		return expression.ConditionBuilder{},
			fmt.Errorf("%w: %d attributes, %d bytes of expression", ErrTooWide, len(parts), len(*e.Condition()))
	}
	return all, nil
}

// Name is a whole attribute, dots in its name included.
func Name(attribute string) expression.NameBuilder { return expression.NameNoDotSplit(attribute) }

// Value is an attribute value as an operand, which the builder takes by value.
func Value(av types.AttributeValue) expression.ValueBuilder {
	switch v := av.(type) {
	case *types.AttributeValueMemberS:
		return expression.Value(*v)
	case *types.AttributeValueMemberN:
		return expression.Value(*v)
	case *types.AttributeValueMemberB:
		return expression.Value(*v)
	case *types.AttributeValueMemberSS:
		return expression.Value(*v)
	case *types.AttributeValueMemberNS:
		return expression.Value(*v)
	case *types.AttributeValueMemberBS:
		return expression.Value(*v)
	case *types.AttributeValueMemberM:
		return expression.Value(*v)
	case *types.AttributeValueMemberL:
		return expression.Value(*v)
	case *types.AttributeValueMemberNULL:
		return expression.Value(*v)
	case *types.AttributeValueMemberBOOL:
		return expression.Value(*v)
	}
	return expression.Value(av)
}
