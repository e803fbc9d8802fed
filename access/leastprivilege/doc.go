// SPDX-License-Identifier: Apache-2.0

// Package leastprivilege writes least-privilege policies for a purpose: to read a
// table, to write to it, to migrate it, or to administer its branch keys. This
// package is experimental: its API may change in any release.
//
//	table, err := leastprivilege.Describe(ctx, cfg, "Orders")
//	policies, err := leastprivilege.For(table, leastprivilege.Options{
//		Principal: "arn:aws:iam::111122223333:role/app",
//	}, leastprivilege.Reader)
//
// [Policies] has an identity policy for the user or role, and statements for the
// policies of KMS keys. [For] proves both before it returns them, with the
// evaluator of package access. The policies allow every call that the purpose
// makes. Without any one statement, action, resource or condition, they would deny
// such a call or allow a call that the purpose does not make. The [Proof] of each
// element says which.
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
// You can combine purposes. Table.Check of package store needs
// dynamodb:DescribeTable in addition.
package leastprivilege
