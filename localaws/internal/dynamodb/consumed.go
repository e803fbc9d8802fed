package dynamodb

import "github.com/ddbseal/ddbseal/localaws/internal/wire"

// consumed is the ReturnConsumedCapacity member of a request.
type consumed struct{ mode *string }

func (r consumed) check(c *wire.Checks) {
	c.Enum(r.mode, "returnConsumedCapacity", "INDEXES", "TOTAL", "NONE")
}

func (r consumed) wanted() bool { return r.mode != nil && *r.mode != "NONE" }

func (r consumed) indexes() bool { return r.mode != nil && *r.mode == "INDEXES" }

// collections is the ReturnItemCollectionMetrics member of a request.
type collections struct{ mode *string }

func (r collections) check(c *wire.Checks) {
	c.Enum(r.mode, "returnItemCollectionMetrics", "SIZE", "NONE")
}

func (r collections) wanted() bool { return r.mode != nil && *r.mode == "SIZE" }
