// SPDX-License-Identifier: Apache-2.0

package store

import (
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store/internal/precondition"
	"github.com/ddbseal/ddbseal/store/internal/request"
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

// requests returns what builds the expressions of the table's requests.
func (c *core) requests() request.Table {
	return request.Table{Table: visibility.Table{Name: c.name, Plan: c.plan, Encryptor: c.encryptor,
		Searching: c.searching}}
}

func anySet(conditions []Condition) bool { return request.AnySet(conditions) }

func join(conditions []Condition) (Condition, bool) { return request.Join(conditions) }

func buildExpression(b expression.Builder) (expression.Expression, error) { return visibility.Build(b) }

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
	if !anySet(conditions) {
		return writeCondition{}, nil
	}
	w, err := c.requests().Condition(conditions, given)
	return writeCondition{w.Expression, w.Names, w.Values}, err
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
