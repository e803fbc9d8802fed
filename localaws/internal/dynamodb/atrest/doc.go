// SPDX-License-Identifier: Apache-2.0

// Package atrest is the cryptography of tables at rest: which KMS key a table's
// key is wrapped under, whether the caller may use it, and how items are sealed.
//
// A [Custodian] makes table keys, checks them for every data call, and replaces
// them. It asks KMS through [Keys], on behalf of the caller or as DynamoDB
// itself. A [Sealer] turns items into what lies on disk.
//
// The package knows a table only as a [Table], which can load its items with a
// key. It holds no items and no plaintext table keys, and writes no files.
package atrest
