// SPDX-License-Identifier: Apache-2.0

package input

import "github.com/ddbseal/ddbseal/localaws/internal/wire"

// Consumed is the ReturnConsumedCapacity member of a request.
type Consumed struct{ mode *string }

func (r Consumed) check(c *wire.Checks) {
	c.Enum(r.mode, "returnConsumedCapacity", "INDEXES", "TOTAL", "NONE")
}

// Wanted reports whether the answer says what the request consumed.
func (r Consumed) Wanted() bool { return r.mode != nil && *r.mode != "NONE" }

// Indexes reports whether the answer says so for each index.
func (r Consumed) Indexes() bool { return r.mode != nil && *r.mode == "INDEXES" }

// Collections is the ReturnItemCollectionMetrics member of a request.
type Collections struct{ mode *string }

func (r Collections) check(c *wire.Checks) {
	c.Enum(r.mode, "returnItemCollectionMetrics", "SIZE", "NONE")
}

// Wanted reports whether the answer has the sizes of item collections.
func (r Collections) Wanted() bool { return r.mode != nil && *r.mode == "SIZE" }
