// SPDX-License-Identifier: Apache-2.0

// Package envelope encrypts and decrypts DynamoDB items on the client, in the
// format of the AWS Database Encryption SDK for DynamoDB: what its Java, .NET
// and Rust libraries write opens here, and the reverse.
//
// # First steps
//
// Make a keyring, say in a [Config] what happens to each attribute, and make
// an [ItemEncryptor] with [NewItemEncryptor]: one for each table, shared by all
// goroutines. [ItemEncryptor.EncryptItem] comes before PutItem,
// [ItemEncryptor.DecryptItem] after GetItem and Query. [Inspect] shows what an
// encrypted item says about itself, without any key.
//
// The store package does all this for Go structs, and store/transparent inside
// of an AWS SDK client. Use this package where items are maps, or where
// something other than those two talks to DynamoDB.
//
// # What is protected
//
// An attribute with [EncryptAndSign] is ciphertext to everyone without the key:
// DynamoDB, its administrators, backups, streams, exports. Names, types and
// approximate lengths of values stay visible. Attributes with [SignOnly] and
// [SignAndIncludeInEncryptionContext] are readable, but a change of one, or of
// the set of them, is noticed. Attributes with [DoNothing] are not protected.
//
// Signatures bind a value to its attribute name, its item's keys and the
// logical table name, so that values cannot be swapped between them. An old
// version of the same item, put back by somebody who may write to the table,
// verifies: put a version number into the item if that matters.
//
// The values of the partition and sort key, and of every
// [SignAndIncludeInEncryptionContext] attribute, are part of the encryption
// context: with an AWS KMS keyring they reach AWS KMS and its audit log in
// clear text.
//
// # Searching
//
// DynamoDB cannot compare ciphertext. [Config.Search] adds beacons to items:
// truncated keyed hashes of encrypted values, by which an index or a filter finds
// them. Beacons show which items have equal values, and no signature covers them;
// read package [github.com/ddbseal/ddbseal/envelope/beacon] before you use one.
//
// # Key management
//
// Each item has a data key of its own, wrapped once for each recipient. The
// keyring package has keyrings for raw AES, RSA and ECDH keys, for several keys
// at once, and the hierarchical one, which asks the key service once for many
// items; its subpackage awskms wraps each item's key with AWS KMS. A keyring
// of your own implements [materials.Keyring]. Nothing that holds a secret
// prints or marshals it, and keys are overwritten after use; Go cannot promise
// that the runtime left no other copy in memory.
//
// An encryptor with a [Config.Keyring] keeps up to four signing keys ready for
// the next items. Where machines are resumed from a snapshot, make encryptors
// after resuming, or copies of the machine sign different items with the same
// key pair: see [materials.NewDefaultCMM].
//
// # Changing the configuration
//
// Reading follows the item, not the configuration: attributes may move between
// EncryptAndSign, SignOnly and SignAndIncludeInEncryptionContext, and the
// suite may change, without rewriting items. Between signed and unsigned
// nothing moves: items written before would not verify. So the unsigned names
// may only grow by names that no item has yet, and the logical table name and
// the key names never change.
//
// To change an item that may have attributes which the configuration does not
// name, use [ItemEncryptor.OpenItem] and [ItemEncryptor.EncryptItemAs]: such an
// attribute keeps the action that the item was written with.
//
// # Compatibility promise
//
// Items that any version of this package wrote stay readable by all later
// ones, and the official libraries at versions 3.x (Java, .NET) and 1.x (Rust)
// read what it writes. Files in testdata hold this promise to account.
//
// # Limits
//
//   - Suites 0x6700 and 0x6701 only.
//   - Attributes stored for searching (aws_dbe_b_…, aws_dbe_v_…) are accepted and
//     dropped on reading, also where another program wrote them. Nothing checks them: an item whose
//     beacon was changed or deleted opens, and searches do not find it.
//   - Items of the older DynamoDB Encryption Client are read if [Config.Legacy]
//     allows it, see package legacy, and fail with [ErrLegacyItem] otherwise. They
//     are never written.
//   - Nested values are encrypted as a whole, up to 32 levels deep.
//   - Numbers keep 38 digits; in encrypted attributes they come back in plain
//     form (1e2 as 100), sets and maps in sorted order, NULL always as true.
//   - An attribute name has at most 65,535 bytes of UTF-8.
//   - Maps with an empty key are read, as version 3.9.0 of the official Java
//     library writes them, but not written, because the libraries for Rust and
//     Java from 4.1.0 cannot read them.
//   - GODEBUG=fips140=on works. GODEBUG=fips140=only does not, because the
//     format fixes the nonces of AES-GCM, which that mode refuses; then
//     [NewItemEncryptor] fails with [ErrUnsupported].
//
// # Specification
//
// Comments name pages of the [specification of the item encryptor], such as
// decrypt-item, and of [structured encryption], such as header. The official
// libraries' counterparts are the item encryptor of the [developer guide] and the
// class DynamoDbItemEncryptor of the [Java library].
//
// [specification of the item encryptor]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/tree/main/specification/dynamodb-encryption-client
// [structured encryption]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/tree/main/specification/structured-encryption
// [developer guide]: https://docs.aws.amazon.com/database-encryption-sdk/latest/devguide/what-is-database-encryption-sdk.html
// [Java library]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/tree/main/DynamoDbEncryption
package envelope
