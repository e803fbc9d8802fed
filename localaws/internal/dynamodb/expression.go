package dynamodb

import (
	"errors"
	"sort"
	"strings"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// expressions are the expression parameters of one request, together with the
// legacy parameters that say the same in older words.
type expressions struct {
	names  map[string]string
	values Item

	condition, filter, projection, update, keyCondition *string

	legacy legacy
}

// field reads a member that belongs to expressions; ok is false for others.
func (x *expressions) field(d *decoder, name string) (ok bool, err error) {
	switch name {
	case "ExpressionAttributeNames":
		return true, d.names(&x.names)
	case "ExpressionAttributeValues":
		return true, d.item(&x.values)
	case "ConditionExpression":
		return true, d.text(&x.condition)
	case "FilterExpression":
		return true, d.text(&x.filter)
	case "ProjectionExpression":
		return true, d.text(&x.projection)
	case "UpdateExpression":
		return true, d.text(&x.update)
	case "KeyConditionExpression":
		return true, d.text(&x.keyCondition)
	}
	return x.legacy.field(d, name)
}

// parsed are the expressions of a request, ready for use. Members are nil when
// the request has none.
type parsed struct {
	condition    *ddbexpr.Condition
	filter       *ddbexpr.Condition
	projection   *ddbexpr.Projection
	update       *ddbexpr.Update
	keyCondition *ddbexpr.KeyCondition
	// deletesOnly: legacy updates that only remove do not create an item.
	deletesOnly bool
}

// parse checks the combination of parameters and parses them.
func (x *expressions) parse() (*parsed, error) {
	modern := []struct {
		name string
		text *string
	}{
		{"ConditionExpression", x.condition}, {"FilterExpression", x.filter}, {"KeyConditionExpression", x.keyCondition},
		{"ProjectionExpression", x.projection}, {"UpdateExpression", x.update},
	}
	var given []string
	for _, m := range modern {
		if m.text != nil {
			given = append(given, m.name)
		}
	}
	old := x.legacy.given()
	if len(old) > 0 && len(given) > 0 {
		return nil, errValidationf("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {%s} Expression parameters: {%s}",
			strings.Join(old, ", "), strings.Join(given, ", "))
	}
	if len(given) == 0 {
		switch {
		case x.names != nil && len(old) > 0:
			return nil, errValidationf("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {%s} Expression parameters: {ExpressionAttributeNames}", strings.Join(old, ", "))
		case x.values != nil && len(old) > 0:
			return nil, errValidationf("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {%s} Expression parameters: {ExpressionAttributeValues}", strings.Join(old, ", "))
		case x.names != nil:
			return nil, errValidation("ExpressionAttributeNames can only be specified when using expressions")
		case x.values != nil:
			return nil, errValidation("ExpressionAttributeValues can only be specified when using expressions: " + missingExpressions(x))
		}
		return x.legacy.parse()
	}
	scope, err := ddbexpr.NewScope(x.names, x.values)
	if err != nil {
		return nil, errExpression(err)
	}
	p := new(parsed)
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
	return p, nil
}

func missingExpressions(*expressions) string { return "expression parameters are null" }

// errExpression is AWS's answer to a refused expression.
func errExpression(err error) error {
	var e *ddbexpr.Error
	if errors.As(err, &e) {
		return errValidation(e.Message)
	}
	return errInternal(err)
}

// attributes lists the top-level names that all expressions mention and those
// of an item.
func (p *parsed) attributes(items ...Item) []string {
	seen := map[string]struct{}{}
	add := func(names []string) {
		for _, n := range names {
			seen[n] = struct{}{}
		}
	}
	if p.condition != nil {
		add(p.condition.TopLevelNames())
	}
	if p.filter != nil {
		add(p.filter.TopLevelNames())
	}
	if p.projection != nil {
		add(p.projection.TopLevelNames())
	}
	if p.update != nil {
		add(p.update.TopLevelNames())
	}
	if p.keyCondition != nil {
		add(p.keyCondition.TopLevelNames())
	}
	for _, it := range items {
		add(namesOf(it))
	}
	names := make([]string, 0, len(seen))
	for n := range seen {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
