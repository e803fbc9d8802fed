// SPDX-License-Identifier: Apache-2.0

// Package table is the state of DynamoDB: a table with its items and indexes in
// memory, its locks, the expiry of its items, and what is filed of it.
//
// A table's definition is immutable and replaced as a whole. A request reads it
// once, without a lock, and is checked with it. [Table.View], [Table.Update] and
// [Table.Submit] compare that definition with the current one under the lock, and
// return [ErrRedefined] if the request must start again.
//
// Changes are filed in the store while the table is locked, and the caller waits
// for them with [Wait] when it is not. On disk, items are sealed under the table's
// key by package atrest. In memory they are in the clear.
//
// The package knows no requests: it takes items that were checked. It asks
// no one for permission.
package table
