// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/localaws"
)

// TestDescribeEndpoints: a client with endpoint discovery is led back to this
// server, whichever way it calls.
func TestDescribeEndpoints(t *testing.T) {
	bothWays(t, localaws.Options{}, func(t *testing.T, s *localaws.Server, config func(aws.Credentials) aws.Config) {
		cfg := config(s.RootCredentials())
		out, err := dynamodb.NewFromConfig(cfg).DescribeEndpoints(ctx, nil)
		if err != nil || len(out.Endpoints) != 1 {
			t.Fatalf("%+v, %v", out, err)
		}
		e := out.Endpoints[0]
		if !strings.HasSuffix(*cfg.BaseEndpoint, "//"+aws.ToString(e.Address)) || e.CachePeriodInMinutes != 1440 {
			t.Errorf("%s for %d minutes, called at %s", aws.ToString(e.Address), e.CachePeriodInMinutes,
				*cfg.BaseEndpoint)
		}
		events := s.Audit().Events()
		if last := events[len(events)-1]; last.EventName != "DescribeEndpoints" || !last.ManagementEvent {
			t.Errorf("the event is %s", last.EventName)
		}
	})
}
