// SPDX-License-Identifier: Apache-2.0

package nilvalue_test

import (
	"errors"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
)

type pointer struct{}

func (*pointer) Error() string { return "" }

func TestIs(t *testing.T) {
	var untyped error
	var typed error = (*pointer)(nil)
	for name, c := range map[string]struct {
		value error
		want  bool
	}{
		"nil":                           {untyped, true},
		"a nil pointer in an interface": {typed, true},
		"a pointer":                     {&pointer{}, false},
		"a value":                       {errors.New("e"), false},
	} {
		if got := nilvalue.Is(c.value); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
