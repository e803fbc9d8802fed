// SPDX-License-Identifier: Apache-2.0

package failure_test

import (
	"errors"
	"testing"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/failure"
	"github.com/ddbseal/ddbseal/envelope"
)

func TestTally(t *testing.T) {
	var tally failure.Tally
	if !tally.None() || tally.First() != nil {
		t.Error("the zero Tally has failures")
	}
	tally.Opened = 3
	for _, err := range []error{envelope.ErrKeyDenied, envelope.ErrTampered, envelope.ErrKeyDenied} {
		item, _ := failure.Of(failed(err), names)
		tally.Add(item)
	}
	if got := tally.String(); tally.None() || got != "3 of 6 items did not open: 1 damaged, 2 denied" {
		t.Errorf("%q", got)
	}
	if !errors.Is(tally.First(), envelope.ErrKeyDenied) {
		t.Error(tally.First())
	}
}
