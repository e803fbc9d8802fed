// SPDX-License-Identifier: Apache-2.0

package resourcepolicy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
)

// tableActions are the actions on tables and indexes. A policy of a table that
// names another action of DynamoDB is refused, such as one on streams, which have
// policies of their own.
var tableActions = strings.Fields("BatchGetItem BatchWriteItem ConditionCheckItem CreateBackup CreateTableReplica " +
	"DeleteItem DeleteResourcePolicy DeleteTable DeleteTableReplica DescribeContinuousBackups " +
	"DescribeContributorInsights DescribeKinesisStreamingDestination DescribeTable " +
	"DescribeTableReplicaAutoScaling DescribeTimeToLive DisableKinesisStreamingDestination " +
	"EnableKinesisStreamingDestination ExportTableToPointInTime GetItem GetResourcePolicy ListTagsOfResource " +
	"PartiQLDelete PartiQLInsert PartiQLSelect PartiQLUpdate PutItem PutResourcePolicy Query " +
	"ReadDataForReplication ReplicateSettings RestoreTableToPointInTime Scan StartAwsBackupJob TagResource " +
	"UntagResource UpdateContinuousBackups UpdateContributorInsights UpdateItem " +
	"UpdateKinesisStreamingDestination UpdateTable UpdateTableReplicaAutoScaling UpdateTimeToLive " +
	"WriteDataForReplication")

// streamActions are the actions on streams.
var streamActions = strings.Fields("DeleteResourcePolicy DescribeStream GetRecords GetResourcePolicy " +
	"GetShardIterator PutResourcePolicy")

// check refuses what is a policy and not one of a resource with these actions.
func check(d *policy.Document, actions []string) error {
	var unknown []string
	for i := range d.Statements {
		s := &d.Statements[i]
		for _, action := range s.Actions {
			if quoted := fmt.Sprintf("%.128q", action); !among(actions, action) && !slices.Contains(unknown, quoted) {
				unknown = append(unknown, quoted)
			}
		}
	}
	if unknown != nil {
		return invalidDocument("The following action names are invalid: " + strings.Join(unknown, ", "))
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		for _, resource := range s.Resources {
			if relative, ok := strangeResource(resource); ok {
				return invalidDocument(fmt.Sprintf("The relative-id %.256q is invalid for ARN %.256q", relative,
					resource))
			}
		}
	}
	for i := range d.Statements {
		if unbounded(&d.Statements[i]) {
			return refusal.Validation("Resource-based policy grants unbounded access in one or more elements. " +
				"Please revise the policy to ensure least-privilege form of access")
		}
	}
	return nil
}

// among reports whether an action, which may have wildcards, is one of actions.
func among(actions []string, action string) bool {
	if action == "*" {
		return true
	}
	vendor, name, _ := strings.Cut(action, ":")
	if !strings.EqualFold(vendor, "dynamodb") {
		return false
	}
	return slices.ContainsFunc(actions, func(a string) bool {
		return wildcard(strings.ToLower(name), strings.ToLower(a))
	})
}

// wildcard reports whether a pattern of * and ? matches all of text. Its work is
// bounded by the product of the lengths.
func wildcard(pattern, text string) bool {
	star, from := -1, 0 // the last *, and where what it matches ends
	p := 0
	for t := 0; t < len(text); {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// strangeResource returns the last part of an ARN of DynamoDB that names neither
// tables nor what belongs to them.
func strangeResource(resource string) (relative string, strange bool) {
	parts := strings.SplitN(resource, ":", 6)
	if len(parts) != 6 || parts[2] != "dynamodb" {
		return "", false
	}
	const kind = "table/"
	relative = parts[5]
	if i := strings.IndexAny(relative, "*?$"); i >= 0 && i < len(kind) {
		return relative, !strings.HasPrefix(kind, relative[:i])
	}
	return relative, !strings.HasPrefix(relative, kind) || relative == kind
}

// boundingKeys are the condition keys by which an Allow for everyone can be one for
// some, if the policy names them without wildcards.
var boundingKeys = []string{"aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:sourceaccount",
	"aws:sourcearn", "aws:sourceip", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid"}

// boundingOperators are the operators of such a condition. One that also holds
// without the key, or for every other value, bounds nothing.
var boundingOperators = []string{"arnequals", "arnlike", "ipaddress", "stringequals", "stringequalsignorecase",
	"stringlike"}

// unbounded reports whether a statement allows something to everyone.
func unbounded(s *policy.Statement) bool {
	if s.Effect != policy.Allow {
		return false
	}
	everyone := s.NotPrincipal || slices.ContainsFunc(s.Principals, func(p policy.PrincipalEntry) bool {
		return p.Value == "*"
	})
	return everyone && !slices.ContainsFunc(s.Conditions, func(c policy.Condition) bool {
		return slices.Contains(boundingKeys, strings.ToLower(c.Key)) &&
			slices.Contains(boundingOperators, strings.ToLower(c.Operator)) &&
			!slices.ContainsFunc(c.Values, func(v string) bool {
				return strings.ContainsAny(v, "*?") || strings.HasSuffix(v, "/0")
			})
	})
}
