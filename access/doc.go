// SPDX-License-Identifier: Apache-2.0

// Package access tells who can read a DynamoDB table in clear, and why. This
// package is experimental: its API may change in any release.
//
//	snapshot, err := access.Load(ctx, cfg, access.Table{Name: "Orders"})
//	analysis, err := access.Analyze(snapshot)
//	fmt.Print(analysis.Text())
//
// Load reads from an account what decides: the policies of users, groups and
// roles, the policy and grants of each KMS key, the table and its resource
// policies. It only reads. Analyze needs no account: a Snapshot can be saved as
// JSON, kept in a repository, read again and compared.
//
// # What an answer means
//
// For each principal and each Operation an Analysis has a Verdict:
//
//   - Yes: the policies allow it, unless something that is not read forbids it.
//   - OnlyIf: it depends on condition keys of the request, which the answer names.
//   - Unknown: something that Load could not read, or that AWS does not document,
//     decides.
//   - No: the policies do not allow it, whatever the rest is.
//
// Organization policies (SCPs and RCPs), VPC endpoint policies and the session
// policies of single sessions are never read. They can only take permissions away:
// a No stays a No.
//
// # Paths
//
// A principal that cannot read may become one that can, or get around the key. A
// Path lists the steps. The package knows these paths and no others; docs/access.md
// lists them:
//
//   - become another principal: assume its role, create an access key or a password
//     for it, edit the trust policy of its role;
//   - edit the own permissions: put or attach a policy, write a new version of an
//     attached policy, join a group, create a role or user with more permissions;
//   - open the key: write its policy, create a grant;
//   - open the table: write its resource policy;
//   - get around the key: take the table off it, restore a backup under another
//     key, export the table, read its stream, send it to Kinesis, add a replica.
//
// # Reference
//
// The rules follow the [policy evaluation logic] of IAM, and of the
// [default key policy] of AWS KMS.
//
// [policy evaluation logic]: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
// [default key policy]: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
package access
