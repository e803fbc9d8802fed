// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"github.com/ddbseal/ddbseal/localaws/internal/frontdoor"
	"github.com/ddbseal/ddbseal/localaws/internal/iam"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/sts"
)

// Body limits: DynamoDB's documented 16 MB; for the rest what the largest
// request (a policy of 32 KB, escaped or form-encoded) can need.
const (
	maxDynamoDBBody   = 16 << 20
	maxStreamsBody    = 64 << 10
	maxKMSBody        = 256 << 10
	maxQueryBody      = 512 << 10
	maxCloudTrailBody = 64 << 10
)

// endpoints are the services as the wire sees them.
func endpoints(identity *iam.Service, keys, tables, streams, events request.Service) []frontdoor.Endpoint {
	const json10, json11, xml = "application/x-amz-json-1.0", "application/x-amz-json-1.1", "text/xml"
	return []frontdoor.Endpoint{
		{Name: "iam", Service: identity.IAM(), Version: "2010-05-08", Namespace: iam.Namespace, ContentType: xml,
			MaxBody: maxQueryBody, Region: "us-east-1"},
		{Name: "sts", Service: identity.STS(), Version: "2011-06-15", Namespace: sts.Namespace, ContentType: xml,
			MaxBody: maxQueryBody},
		{Name: "kms", Service: keys, Targets: []string{"TrentService"}, ContentType: json11, MaxBody: maxKMSBody},
		{Name: "dynamodb", Service: tables, Targets: []string{"DynamoDB_20120810"}, ContentType: json10,
			MaxBody: maxDynamoDBBody, Errors: "com.amazonaws.dynamodb.v20120810", InternalError: "InternalServerError",
			Server: "Server", Checksum: true},
		{Name: "dynamodb", ID: "dynamodbstreams", Service: streams, Targets: []string{"DynamoDBStreams_20120810"},
			ContentType: json10, MaxBody: maxStreamsBody, Errors: "com.amazonaws.dynamodb.v20120810",
			InternalError: "InternalServerError", Server: "Server", Checksum: true},
		{Name: "cloudtrail", Service: events, ContentType: json11, MaxBody: maxCloudTrailBody, Targets: []string{
			"CloudTrail_20131101",
			"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", // as botocore spells it
		}},
	}
}
