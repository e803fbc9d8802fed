// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"errors"
	"fmt"

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

// ErrStaleVersion: the version of an item is not the expected one.
var ErrStaleVersion = errors.New("stale version")

// NoVersion is the version of a write that compares none.
const NoVersion = -1

// Refusal says why a write to a stored item failed its condition: with
// [ErrOtherEntity], with [ErrStaleVersion], or nil if it was a condition of the
// application. version is what the stored item must have, 0 for an item that must
// not exist yet, and alone says that the application gave no condition. The item is
// nil if there is none, or if the service did not return it. What Refusal says is
// not verified, as the service's own decision is not.
func (p *Plan) Refusal(stored envelope.Item, version int64, alone bool) error {
	switch {
	case p.IsOther(stored), len(stored) == 0 && p.Entity.Name != "" && alone && version == NoVersion:
		return fmt.Errorf("%w: attribute %q is not %q", ErrOtherEntity, p.Entity.Attribute, p.Entity.Name)
	case version == NoVersion:
		return nil
	case len(stored) == 0 && alone, len(stored) > 0 && version == 0:
		return ErrStaleVersion
	case len(stored) > 0:
		if n, err := p.Counter().Of(stored); err != nil || n != version {
			return ErrStaleVersion
		}
	}
	return nil
}
