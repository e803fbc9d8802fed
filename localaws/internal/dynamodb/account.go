package dynamodb

import (
	"context"
	"encoding/json"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
)

// describeLimits answers the quotas of a new account; none of them is
// enforced, since throughput is not.
func (s *Service) describeLimits(ctx context.Context, c *call.Call) ([]byte, error) {
	if _, err := decode(c.Body, func(d *decoder, _ string) error { return d.Skip() }); err != nil {
		return nil, err
	}
	if err := s.allow(ctx, c, "DescribeLimits", "*", c.AccountID, nil); err != nil {
		return nil, err
	}
	return json.Marshal(jsonObject{"AccountMaxReadCapacityUnits": 80000, "AccountMaxWriteCapacityUnits": 80000,
		"TableMaxReadCapacityUnits": 40000, "TableMaxWriteCapacityUnits": 40000})
}
