// SPDX-License-Identifier: Apache-2.0

// Package itemconfig reads the JSON file that describes an item encryptor. It
// is what "ddbseal item --config" takes, and your own programs can read the
// same file. The format of the file is settled; this package is experimental:
// its API may change in any release.
//
// [Read] parses a file and [Config.Encryptor] creates its item encryptor:
//
//	{
//	  "table": "patients",
//	  "partitionKey": "id",
//	  "attributeActions": {"id": "SIGN_ONLY", "diagnosis": "ENCRYPT_AND_SIGN"},
//	  "keyring": {"type": "aws-kms", "keyId": "arn:aws:kms:eu-west-1:111122223333:key/…"}
//	}
//
// # The file
//
// The file is an interface: a file that this version reads means the same to
// every later one. Members are added, not renamed. A file has one JSON value of
// at most 4 MB, and an unknown member is an error.
//
//   - table: the logical table name, which is signed with each item. Required.
//   - partitionKey, sortKey: the names of the key attributes. A table without a
//     sort key has no sortKey.
//   - attributeActions: an action for each attribute name: ENCRYPT_AND_SIGN,
//     SIGN_ONLY, SIGN_AND_INCLUDE_IN_ENCRYPTION_CONTEXT or DO_NOTHING.
//   - allowedUnsignedAttributes, allowedUnsignedAttributePrefix: the attributes
//     with the action DO_NOTHING, by their names or by a common prefix.
//   - algorithmSuite: the suite's name in the specification, or 0x6700 or
//     0x6701. The default is 0x6701, which has a digital signature.
//   - plaintextPolicy: FORBID_PLAINTEXT_WRITE_FORBID_PLAINTEXT_READ, which is
//     the default, FORBID_PLAINTEXT_WRITE_ALLOW_PLAINTEXT_READ or
//     FORCE_PLAINTEXT_WRITE_ALLOW_PLAINTEXT_READ.
//   - keyring: where data keys come from. Required.
//   - search: the beacons by which searches find items. Without it items have
//     none.
//   - legacy: how the older DynamoDB Encryption Client wrote the table's items. A
//     table without such items has no legacy.
//
// # Keyrings
//
// The member type of a keyring decides which other members it can have. A member
// of another type is an error, because it would have no effect:
//
//   - raw-aes: namespace, name and key, a secret of 16, 24 or 32 bytes.
//   - raw-rsa: namespace, name, padding (PKCS1, OAEP_SHA1_MGF1,
//     OAEP_SHA256_MGF1, OAEP_SHA384_MGF1 or OAEP_SHA512_MGF1), and publicKey to
//     encrypt, privateKey to decrypt, or both, as PEM text (PKIX and PKCS #8).
//   - raw-ecdh: privateKey, your own, and publicKey, the other side's, on P-256,
//     P-384 or P-521, as PEM text (PKCS #8 and PKIX).
//   - raw-ecdh-ephemeral: encrypt only, for the holder of the private half of
//     publicKey.
//   - raw-ecdh-discovery: decrypt only with privateKey, from any sender.
//   - aws-kms, aws-kms-mrk: keyId, the ARN of a KMS key. The second one also
//     decrypts with a replica of a multi-Region key.
//   - aws-kms-discovery, aws-kms-mrk-discovery: decrypt only, with the keys that
//     the items name. region is where to ask. accounts and partition (the
//     default is "aws") restrict whose keys are used.
//   - aws-kms-rsa: keyId, the ARN of an RSA key, encryptionAlgorithm
//     (RSAES_OAEP_SHA_1 or RSAES_OAEP_SHA_256), and publicKey, its public half as
//     PEM text, which may be left out. This keyring needs the algorithmSuite
//     0x6700.
//   - aws-kms-ecdh: keyId, the ARN of your own key for key agreement, and
//     publicKey, the public key of the other side as PEM text.
//   - aws-kms-ecdh-discovery: decrypt only with keyId, from any sender.
//   - multi: generator and children, keyrings. An item is encrypted under all of
//     them, and any of them decrypts it.
//   - hierarchical: branch keys. Either table, logicalName (the default is
//     table), kmsKeyId, branchKeyId and ttl (a duration such as 10m, which is
//     the default) name a key store and one of its branch keys. Or branchKeys
//     has versions of branch keys in plaintext, each with branchKeyId, version
//     (a UUID) and key, a secret of 32 bytes; such a keyring needs no AWS. It
//     encrypts under the last listed version of branchKeyId, or, without
//     branchKeyId, of the first branch key in the list.
//
// # Search
//
// The members of search; see package beacon for what they mean. They have the
// names of the official configuration, whose list of versions always has one
// element and is left out:
//
//   - standardBeacons: each with name, length in bits, and, where the default is
//     not meant, loc, numberOfPartitions and style. A style has one member:
//     partOnly or asSet, an empty object, or shared or sharedSet, an object with
//     other, the beacon whose key is used.
//   - virtualFields: each with name and parts. A part has loc and trans, a list of
//     objects with one member: upper or lower, an empty object; insert with
//     literal; prefix or suffix with length; substring with low and high; segment
//     with split and index; or segments with split, low and high.
//   - compoundBeacons: each with name, split, signed (parts with name, prefix and
//     loc), encrypted (parts with name and prefix) and constructors, each of which
//     has parts with name and required.
//   - signedParts, encryptedParts: parts for every compound beacon.
//   - maximumNumberOfPartitions, defaultNumberOfPartitions: numbers.
//   - acceptMissing: a boolean, required with a plaintextPolicy that allows
//     plaintext, because searches do not find such items.
//   - keySource: either keyId, the branch key of all beacons, or keyFieldName, the
//     attribute that names it; cacheTTL, a duration such as 10m, which is the
//     default; and either table, logicalName (the default is table) and kmsKeyId,
//     which name a key store, or beaconKeys, each with branchKeyId and key, a
//     secret of 32 bytes.
//
// # Legacy
//
// The members of legacy; see package legacy for what they mean:
//
//   - policy: FORBID_LEGACY_ENCRYPT_ALLOW_LEGACY_DECRYPT, which reads old items
//     and writes the current format, or
//     FORBID_LEGACY_ENCRYPT_FORBID_LEGACY_DECRYPT. Required.
//   - table: the table name that the writer signed; the default is the logical
//     table name. withoutTable, a boolean, stands for a writer that named none.
//   - attributeActions: the writer's action for each attribute name:
//     ENCRYPT_AND_SIGN, SIGN_ONLY, or DO_NOTHING. defaultAction: the action of all
//     other attributes. Without it an item with another attribute is refused.
//   - rules: java, which is the default, or python.
//   - provider: where the writer got its keys. Required.
//
// The member type of a provider decides which other members it can have:
//
//   - static: contentKey, a secret of 16, 24 or 32 bytes, and either macKey, a
//     secret, with mac (HmacSHA256, which is the default, HmacSHA224, HmacSHA384
//     or HmacSHA512), or publicKey, an RSA key as PEM text.
//   - wrapped: wrappingKey, a secret of 16, 24 or 32 bytes, or privateKey, an RSA
//     key as PEM text; and macKey or publicKey as above.
//   - aws-kms: keyIds, the ARNs of up to ten KMS keys in one Region. withoutKeys, a
//     boolean, stands for a writer whose encryption context had no key attributes.
//   - meta-store: table, the meta table; signedTable, the name that its rows are
//     signed with (the default is table); materialName; rows, the provider of the
//     rows; and signedOnly, names of attributes of the rows.
//
// # Secrets
//
// A secret is an object with exactly one of these members:
//
//   - base64: the bytes, in standard base64, in the file itself.
//   - file: the path of a file that has the bytes, raw or in base64.
//   - env: the name of an environment variable that has them in base64.
package itemconfig
