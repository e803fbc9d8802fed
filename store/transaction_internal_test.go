// SPDX-License-Identifier: Apache-2.0

package store

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

// A token that another transaction has would have DynamoDB take one for the
// other's repetition.
func TestTokensAreFresh(t *testing.T) {
	var tokens []string
	for range fresh.Draws {
		tokens = append(tokens, *newToken())
	}
	fresh.Text(t, "ClientRequestToken", nil, tokens)
	if n := len(tokens[0]); n < 22 || n > 36 {
		t.Errorf("%d characters: too few for 128 bits, or more than DynamoDB takes", n)
	}
}
