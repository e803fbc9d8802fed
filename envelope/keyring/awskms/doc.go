// SPDX-License-Identifier: Apache-2.0

// Package awskms wraps items under AWS KMS keys directly, one KMS call per item
// and key: GenerateDataKey on writing, Decrypt on reading.
//
// [New] is for one key, [NewMRK] for one multi-Region key whose replicas open
// each other's items, [NewMulti] and [NewMRKMulti] for several keys.
// [NewDiscovery] and [NewMRKDiscovery] read only, with whatever key the item
// names; their filter restricts that to accounts you trust.
//
// Two kinds of keyrings use asymmetric keys. [NewRSA] is for an RSA key: writing
// needs its public half and no call, reading costs one Decrypt. [NewECDH] and
// [NewECDHDiscovery] are for a key agreement: writing and reading cost one
// DeriveSharedSecret each. AWS charges more for calls with asymmetric keys and
// allows fewer of them per second than with symmetric ones.
//
// Where calls per item are too many, use the Hierarchical keyring on a key
// store instead.
//
// # Only key ARNs
//
// An item stores the ARN of the key that wrapped it, and a reader compares it
// with its own configuration. An alias or a bare key id cannot be compared, and
// an alias may point elsewhere tomorrow, so the constructors refuse both with
// [materials.ErrConfiguration]. (The specification accepts them for keyrings
// that only encrypt.) Resolve an alias once, with DescribeKey, and configure
// the ARN.
//
// # What KMS sees
//
// The item's full encryption context goes to KMS with every call, in clear: the
// table name and the values of the key attributes, and of any attribute that is
// signed and included in the context. It can be used in key policies and
// appears in the CloudTrail log.
//
// With asymmetric keys KMS takes no encryption context. The keyrings bind it
// themselves, so no key value reaches KMS or CloudTrail. In exchange, neither a
// kms:EncryptionContext condition nor a grant's constraint can bind a caller to
// some of the items: everyone who may use the key can open all of them.
//
// # Permissions
//
// The symmetric keyrings need kms:GenerateDataKey to write and kms:Decrypt to
// read. RSA needs kms:GetPublicKey to write, unless it has a public key and no
// client, and kms:Decrypt to read. ECDH needs kms:GetPublicKey and
// kms:DeriveSharedSecret for both.
//
// # Errors
//
// A failed call gives a [materials.KeyError] with the key ARN, the KMS error
// code, and, if access was denied, the missing permission; such an error is
// also [materials.ErrKeyDenied]. Throttling and cancellation are not.
//
// # Counting calls
//
// A [Counter] in the options of the KMS client counts the calls of all keyrings
// and key stores that use it, without another dependency. Publish its Stats with
// expvar.Func, or read them in the callback of an OpenTelemetry observable
// counter. The SDK's own meters and tracers work beside it.
//
// # Specification
//
// Comments name pages of the specification of [keyrings on AWS KMS], such as
// aws-kms-mrk-keyring. AWS's guide has a page about [choosing a keyring].
//
// [keyrings on AWS KMS]: https://github.com/awslabs/aws-encryption-sdk-specification/tree/master/framework/aws-kms
// [choosing a keyring]: https://docs.aws.amazon.com/database-encryption-sdk/latest/devguide/keyrings.html
package awskms
