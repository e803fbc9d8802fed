// SPDX-License-Identifier: Apache-2.0

// Package materials holds what passes between an item encryptor, a
// cryptographic materials manager and a keyring: algorithm suites, encryption
// contexts, encrypted data keys, and the secrets of one item.
//
// It is a leaf: it knows no AWS service, no item and no byte of the item
// format, so a keyring of your own needs this package only. A keyring obtains
// an intermediate key from its provider and hands it to
// [Encryption.AddRecipient] or [Decryption.Open]; everything derived from it
// (wrapping of the data key, symmetric signing key) happens here, once, for
// every provider.
//
// Secrets in these types are wiped by Wipe, do not print, and refuse to be
// marshalled. Go cannot promise that the runtime left no other copy of them in
// memory.
//
// # Specification
//
// Comments name pages of the [framework's specification], such as cmm-interface,
// keyring-interface and structures, which the official libraries share.
//
// [framework's specification]: https://github.com/awslabs/aws-encryption-sdk-specification/tree/master/framework
package materials
