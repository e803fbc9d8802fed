// SPDX-License-Identifier: Apache-2.0

// Package leastprivilege writes least-privilege policies for a
// purpose: to read a table, to write it, to migrate it, or to administer its branch
// keys. This package is experimental: its API may change in any release.
//
//	table, err := leastprivilege.Describe(ctx, cfg, "Orders")
//	policies, err := leastprivilege.For(table, leastprivilege.Options{
//		Principal: "arn:aws:iam::111122223333:role/app",
//	}, leastprivilege.Reader)
//
// [Policies] has an identity policy for the user or role, and a statement for the
// policy of each KMS key. [For] proves both before it returns them, with the
// evaluator of package access: every call that the purpose makes is allowed, and
// without any one statement, action, resource or condition a call is denied, or a
// call is allowed that the purpose does not make. The [Proof] of each element says
// which.
//
// # What each purpose covers
//
//   - [Reader]: Get, BatchGet, Query, Scan, Raw and transactional reads of package
//     store.
//   - [Writer]: Put, Delete, UpdateAttributes, batches and transactional writes of
//     package store. Methods that read before they write, or return an item that
//     they replace (Update, UpdateOrCreate, PutOld, DeleteOld), need Reader too.
//   - [Migrator]: package migrate, with its table of checkpoints.
//   - [KeyStoreAdmin]: CreateTable, CreateKey, VersionKey, Versions and Shred of
//     package keystore, and listing its keys.
//
// Purposes can be combined. Table.Check of package store needs
// dynamodb:DescribeTable in addition.
package leastprivilege
