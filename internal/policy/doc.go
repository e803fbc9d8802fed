// SPDX-License-Identifier: Apache-2.0

// Package policy decides whether a principal may do an action on a resource.
//
// It is pure: no I/O, no clock, no global state. Parse reads a policy document
// and compiles its patterns once; Evaluate combines documents and grants into
// a Decision; Decision.Message is the sentence AWS puts into its denial and
// Decision.Reasons tells, statement by statement, why.
//
// # How policies combine
//
//   - An explicit Deny in any policy, boundary and session policy included,
//     wins over everything.
//   - Ordinary: the caller's identity policies allow, or the resource's own
//     policy does. The account's root user needs no identity policy.
//   - KeyPolicy: the key policy names the caller, or it names the caller's
//     account (which hands the question to identity policies), or a grant
//     allows. Identity policies alone never suffice, not even for root.
//   - TrustPolicy: the same as KeyPolicy without grants.
//   - Across accounts both sides must allow: the resource's (policy or grant)
//     and the caller's identity policies.
//   - A permissions boundary and session policies limit what identity policies
//     allow. In the same account they do not limit what a resource policy or
//     grant gives to an assumed-role session's ARN or to everyone ("*"); what
//     it gives to a role ARN they do; what it gives to an IAM user is limited
//     by session policies only.
//
// # Condition keys
//
// Context has the values of a request's condition keys, under lower-case names.
// Evaluate itself knows those that follow from the Request: aws:PrincipalArn,
// aws:PrincipalAccount, aws:PrincipalType, aws:PrincipalIsAWSService,
// aws:PrincipalServiceName, aws:userid, aws:username, aws:ResourceAccount,
// kms:CallerAccount, kms:EncryptionContext:<key> and
// kms:EncryptionContextKeys; an entry in Context comes before them.
package policy
