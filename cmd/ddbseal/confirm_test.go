// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strings"
	"testing"
)

func TestConfirm(t *testing.T) {
	var told strings.Builder
	s := streams{strings.NewReader("lab\n"), nil, &told}
	if err := confirm(s, true, "Sure?", "lab"); err != nil {
		t.Error(err)
	}
	var usage usageError
	if err := confirm(s, false, "Sure?", "lab"); !errors.As(err, &usage) {
		t.Error("no terminal:", err)
	}
}
