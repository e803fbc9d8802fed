// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"errors"
	"fmt"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Errors of this package. Errors about a configuration match
// [materials.ErrConfiguration] instead, and failures to get a key match
// [materials.ErrKeyDenied] or [materials.ErrMaterials].
var (
	// ErrItem means that an item has a value that a beacon cannot be computed from.
	ErrItem = errors.New("beacons cannot be computed")
	// ErrSearch means that a value that is searched for does not fit the beacon.
	ErrSearch = errors.New("value cannot be searched for")
)

// Error is an error about a beacon or a virtual field. It never has a value of
// an item.
type Error struct {
	Kind string // "standard beacon", "compound beacon", "signed beacon" or "virtual field"
	Name string
	// Attribute is the attribute that caused the error; empty if no single
	// attribute did.
	Attribute string
	Err       error // the reason; matches one of the sentinels
}

// Error names the beacon and the attribute, and says what is wrong.
func (e *Error) Error() string {
	if e.Attribute != "" {
		return fmt.Sprintf("%s %.255q, attribute %.255q: %v", e.Kind, e.Name, e.Attribute, e.Err)
	}
	return fmt.Sprintf("%s %.255q: %v", e.Kind, e.Name, e.Err)
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// Kinds of an [Error].
const (
	kindStandard = "standard beacon"
	kindCompound = "compound beacon"
	kindSigned   = "signed beacon"
	kindVirtual  = "virtual field"
)

// configuration is an error of class ErrConfiguration without a beacon.
func configuration(text string, args ...any) error {
	return fmt.Errorf("%w: search: "+text, append([]any{materials.ErrConfiguration}, args...)...)
}

// refuse is an error of class ErrConfiguration about one beacon or field.
func refuse(kind, name, text string, args ...any) error {
	return &Error{Kind: kind, Name: name,
		Err: fmt.Errorf("%w: "+text, append([]any{materials.ErrConfiguration}, args...)...)}
}

// itemError is an error of class ErrItem.
func itemError(text string, args ...any) error {
	return fmt.Errorf("%w: "+text, append([]any{ErrItem}, args...)...)
}

// searchError is an error of class ErrSearch about one beacon.
func searchError(kind, name, text string, args ...any) error {
	return &Error{Kind: kind, Name: name, Err: fmt.Errorf("%w: "+text, append([]any{ErrSearch}, args...)...)}
}
