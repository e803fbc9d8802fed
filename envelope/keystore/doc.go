// SPDX-License-Identifier: Apache-2.0

// Package keystore keeps branch keys in a DynamoDB table, each wrapped by an
// AWS KMS key, byte-compatible with the branch key store of the AWS Material
// Providers Library: either side reads and rotates what the other wrote.
// (Material Providers specification, [branch-key-store].)
//
// # First steps
//
// [New] makes a [KeyStore]; [KeyStore.CreateTable] makes its table, once;
// [KeyStore.CreateKey] makes a branch key, one per tenant or one for all;
// [KeyStore.VersionKey] rotates it. Put the store behind a cache (package cache
// below this one) and the cache under keyring.Hierarchical: then items cost one
// GetItem and one kms:Decrypt per branch key and cache lifetime.
//
// # The logical name
//
// Every wrapped key is bound to the store's logical name. It is not the table's
// name and must not change when a backup is restored under another one. Two
// tables must never share a logical name.
//
// # Rotation
//
// VersionKey creates a new active version; older versions stay and open older
// items. Running processes go on writing under the old one until their cache
// lifetime ends. Of two processes that rotate at once one fails with
// [ErrConflict] and nothing is lost. The official Java library omits that check
// on its side: it may rotate over our rotation, which then remains readable but
// is not the active version.
//
// # Permissions
//
// A process that writes or reads items needs dynamodb:GetItem on the table and
// kms:Decrypt. CreateKey and VersionKey need dynamodb:PutItem (and GetItem),
// kms:GenerateDataKeyWithoutPlaintext, kms:ReEncryptFrom and kms:ReEncryptTo.
// [KeyStore.Shred] needs dynamodb:Query and dynamodb:DeleteItem, and Versions
// needs dynamodb:Query.
//
// # Another place for the records
//
// [Storage] is what the store asks of its table; implement it to keep the
// wrapped keys elsewhere. To replace the store as a whole, implement [Store],
// or just materials.BranchKeySource.
//
// # Specification
//
// The page branch-key-store of the [framework's specification] describes the
// records. AWS's guide calls this the key store of the [hierarchical keyring].
//
// [framework's specification]: https://github.com/awslabs/aws-encryption-sdk-specification/tree/master/framework/branch-key-store.md
// [hierarchical keyring]: https://docs.aws.amazon.com/database-encryption-sdk/latest/devguide/use-hierarchical-keyring.html
// [branch-key-store]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/branch-key-store.md
package keystore
