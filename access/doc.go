// SPDX-License-Identifier: Apache-2.0

// Package access finds out who can read a DynamoDB table in plaintext, and why.
// This package is experimental: its API may change in any release.
//
//	snapshot, err := access.Load(ctx, cfg, access.Table{Name: "Orders"})
//	analysis, err := access.Analyze(snapshot)
//	fmt.Print(analysis.Text(access.TextOptions{}))
//
// Load reads what decides from an account: the policies of users, groups and
// roles, the policy and grants of each KMS key, the table and its resource
// policies. It changes nothing. Analyze needs no account: you can save a
// Snapshot as JSON, keep it in a repository, read it again and compare two
// analyses with Diff.
//
// # What an answer means
//
// For each principal and each Operation an Analysis has a Verdict:
//
//   - Yes: the policies allow it, unless a policy that is never read forbids it.
//   - OnlyIf: it depends on condition keys of the request or on the policies of
//     another account, which the answer names.
//   - Unknown: it depends on something that Load could not read or that AWS does
//     not document, or the analysis reached its limit.
//   - No: the policies do not allow it, whatever was not read.
//
// Load never reads organization policies (SCPs and RCPs), VPC endpoint policies
// and session policies. They can only take permissions away: a No stays a No.
//
// # Paths
//
// A principal that cannot read the table may be able to become one that can, or to
// get around the key. A Path lists the steps. The package knows these paths and no
// others; docs/access.md describes them:
//
//   - become another principal: assume a role, edit the trust policy of a role,
//     create an access key or a password for a user;
//   - extend its own permissions: put or attach a policy, write a new version of
//     an attached policy, join a group, create a role or user with more
//     permissions;
//   - open the key: write its policy, create a grant;
//   - open the table: write its resource policy;
//   - get around the key: change the table's encryption to another key, restore
//     a backup under another key, export the table, read its stream, send its
//     changes to Kinesis, add a replica.
//
// # Reference
//
// The rules follow the [policy evaluation logic] of IAM and AWS's guide to the
// [default key policy] of AWS KMS.
//
// [policy evaluation logic]: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
// [default key policy]: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
package access
