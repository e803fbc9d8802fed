// Package beacon computes the searchable attributes of encrypted items: beacons.
// A beacon is a truncated HMAC of a plaintext value, stored beside its
// ciphertext. DynamoDB can index and compare it, and a reader drops what the
// truncation found too much. The bytes are those of the AWS Database Encryption
// SDK.
//
// [New] checks a [Config] once. The envelope package takes it as Config.Search
// and then adds beacons to the items that it encrypts. What searches need is here
// as well: [Search.Lookup] tells what a name stands for, [StandardBeacon.Operand]
// and [CompoundBeacon.Operand] make the values to compare stored beacons with, and
// [Search.Plain] gives the plaintext to evaluate an expression on.
//
// # Kinds
//
// A standard beacon is the hash of one encrypted value or of a virtual field,
// which is put together from several values. A compound beacon joins the hashes
// of standard beacons and signed values in the clear, so that one index serves
// searches by several values. A compound beacon without hashes is a signed
// beacon: an ordinary signed attribute of the item, whose value is computed.
//
// # What a beacon shows
//
// Everyone who can read the table sees which items have equal beacons, how often
// each occurs, and which items have one. They cannot compute the beacon of a
// guess without the beacon key. Nothing signs beacons, except signed ones:
// whoever can write to the table can change or delete them, and then searches do
// not find the item. Items still open, and nothing is noticed.
//
// # Differences from the official libraries
//
//   - Numbers are normalized before they become a part or a virtual field. The
//     official libraries take their text as the writer gave it, which DynamoDB
//     does not return. The bytes are equal for every number in normal form.
//   - A transform that cuts a character in two, a prefix that contains the split
//     character, and a set beacon on a virtual field are refused.
//
// # Specification
//
// Comments name sections of the pages beacons, virtual, search-config and
// ddb-get-number-of-queries of the specification, which are in
// https://github.com/aws/aws-database-encryption-sdk-dynamodb under
// specification/searchable-encryption and specification/dynamodb-encryption-client.
package beacon
