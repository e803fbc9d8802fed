// SPDX-License-Identifier: Apache-2.0

package expiry_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/store/internal/expiry"
)

// answer is a client that gives one answer.
type answer struct {
	out *dynamodb.DescribeTimeToLiveOutput
	err error
}

func (a answer) DescribeTimeToLive(
	context.Context, *dynamodb.DescribeTimeToLiveInput, ...func(*dynamodb.Options),
) (*dynamodb.DescribeTimeToLiveOutput, error) {
	return a.out, a.err
}

func TestAttribute(t *testing.T) {
	status := func(s types.TimeToLiveStatus) answer {
		return answer{out: &dynamodb.DescribeTimeToLiveOutput{TimeToLiveDescription: &types.TimeToLiveDescription{
			AttributeName: aws.String("until"), TimeToLiveStatus: s,
		}}}
	}
	failed := errors.New("connection refused")
	for name, c := range map[string]struct {
		client               any
		attribute, unchecked string
		err                  error
	}{
		"enabled":   {client: status(types.TimeToLiveStatusEnabled), attribute: "until"},
		"enabling":  {client: status(types.TimeToLiveStatusEnabling), attribute: "until"},
		"disabling": {client: status(types.TimeToLiveStatusDisabling)},
		"disabled":  {client: status(types.TimeToLiveStatusDisabled)},
		"empty":     {client: answer{out: &dynamodb.DescribeTimeToLiveOutput{}}},
		"no method": {client: "client", unchecked: "no method DescribeTimeToLive"},
		"denied":    {client: answer{err: &smithy.GenericAPIError{Code: "AccessDeniedException"}}, unchecked: "lacks dynamodb:DescribeTimeToLive"},
		"unknown":   {client: answer{err: &smithy.GenericAPIError{Code: "UnknownOperationException"}}, unchecked: "does not know"},
		"failed":    {client: answer{err: failed}, err: failed},
	} {
		attribute, unchecked, err := expiry.Attribute(t.Context(), c.client, "table")
		if attribute != c.attribute || !errors.Is(err, c.err) || (unchecked == "") != (c.unchecked == "") ||
			!strings.Contains(unchecked, c.unchecked) {
			t.Errorf("%s: %q, %q, %v", name, attribute, unchecked, err)
		}
	}
}
