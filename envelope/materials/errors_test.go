// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"errors"
	"testing"
)

func TestKeyErrors(t *testing.T) {
	own := errors.New("no network")
	for _, c := range []struct {
		err          KeyError
		text         string
		denied, wrap bool
	}{
		{KeyError{Provider: "p"}, "p", false, false},
		{KeyError{Provider: "p", KeyID: "k"}, "p key k", false, false},
		{KeyError{Provider: "p", Code: "AccessDeniedException", Missing: "kms:Decrypt"}, "p: AccessDeniedException: permission kms:Decrypt is missing", true, false},
		{KeyError{Provider: "p", KeyID: "k", Err: own}, "p key k: no network", false, true},
		{KeyError{"p", "k", "C", "m", own}, "p key k: C: permission m is missing: no network", true, true},
	} {
		if got := c.err.Error(); got != c.text {
			t.Errorf("got %q, want %q", got, c.text)
		}
		if errors.Is(&c.err, ErrKeyDenied) != c.denied || errors.Is(&c.err, own) != c.wrap {
			t.Errorf("%s: denied %t, the cause %t", c.text, errors.Is(&c.err, ErrKeyDenied), errors.Is(&c.err, own))
		}
		if n := len(c.err.Unwrap()); n > 2 || (n == 0) != !(c.denied || c.wrap) {
			t.Errorf("%s: unwraps to %d errors", c.text, n)
		}
	}
}
