// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"encoding/json"
	"sort"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

func (s *Service) allowListTables(ctx context.Context, c *request.Call, _ *input.ListTables) error {
	return s.allow(ctx, c, "ListTables", schema.TableARN(wire.PlaceOf(c), "*"), c.AccountID, nil)
}

func (s *Service) listTables(_ context.Context, c *request.Call, in *input.ListTables) ([]byte, error) {
	names := []string{}
	s.mu.RLock()
	for name := range s.tables[wire.PlaceOf(c)] {
		if in.ExclusiveStartTableName == nil || name > *in.ExclusiveStartTableName {
			names = append(names, name)
		}
	}
	s.mu.RUnlock()
	sort.Strings(names)
	out := jsonObject{}
	if page, next := wire.Page(names, func(name string) string { return name }, "", in.PageSize()); next != "" {
		names = page
		out["LastEvaluatedTableName"] = next
	}
	out["TableNames"] = names
	return json.Marshal(out)
}

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
