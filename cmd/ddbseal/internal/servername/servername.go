// SPDX-License-Identifier: Apache-2.0

// Package servername names the server that the calls of a configuration reach.
package servername

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Of says where the calls of a configuration go: the URL of an
// endpoint, or AWS with the region. Services that a variable or a profile sends
// elsewhere are named with their own address.
func Of(cfg aws.Config) string {
	main := aws.ToString(cfg.BaseEndpoint)
	// A client finds the address that AWS_ENDPOINT_URL_KMS, say, gives it.
	endpoints := map[string]*string{
		"CloudTrail": cloudtrail.NewFromConfig(cfg).Options().BaseEndpoint,
		"DynamoDB":   dynamodb.NewFromConfig(cfg).Options().BaseEndpoint,
		"IAM":        iam.NewFromConfig(cfg).Options().BaseEndpoint,
		"KMS":        kms.NewFromConfig(cfg).Options().BaseEndpoint,
		"STS":        sts.NewFromConfig(cfg).Options().BaseEndpoint,
	}
	elsewhere := map[string][]string{}
	for _, service := range slices.Sorted(maps.Keys(endpoints)) {
		if url := aws.ToString(endpoints[service]); url != main {
			elsewhere[url] = append(elsewhere[url], service)
		}
	}
	if main == "" {
		main = "AWS in region " + cfg.Region
	}
	var b strings.Builder
	for _, url := range slices.Sorted(maps.Keys(elsewhere)) {
		if len(elsewhere[url]) == len(endpoints) {
			return url
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strings.Join(elsewhere[url], ", ") + " at " + url)
	}
	if b.Len() > 0 {
		return main + " (" + b.String() + ")"
	}
	return main
}
