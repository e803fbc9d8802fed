// SPDX-License-Identifier: Apache-2.0

// Package search rewrites queries and scans of a table whose items have
// beacons.
//
// An application writes a Query or a Scan in terms of plaintext: a beacon's name
// stands for the plaintext value that the beacon is made of. [Rewriter.Plan]
// turns the expressions into those that DynamoDB can evaluate over stored items,
// and [Plan.Match] evaluates the application's own expressions over an item that
// was read and decrypted:
//
//	plan, err := rewriter.Plan(request)
//	rewritten, err := plan.Request(ctx, 0)
//	// send it, decrypt the items of the answer, and keep those that match
//	ok, err := plan.Match(item)
//
// # What is found
//
// The rewritten expressions hold for every item with beacons for which the
// application's expressions hold, so no match is lost. They may hold for others,
// because hashes are short; Match decides as DynamoDB would over plaintext items.
// Each comparison therefore has two translations: one that holds whenever the
// comparison holds, and one that holds only if the comparison holds. An even
// number of NOT around a comparison selects the first, and an odd number the
// second. A comparison that lacks the translation it needs is left out, and Match
// alone decides on it.
//
// A search does not find an item without beacons, such as one that was written
// before they were configured, because a plaintext value is never sent to
// DynamoDB.
//
// # Reading
//
// Match needs the whole plaintext item; [Plan.Cut] then cuts it to the request's
// projection. Items of an index on a beacon come in the order of the stored
// beacon, which differs from the order of the plaintext where parts are hashed.
//
// With partitions, send the requests 0 to [Plan.Queries]-1 and leave out what
// [Plan.First] says that an earlier one found, or send the one that
// [Plan.Partition] names. With beacon keys of several branch keys, leave out the
// items of others than [Plan.BranchKeyID]. If [Plan.Counts] is set, count the
// items that are left and return none.
//
// # What beacons serve
//
// A standard beacon serves = and IN, contains of an element if its style is
// AsSet or SharedSet, and attribute_exists and attribute_not_exists. It accepts
// contains with another style too; Match alone then decides on the term. A
// compound beacon serves every comparison of a value that is made of its parts.
// The order operators and BETWEEN need values whose encrypted parts, except
// those that both bounds have in common at the beginning, have no text. A signed
// beacon is an attribute like any other.
//
// Everything else is refused before anything is sent, by an [*Error] that names
// the parameter and the attribute and matches [ErrUnsearchable]: an encrypted
// attribute without a beacon, two attributes compared of which one is encrypted,
// a path into an encrypted attribute, size and attribute_type of one, and a
// value that is compared with encrypted and with other attributes under one
// placeholder.
//
// # Specification
//
// The official libraries rewrite the same requests: see the pages of [searchable
// encryption] and [querying beacons] in AWS's guide. Where they lose matches, this
// package does not.
//
// [searchable encryption]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/tree/main/specification/searchable-encryption
// [querying beacons]: https://docs.aws.amazon.com/database-encryption-sdk/latest/devguide/using-beacons.html
package search
