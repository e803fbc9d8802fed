// SPDX-License-Identifier: Apache-2.0

package console

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

func TestSessionsAreFresh(t *testing.T) {
	var texts []string
	for range fresh.Draws {
		texts = append(texts, random())
	}
	fresh.Text(t, "random", nil, texts)
	if len(texts[0]) != 64 {
		t.Errorf("%d digits, not those of 256 bits", len(texts[0]))
	}
}
