// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"reflect"

	"github.com/ddbseal/ddbseal/store/internal/gotype"
)

// Merging is how Update carries over what T does not have. New finds it once.
type Merging struct {
	// Nested are the fields of T that can lack members.
	Nested []gotype.NestedField
	// Remarshal is set if T marshals itself, so that only its marshaler tells
	// which attributes T has.
	Remarshal bool
}

// MergingOf returns how Update merges values of t, the type of the plan.
func (p *Plan) MergingOf(t reflect.Type) Merging {
	return Merging{Nested: p.Codec.Nested(t), Remarshal: p.convertsItself}
}
