// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"bytes"
	"testing"
)

func TestColours(t *testing.T) {
	if StyleFor(&bytes.Buffer{}).On {
		t.Error("colours without a terminal")
	}
	if got := (Style{true}).Good("x"); got != "\x1b[32mx\x1b[0m" {
		t.Errorf("%q", got)
	}
	if got := (Style{}).Good("x"); got != "x" {
		t.Errorf("%q", got)
	}
}
