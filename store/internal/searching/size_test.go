// SPDX-License-Identifier: Apache-2.0

package searching_test

import (
	"testing"

	"github.com/ddbseal/ddbseal/store/internal/searching"
)

func TestSizes(t *testing.T) {
	most := int32(400)
	for what, c := range map[string]struct {
		q      searching.Query
		most   *int32
		size   int
		grow   bool
		budget int
	}{
		"all":            {searching.All(0, 0), nil, 0, false, -1},
		"all by size":    {searching.All(7, 3), nil, 7, false, -1},
		"limit":          {searching.All(0, 3), nil, 3, true, -1},
		"bounded":        {searching.All(0, 0), &most, 400, false, -1},
		"bounded limit":  {searching.All(0, 1000), &most, 400, true, -1},
		"small limit":    {searching.All(0, 3), &most, 3, true, -1},
		"page":           {searching.Page(5, 0), nil, 5, true, 1000},
		"large page":     {searching.Page(500, 0), nil, 500, true, 10_000},
		"budget":         {searching.Page(5, 9), nil, 5, true, 9},
		"page of a call": {searching.Page(0, 9), nil, 0, true, 0},
	} {
		c.q.Cap(c.most)
		if c.q.Size != c.size || c.q.Grow != c.grow || c.q.Budget != c.budget {
			t.Errorf("%s: size %d, grow %t, budget %d", what, c.q.Size, c.q.Grow, c.q.Budget)
		}
	}
}
