// SPDX-License-Identifier: Apache-2.0

// Package beacon computes the searchable attributes of encrypted items: beacons.
// A beacon is a truncated HMAC of a plaintext value, stored beside its
// ciphertext. DynamoDB can index it and compare it. Different values may have the
// same beacon, so a search has to evaluate its expression again on the decrypted
// items. The bytes are the same as in the AWS Database Encryption SDK.
//
// [New] checks a [Config] once. The envelope package takes it as Config.Search
// and then adds beacons to the items that it encrypts. What searches need is here
// as well: [Search.Lookup] tells what a name stands for, [StandardBeacon.Operand]
// and [CompoundBeacon.Operand] make the values to compare stored beacons with, and
// [Search.Plain] gives the plaintext to evaluate an expression on.
//
// # Kinds
//
// A standard beacon is the hash of one encrypted value, or of a virtual field,
// which is computed from one or more values. A compound beacon joins the hashes
// of standard beacons and signed values in the clear, so that one index serves
// searches by several values. A compound beacon without hashes is a signed
// beacon: an ordinary signed attribute of the item whose value is computed.
//
// # What a beacon shows
//
// Everyone who can read the table sees which items have equal beacons, how often
// each beacon occurs, which items have one, how many different beacons a set
// has, and the signed parts of compound beacons. They cannot compute the beacon
// of a guessed value without the beacon key. AWS's guide advises, for X
// different values, a length for which 2^length is between the square root of X
// and X/2. A shorter beacon shows less, but a search by it reads more items that
// do not match.
//
// Only signed beacons are signed. Anyone who can write to the table can change or
// delete the others. The item still opens, but searches do not find it.
// [Search.Compare] detects that; reading an item does not.
//
// # Differences from the official libraries
//
//   - Numbers are normalized before they become a part or a virtual field. The
//     official libraries take their text as the writer gave it, which DynamoDB
//     does not return. The bytes are equal for every number in normal form.
//   - New refuses a prefix that contains the split character, and a set beacon on
//     a virtual field. An item is refused if a transform cuts a character in two.
//
// # Specification
//
// Comments name sections of the pages beacons, virtual and search-config in
//
//	https://github.com/aws/aws-database-encryption-sdk-dynamodb/tree/main/specification/searchable-encryption
//
// and of the pages ddb-support and ddb-get-number-of-queries in
//
//	https://github.com/aws/aws-database-encryption-sdk-dynamodb/tree/main/specification/dynamodb-encryption-client
package beacon
