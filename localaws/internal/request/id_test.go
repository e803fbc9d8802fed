// SPDX-License-Identifier: Apache-2.0

package request

import (
	"regexp"
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

func TestNewID(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	var ids []string
	for range 1000 {
		id := NewID()
		if !form.MatchString(id) {
			t.Fatalf("id %q", id)
		}
		ids = append(ids, id)
	}
	fresh.Text(t, "request id", fresh.UUID, ids)
}
