// SPDX-License-Identifier: Apache-2.0

// Package stream is the state of DynamoDB Streams: the streams of all tables, their
// shards and records, and the iterators that walk them.
//
// A [Stream] belongs to the time between two UpdateTable requests, or from
// CreateTable to DeleteTable. While it is enabled its table owns it: a table
// appends the record of a change under its own lock and in the transaction that
// files the change, so a record exists if and only if the change is durable. A
// stream that has ended does not change. A [Book] keeps it for as long as its
// records may be read.
//
// # Shards
//
// A shard takes the records of a range of partition hashes and has them in order. It
// closes after [Config].Life and continues in a child, or in two children with half
// of the range each if it was busy. A key's records are in order over all shards
// when parents are read before their children.
//
// A sequence number grows from record to record of a stream. It is the time of the
// record in nanoseconds, or one more than the number before if the clock did not
// advance. A number is therefore not used twice, even if all records that could
// show it were trimmed.
//
// # Trimming
//
// A record that is older than [Retention] cannot be read: the clock alone decides
// this. It leaves memory and disk some minutes later, with others of its age. Until
// then its images stay in memory, although the items have changed.
//
// # At rest
//
// The records of a stream lie in the store sealed under the table's key, each bound
// to the stream and its sequence number, which is not secret. In memory they are
// in the clear once the key was unwrapped. A change of the table's key seals the
// records of its enabled stream again. A stream that has ended keeps its table's
// key of that day, wrapped.
//
// The package decodes no requests and checks no permissions.
package stream
