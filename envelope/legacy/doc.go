// SPDX-License-Identifier: Apache-2.0

// Package legacy reads the items of the older DynamoDB Encryption Client (Java
// 1.x and 2.x, Python 1.x to 3.x), so that a table can move to the format of
// package envelope. It never writes the old format.
//
//	mac, err := legacy.NewHMAC("HmacSHA256", signingKey)
//	provider, err := legacy.NewStatic(legacy.StaticConfig{ContentKey: contentKey, Verification: mac})
//	old, err := legacy.New(legacy.Config{
//		TableName: "patients", PartitionKey: "id",
//		Actions:  map[string]envelope.Action{"id": envelope.SignOnly, "diagnosis": envelope.EncryptAndSign},
//		Provider: provider,
//	})
//	config.Legacy = &envelope.LegacyOverride{
//		Policy: envelope.ForbidLegacyEncryptAllowLegacyDecrypt, Decryptor: old,
//	}
//
// An encryptor with this override opens items of both formats and writes the
// current one: see [envelope.LegacyOverride]. Package store, store/transparent
// and store/migrate take it from there. [Decryptor.DecryptItem] also works alone.
//
// # What must be known
//
// An old item has no list of its attributes and does not name its key. Table
// name, actions, provider and rules come from [Config] alone and must equal the
// writer's; otherwise the item does not verify. What the clients do by default:
//
//   - The Java mapper signs keys and the version attribute, encrypts and signs
//     other mapped fields, and does nothing to unmapped attributes. @DoNotEncrypt
//     is SignOnly, @DoNotTouch is DoNothing.
//   - The Java encryptor's AllFieldsExcept encrypts and signs all but the listed
//     attributes, which it signs.
//   - The Python client encrypts and signs each attribute that has no action of
//     its own, and signs keys: a DefaultAction of EncryptAndSign.
//
// # Providers
//
//	writer's provider       here          cost of an item
//	static                  NewStatic     none
//	wrapped, KeyStore       NewWrapped    unwrapping of one key
//	direct AWS KMS          NewKMS        one call of kms:Decrypt
//	most recent, caching    NewMetaStore  one read of the meta table for each version
//	                                      of the material, then as wrapped
//
// # Rules
//
// The clients order names and set entries by UTF-16 units (Java) or code points
// (Python), which differ only between U+E000–U+FFFF and the characters beyond
// U+FFFF. They order binary sets by signed or unsigned bytes, and only Python
// rounds numbers to 28 digits. Items with such values verify under one of
// [JavaRules] and [PythonRules] only. Numbers of more than 28 digits that Python
// has encrypted were damaged when they were written.
//
// # What is stricter here
//
// The official libraries return attributes without an action unverified, and an
// item as it is if the configuration has an action for none of its attributes.
// This package refuses an attribute without an action, an item that lacks a key,
// and an item that has an attribute of the current format. It reads values
// strictly, because the wrapped content key of an item is not signed, and with
// RSA wrapping anyone who has the public key can replace it. An algorithm name
// in an item only selects from a list; the package uses no other text of an
// item.
//
// # Limits
//
//   - Items with renamed attributes (the Java client for version 1 of the SDK can
//     rename *amzn-ddb-map-desc* and *amzn-ddb-map-sig*) are not recognized.
//   - Signatures of elliptic curve keys, of RSA with SHA-1 and MACs other than
//     HMAC with SHA-2 are refused with [envelope.ErrUnsupported].
//   - A number key that DynamoDB has shortened, such as 1.50 to 1.5, is not what
//     the direct AWS KMS provider had in its encryption context: no client can open
//     such an item.
//   - An old item that someone puts back in place of a newer one verifies as
//     long as reading old items is allowed. Migrate, and then forbid it.
//
// # Reference
//
// The format has no specification. Its implementations are the [Java client] and
// the [Python client]; AWS's guide describes [migrating from it].
//
// [Java client]: https://github.com/aws/amazon-dynamodb-encryption-java
// [Python client]: https://github.com/aws/aws-dynamodb-encryption-python
// [migrating from it]: https://docs.aws.amazon.com/database-encryption-sdk/latest/devguide/ddb-java-migrate.html
package legacy
