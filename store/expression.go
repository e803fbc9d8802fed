// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
	"github.com/ddbseal/ddbseal/store/internal/visibility"
)

// Condition is a condition or filter, made with the SDK's expression package:
//
//	expression.Name("ward").Equal(expression.Value("B"))
//
// On a client-side table DynamoDB sees encrypted attributes as ciphertext, so a
// condition on the value of one is refused with [ErrEncryptedAttribute] before
// the call, and so is a filter unless a beacon serves it; attribute_exists and
// attribute_not_exists of a whole attribute are allowed, since encryption does not
// change them. A name for which the table declares no action is refused with
// [ErrConfiguration]: attribute_not_exists of a misspelt name would hold for every
// item. Conditions on attributes that are not signed can be influenced by anyone
// with write access. On a server-side table any name is allowed.
//
// A value of another DynamoDB type than the field stores is refused with
// [ErrConfiguration], since no item would match it. Make values by [Table.Value]:
// expression.Value knows neither the options of the table nor methods with a
// pointer receiver.
type Condition = expression.ConditionBuilder

// anySet reports whether at least one of the conditions says something.
func anySet(conditions []Condition) bool { return slices.ContainsFunc(conditions, Condition.IsSet) }

// join returns one condition of several, all of which must hold.
func join(conditions []Condition) (Condition, bool) {
	set := make([]Condition, 0, len(conditions))
	for _, c := range conditions {
		if c.IsSet() {
			set = append(set, c)
		}
	}
	switch len(set) {
	case 0:
		return Condition{}, false
	case 1:
		return set[0], true
	}
	return expression.And(set[0], set[1], set[2:]...), true
}

// checkConditions refuses the conditions of the application that DynamoDB could
// not evaluate. They are a part of text, an expression of e; its other part is
// what the table requires itself, which names readable attributes only.
func (c *core) checkConditions(kind ddbexpr.Kind, given []Condition, text *string, e expression.Expression) error {
	if !anySet(given) {
		return nil
	}
	return c.visible().CheckCondition(kind, *text, e)
}

// visible returns what DynamoDB sees of the attributes.
func (c *core) visible() *visibility.Table {
	return &visibility.Table{Name: c.name, Plan: c.plan, Encryptor: c.encryptor, Searching: c.searching}
}

// writeCondition is the condition of a write as a request has it. The zero
// writeCondition is for a write without one.
type writeCondition struct {
	expression *string
	names      map[string]string
	values     map[string]types.AttributeValue
}

// condition builds the condition of a write: what the method requires, which may
// be unset, the conditions of the application, and the guard of the entity. It
// refuses those of the application that DynamoDB could not evaluate.
func (c *core) condition(required Condition, given []Condition) (writeCondition, error) {
	all := given
	if required.IsSet() {
		all = append([]Condition{required}, given...)
	}
	return c.build(c.guard(all), given)
}

// build builds the condition that all of conditions hold, of which given are the
// application's.
func (c *core) build(conditions, given []Condition) (writeCondition, error) {
	joined, some := join(conditions)
	if !some {
		return writeCondition{}, nil
	}
	e, err := visibility.Build(expression.NewBuilder().WithCondition(joined))
	if err != nil {
		return writeCondition{}, fmt.Errorf("%w: condition: %w", ErrConfiguration, err)
	}
	if err := c.checkConditions(ddbexpr.KindCondition, given, e.Condition(), e); err != nil {
		return writeCondition{}, err
	}
	return writeCondition{e.Condition(), e.Names(), e.Values()}, nil
}

// onFailure returns what DynamoDB is asked to answer with if the condition fails.
func (w writeCondition) onFailure() types.ReturnValuesOnConditionCheckFailure {
	if w.expression == nil {
		return ""
	}
	return types.ReturnValuesOnConditionCheckFailureAllOld
}

func name(attribute string) expression.NameBuilder { return precondition.Name(attribute) }

func value(av types.AttributeValue) expression.ValueBuilder { return precondition.Value(av) }

func isReserved(name string) bool { return strings.HasPrefix(name, envelope.ReservedPrefix) }
