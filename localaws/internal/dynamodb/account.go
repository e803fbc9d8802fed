package dynamodb

import (
	"context"
	"encoding/json"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

func (s *Service) allowDescribeLimits(ctx context.Context, c *request.Call, _ *struct{}) error {
	return s.allow(ctx, c, "DescribeLimits", "*", c.AccountID, nil)
}

// describeLimits answers the quotas of a new account; none of them is
// enforced, since throughput is not.
func (s *Service) describeLimits(context.Context, *request.Call, *struct{}) ([]byte, error) {
	return json.Marshal(jsonObject{"AccountMaxReadCapacityUnits": 80000, "AccountMaxWriteCapacityUnits": 80000,
		"TableMaxReadCapacityUnits": 40000, "TableMaxWriteCapacityUnits": 40000})
}

func (s *Service) allowDescribeEndpoints(ctx context.Context, c *request.Call, _ *struct{}) error {
	return s.allow(ctx, c, "DescribeEndpoints", "*", c.AccountID, nil)
}

// describeEndpoints answers the address that the client has called: one of AWS
// would lead clients with endpoint discovery away from this server.
func (s *Service) describeEndpoints(_ context.Context, c *request.Call, _ *struct{}) ([]byte, error) {
	return json.Marshal(jsonObject{"Endpoints": []jsonObject{{"Address": c.Host, "CachePeriodInMinutes": 1440}}})
}
