// SPDX-License-Identifier: Apache-2.0

// Package dynamodb is the DynamoDB of the embedded AWS: tables, items, indexes,
// transactions, and the encryption at rest that makes a caller's right to the
// table's KMS key decide about every read and write.
//
// # The way of a data call
//
// Decode the request, check it without looking at state (AWS's order:
// serialization, constraints on members, then values and expressions),
// authorize the IAM action, find the table, check keys against its schema, ask
// KMS to decrypt the table's wrapped key as the caller, and only then read or
// change items under the table's lock. The answer waits until the change is
// durable.
//
// # Packages
//
// This package has the operations and their answers, and holds the tables of all
// accounts and Regions. What it stands on is below: package input takes requests
// apart, schema has definitions, keys and values, table has the state of one table,
// stream has streams and their records, streamservice the operations that read them,
// backup has on-demand backups, resourcepolicy has the policies of tables, atrest
// has table keys and sealing, and refusal has errors in AWS's words.
//
// # At rest
//
// Every table has a random 256-bit key. Under a customer managed or AWS managed
// key it is stored as KMS wrapped it; under the AWS owned key it lies in the
// table's record, which the store seals under its root key. On disk an item is
// found by the HMAC of its primary key and sealed with AES-GCM, bound to table
// and HMAC. The ordered index exists in memory only and is rebuilt on the first
// data call after a start, once the table key was unwrapped. A record that was
// moved to another item, table or table key does not open; one that was taken
// away, or put back as it was earlier under the same table key, is not missed.
//
// The records of a stream are sealed under the same key and filed in the transaction
// of the change that they tell of.
//
// An answer to a write, a failed condition among them, to a consistent read and to
// GetRecords rests only on what is durable. An eventually consistent read may see a
// change of another caller a moment before that.
//
// # Differences from AWS
//
// Tables are ACTIVE at once unless [Faults] delays them, indexes are always
// consistent (a consistent read of a global one is refused all the same),
// capacity is counted but not enforced, and items expire as soon as the clock
// says so. A permission withdrawn in KMS works at once unless
// [Config.KeyCacheTTL] imitates AWS's cache. That a key cannot be used is noticed
// by the first data call that fails for it, not by a look of DynamoDB's own.
// A table's policy counts at once and can be changed again at once, but for
// [Faults].Activation. A stream begins with one shard, its records can be read at
// once, and it takes no record from the moment in which it is disabled.
// Point-in-time recovery is a setting without effect, so a table that is deleted
// leaves no backup of DynamoDB's own, and a backup is restored in its own Region
// only. PartiQL, global tables, vector indexes and requests for warm throughput are
// not there; a request that wants one is refused by its name.
package dynamodb
