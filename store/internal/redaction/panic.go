// SPDX-License-Identifier: Apache-2.0

package redaction

import "fmt"

// panicked is a panic in a conversion. Its text leaves the panic's value out,
// which may be made of an item's.
type panicked struct{ value any }

func (e *panicked) Error() string { return fmt.Sprintf("the conversion panicked with a %T", e.value) }

// Unwrap returns the panic's value if it is an error.
func (e *panicked) Unwrap() error {
	err, _ := e.value.(error)
	return err
}

// Catch turns a panic of the application's methods, or of attributevalue, into
// an error. It is for defer.
func Catch(err *error) {
	if r := recover(); r != nil {
		*err = &panicked{r}
	}
}
