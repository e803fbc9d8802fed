// SPDX-License-Identifier: Apache-2.0

// Package awspolicies has the AWS managed policies that the embedded AWS knows,
// each reduced to what concerns DynamoDB, KMS, IAM, STS and CloudTrail:
// permissions on other services would never be asked for.
package awspolicies

import (
	"embed"
	"time"
)

//go:embed policies/*.json
var files embed.FS

// ARNPrefix begins the ARN of every AWS managed policy; none of those known
// here has a path.
const ARNPrefix = "arn:aws:iam::aws:policy/"

// Policy is an AWS managed policy. It cannot be changed.
type Policy struct {
	Name        string
	Description string
	VersionID   string // of the default version, the only one kept
	// Updated is when that version was made.
	Updated  time.Time
	Document string // JSON
}

// ARN returns the policy's ARN.
func (p Policy) ARN() string { return ARNPrefix + p.Name }

// Path returns "/".
func (p Policy) Path() string { return "/" }

// catalogue lists the policies by name. The versions are those of the policies
// the documents here are reduced from.
func catalogue() []Policy {
	day := func(year int, month time.Month, d int) time.Time {
		return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
	}
	return []Policy{
		{Name: "AWSKeyManagementServicePowerUser", VersionID: "v2", Updated: day(2017, 3, 7),
			Description: "Creating and describing KMS keys and aliases, without use of the keys or change of their " +
				"policies."},
		{Name: "AdministratorAccess", VersionID: "v1", Updated: day(2015, 2, 6),
			Description: "Every action on every resource."},
		{Name: "AmazonDynamoDBFullAccess", VersionID: "v15", Updated: day(2021, 1, 29),
			Description: "Every action of DynamoDB."},
		{Name: "AmazonDynamoDBFullAccess_v2", VersionID: "v2", Updated: day(2026, 2, 11),
			Description: "Every action of DynamoDB, with fewer permissions on other services."},
		{Name: "AmazonDynamoDBReadOnlyAccess", VersionID: "v14", Updated: day(2024, 3, 20),
			Description: "Reading DynamoDB tables and their settings."},
		{Name: "IAMFullAccess", VersionID: "v2", Updated: day(2019, 6, 21), Description: "Every action of IAM."},
		{Name: "IAMReadOnlyAccess", VersionID: "v4", Updated: day(2018, 1, 25), Description: "Reading IAM's settings."},
		{Name: "ReadOnlyAccess", VersionID: "v87", Updated: day(2022, 5, 23),
			Description: "Reading all services, without decrypting."},
	}
}

// All returns every policy, sorted by name.
func All() []Policy {
	all := catalogue()
	for i := range all {
		b, err := files.ReadFile("policies/" + all[i].Name + ".json")
		if err != nil { // the files are part of the program
			panic(err)
		}
		all[i].Document = string(b)
	}
	return all
}
