// SPDX-License-Identifier: Apache-2.0

// Package keyring wraps and unwraps the data keys of items: under a local AES
// or RSA key ([RawAES], [RawRSA]), under a secret that two local key pairs agree
// on ([RawECDH]), under branch keys ([Hierarchical]), or under several of them
// ([Multi]). Keyrings on AWS KMS are in the awskms package below this one.
//
// # Choosing one
//
// Hierarchical, on a key store with a cache in front, is the one for
// production: one KMS call per branch key and cache lifetime, whatever the
// number of items. The awskms keyrings ask KMS for every item. RawAES, RawRSA
// and RawECDH leave keeping the key to you, and a raw AES key may wrap no more
// than 2^32 items: see [RawAES].
//
// All keyrings here are immutable after construction and safe for use by many
// goroutines at once. They write and read the encrypted data keys of the AWS
// Material Providers Library.
//
// # Errors
//
// OnDecrypt joins one [materials.KeyError] per encrypted data key it tried. A
// keyring to which none of them belongs fails with [materials.ErrMaterials]
// and lists what the item has.
//
// # Specification
//
// Comments name pages of the [framework's specification], such as raw-aes-keyring
// and multi-keyring. AWS's guide has a page about [choosing a keyring].
//
// [framework's specification]: https://github.com/awslabs/aws-encryption-sdk-specification/tree/master/framework
// [choosing a keyring]: https://docs.aws.amazon.com/database-encryption-sdk/latest/devguide/keyrings.html
package keyring
