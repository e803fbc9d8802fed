// SPDX-License-Identifier: Apache-2.0

package policytext

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// ReadManaged is [Read] for a managed policy. IAM refuses more of managed
// policies: an old version of the policy language, and resources that name no
// resource. Whether it refuses the same of inline policies is not known (?), so
// Read takes them. Errors: AWS's.
func ReadManaged(p wire.LongText, limit int) (*Document, error) {
	d, err := Read(p, policy.Identity, limit)
	if err != nil {
		return nil, err
	}
	if d.parsed.Version != "2012-10-17" {
		return nil, request.Errorf("MalformedPolicyDocument", "Policy document must be version 2012-10-17 or greater.")
	}
	for _, refuse := range []func(resource string) string{refuseShape, refuseParts} {
		for i := range d.parsed.Statements {
			for _, resource := range d.parsed.Statements[i].Resources {
				if reason := refuse(resource); reason != "" && resource != "*" {
					return nil, &request.Error{Code: "MalformedPolicyDocument", Message: reason,
						Hint: fmt.Sprintf("Statement %d: Resource %.256q", i+1, resource)}
				}
			}
		}
	}
	return d, nil
}

// partitions are the partitions of AWS. A policy may mean all of them by a wildcard.
var partitions = []string{"*", "aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e",
	"aws-iso-f"}

// iamPaths are the beginnings of the resources that IAM has.
var iamPaths = []string{"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/",
	"server-certificate/",
	"policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/"}

// refuseShape returns why a resource has too few parts to be an ARN, or an empty
// string. IAM finds this before anything that refuseParts finds.
func refuseShape(resource string) string {
	parts := strings.Split(resource, ":")
	short := len(parts) < 6 && strings.Contains(resource, "::")
	if short || len(parts) > 2 && parts[2] == "" {
		return "The policy failed legacy parsing"
	}
	return ""
}

// refuseParts returns why a part of an ARN is wrong, or an empty string.
func refuseParts(resource string) string {
	parts := append(strings.SplitN(resource, ":", 6), make([]string, 5)...)
	partition, vendor, region, name := parts[1], parts[2], parts[3], parts[5]
	switch {
	case !slices.Contains(partitions, partition):
		return fmt.Sprintf("Partition %q is not valid for resource %q.", partition, resource)
	case vendor == "" || strings.ContainsAny(vendor, "*?"):
		return "Resource vendor must be fully qualified and cannot contain regexes."
	case region != "" && vendor == "iam":
		return "IAM resource " + resource + " cannot contain region information."
	case region != "" && vendor == "s3":
		return "Resource " + resource + " can not contain region information."
	case vendor == "iam" && name != "*" &&
		!slices.ContainsFunc(iamPaths, func(p string) bool { return strings.HasPrefix(name, p) }):
		return `IAM resource path must either be "*" or start with ` + strings.Join(iamPaths, ", ") + "."
	}
	return ""
}
