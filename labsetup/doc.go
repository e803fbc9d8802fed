// SPDX-License-Identifier: Apache-2.0

// Package labsetup is the lab. This package is experimental: its API may change
// in any release.
//
// It creates a KMS key, tables encrypted in two ways, an administrator's item in
// each, and a user who may use the tables but not the key; then it shows who
// sees what, and checks every claim.
//
// A Lab runs in one of three ways: Run does all of it and cleans up, Up makes
// the key, the tables and the user and leaves them, Down removes what is the
// lab's. Each gives a Report, whose steps have what was expected, what came, why,
// and the AWS CLI command that does the same. Give and Withdraw change who may
// use the key; OpenTable opens one of the tables.
//
// Everything it makes bears a tag. What has one of its names and not the tag is
// never changed.
//
// It talks to whatever aws.Config it is given, the embedded AWS or a real
// account, and knows neither.
package labsetup
