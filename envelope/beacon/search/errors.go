// SPDX-License-Identifier: Apache-2.0

package search

import (
	"errors"
	"fmt"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// ErrUnsearchable means that an expression needs the value of an encrypted attribute in a
// way that no beacon serves. Expressions that are malformed or name an attribute
// without an action match [materials.ErrConfiguration] instead.
var ErrUnsearchable = errors.New("no beacon serves the expression")

// Error is an error about a parameter of a request. It names the parameter and
// the attribute or beacon, and never has a value.
type Error struct {
	Parameter string // such as "FilterExpression"
	Attribute string // an attribute or a beacon, "" if it is about none
	Err       error  // the reason
}

// Error names the parameter and the attribute, and says what is wrong.
func (e *Error) Error() string {
	if e.Attribute == "" {
		return fmt.Sprintf("%s: %v", e.Parameter, e.Err)
	}
	return fmt.Sprintf("%s names %.255q: %v", e.Parameter, e.Attribute, e.Err)
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// unsearchable is an Error of class ErrUnsearchable.
func unsearchable(parameter, attribute, text string, args ...any) error {
	return &Error{Parameter: parameter, Attribute: attribute,
		Err: fmt.Errorf("%w: "+text, append([]any{ErrUnsearchable}, args...)...)}
}

// misused is an Error of class ErrConfiguration.
func misused(parameter, attribute, text string, args ...any) error {
	return &Error{Parameter: parameter, Attribute: attribute,
		Err: fmt.Errorf("%w: "+text, append([]any{materials.ErrConfiguration}, args...)...)}
}
