// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
)

// Counter returns the version attribute, which the type must have.
func (p *Plan) Counter() precondition.Version {
	return precondition.Version{Name: p.Version.Name, Type: p.Version.Type}
}

// Advance counts the version of an item up and returns the condition that
// no other writer did.
func (p *Plan) Advance(item envelope.Item) (expression.ConditionBuilder, error) {
	n, err := p.Counter().Of(item)
	if err != nil {
		return expression.ConditionBuilder{}, err
	}
	next, err := p.Counter().Next(n)
	if err != nil {
		return expression.ConditionBuilder{}, err
	}
	item[p.Version.Name] = p.Counter().Value(next)
	if n == 0 {
		return precondition.Name(p.Partition.Name).AttributeNotExists(), nil
	}
	return p.Counter().Is(n), nil
}
