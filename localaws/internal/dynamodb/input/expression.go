// SPDX-License-Identifier: Apache-2.0

package input

import (
	"errors"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// expressions are the expression parameters of one request, and the legacy
// parameters that mean the same.
type expressions struct {
	names  map[string]string
	values schema.Item

	condition, filter, projection, update, keyCondition *string

	legacy legacy
}

// readMember reads a member that belongs to expressions; ok is false for
// others.
func (x *expressions) readMember(d *wire.Decoder, name []byte) (ok bool, err error) {
	switch string(name) {
	case "ExpressionAttributeNames":
		return true, d.TextMap(&x.names)
	case "ExpressionAttributeValues":
		return true, readValues(d, &x.values)
	case "ConditionExpression":
		return true, d.Text(&x.condition)
	case "FilterExpression":
		return true, d.Text(&x.filter)
	case "ProjectionExpression":
		return true, d.Text(&x.projection)
	case "UpdateExpression":
		return true, d.Text(&x.update)
	case "KeyConditionExpression":
		return true, d.Text(&x.keyCondition)
	}
	return x.legacy.readMember(d, name)
}

// parse checks the combination of parameters and parses them. valued are the
// expressions that the operation has and that take values.
func (x *expressions) parse(c *request.Call, valued ...string) (*Parsed, error) {
	modern := []struct {
		name string
		text *string
	}{
		{"ConditionExpression", x.condition}, {"FilterExpression", x.filter},
		{"KeyConditionExpression", x.keyCondition},
		{"ProjectionExpression", x.projection}, {"UpdateExpression", x.update},
	}
	var given []string
	for _, m := range modern {
		if m.text != nil {
			given = append(given, m.name)
		}
	}
	old := x.legacy.given()
	// The one pair of old and new that DynamoDB takes: KeyConditions with a
	// FilterExpression or ProjectionExpression.
	keysByLegacy := x.keyCondition == nil && x.legacy.keyConditions != nil && len(given) > 0
	if keysByLegacy {
		old = slices.DeleteFunc(old, func(name string) bool { return name == "KeyConditions" })
	}
	if len(old) > 0 && len(given) > 0 {
		return nil, refusal.Validationf("Can not use both expression and non-expression parameters in the same "+
			"request: Non-expression parameters: {%s} Expression parameters: {%s}",
			strings.Join(old, ", "), strings.Join(given, ", "))
	}
	if len(given) == 0 && x.names != nil {
		return nil, refusal.Validation("ExpressionAttributeNames can only be specified when using expressions")
	}
	if x.values != nil && !slices.ContainsFunc(valued, func(name string) bool { return slices.Contains(given, name) }) {
		const alone = "ExpressionAttributeValues can only be specified when using expressions"
		if refusal.LayerOf(c.Operation).Is2026() {
			return nil, refusal.Validation(alone)
		}
		are := " is null"
		if len(valued) > 1 {
			are = " are null"
		}
		return nil, refusal.Validation(alone + ": " + strings.Join(valued, " and ") + are)
	}
	switch {
	case len(given) > 0:
	case len(old) > 0:
		return x.legacy.parse()
	default:
		return noExpressions, nil
	}
	scope, err := ddbexpr.NewScope(x.names, x.values)
	if err != nil {
		return nil, errExpression(err)
	}
	p := new(Parsed)
	if x.projection != nil {
		if p.projection, err = scope.Projection(*x.projection); err != nil {
			return nil, errExpression(err)
		}
	}
	if x.filter != nil {
		if p.filter, err = scope.Condition(ddbexpr.KindFilter, *x.filter); err != nil {
			return nil, errExpression(err)
		}
	}
	if x.update != nil {
		if p.update, err = scope.Update(*x.update); err != nil {
			return nil, errExpression(err)
		}
	}
	if x.condition != nil {
		if p.condition, err = scope.Condition(ddbexpr.KindCondition, *x.condition); err != nil {
			return nil, errExpression(err)
		}
	}
	if x.keyCondition != nil {
		if p.keyCondition, err = scope.KeyCondition(*x.keyCondition); err != nil {
			return nil, errExpression(err)
		}
	}
	if err := scope.Unused(); err != nil {
		return nil, errExpression(err)
	}
	if keysByLegacy {
		keys, err := x.legacy.parse()
		if err != nil {
			return nil, err
		}
		p.keyCondition = keys.keyCondition
	}
	return p, nil
}

// errExpression is AWS's answer to a refused expression.
func errExpression(err error) error {
	var e *ddbexpr.Error
	if errors.As(err, &e) {
		return refusal.Validation(e.Message)
	}
	return refusal.Internal(err)
}
