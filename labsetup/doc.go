// SPDX-License-Identifier: Apache-2.0

// Package labsetup runs the lab on encryption with AWS KMS. This package is
// experimental: its API may change in any release.
//
// The lab creates a KMS key, tables that are encrypted server-side and
// client-side, a record in each table, and a user who may use the tables but not
// the key. It then shows who sees what, and checks every claim.
//
// Lab.Run does the whole lab and cleans up. Lab.Up creates the key, the tables
// and the user and leaves them; Lab.Down removes what the lab created. Lab.Begin
// and Lab.Next do one step at a time. Each of them fills a Report. Its steps say
// what was expected, what happened and why, and which AWS CLI command does the
// same. Lab.Give and Lab.Withdraw change who may use the key; OpenTable opens one
// of the tables.
//
// The lab tags everything that it creates. It never changes a resource that has
// one of its names and lacks the tag, unless Config.Adopt is set.
//
// The package works with any aws.Config, of the embedded AWS or of a real
// account.
package labsetup
