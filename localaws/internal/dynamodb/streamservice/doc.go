// SPDX-License-Identifier: Apache-2.0

// Package streamservice is DynamoDB Streams as clients see it: the operations that
// list and describe streams and read their records. Package stream keeps the streams,
// and the tables write them.
//
// # The way of a call
//
// Decode the request, check it without looking at state, authorize the action on the
// ARN of the stream, under the stream's own policy, and find the stream. GetRecords
// then asks KMS to decrypt the table's key as the caller, exactly as a read of the
// table does, and waits until all that it answers is durable. The other operations
// show no record and need no key.
package streamservice
