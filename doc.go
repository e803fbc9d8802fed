// SPDX-License-Identifier: Apache-2.0

// Package ddbseal is the root of a module that encrypts DynamoDB items before
// they leave your program. The items are byte-compatible with the AWS Database
// Encryption SDK for DynamoDB: each of its implementations opens items that this
// module wrote, and the reverse. The root has no API. Import one of these
// packages:
//
// To keep structs in a table, start with
//
//   - [github.com/ddbseal/ddbseal/store]: a typed table. You choose for each
//     table whether DynamoDB encrypts under a KMS key or your program encrypts.
//   - [github.com/ddbseal/ddbseal/store/transparent]: encryption inside the plain
//     DynamoDB client that your program already uses.
//   - [github.com/ddbseal/ddbseal/store/migrate]: moves the items of a table from
//     plaintext to ciphertext, or to another key, while the table is in use.
//
// To encrypt items yourself, or to choose where keys come from, see
//
//   - [github.com/ddbseal/ddbseal/envelope]: encrypts, decrypts and inspects an
//     item.
//   - [github.com/ddbseal/ddbseal/envelope/beacon]: searchable attributes of
//     encrypted items.
//   - [github.com/ddbseal/ddbseal/envelope/beacon/search]: queries and scans
//     over those attributes.
//   - [github.com/ddbseal/ddbseal/envelope/keyring/awskms]: keys in AWS KMS.
//   - [github.com/ddbseal/ddbseal/envelope/keyring]: raw AES, RSA and ECDH
//     keys, several keyrings together, and branch keys.
//   - [github.com/ddbseal/ddbseal/envelope/keystore]: branch keys in a DynamoDB
//     table, which need a call to KMS only now and then.
//   - [github.com/ddbseal/ddbseal/envelope/materials]: the interfaces behind a
//     keyring of your own.
//   - [github.com/ddbseal/ddbseal/envelope/itemconfig]: an encryptor from a JSON
//     file.
//
// To test without an account, see
//
//   - [github.com/ddbseal/ddbseal/localaws/localawstest]: an AWS in the process
//     of a test, with KMS, DynamoDB, IAM, STS and CloudTrail.
//   - [github.com/ddbseal/ddbseal/localaws]: the same as a server.
//   - [github.com/ddbseal/ddbseal/labsetup]: a lab that shows who sees what under
//     which key policy.
//
// To see who can read a table in clear, and to keep it so, see
//
//   - [github.com/ddbseal/ddbseal/access]: who can use a table, and why.
//   - [github.com/ddbseal/ddbseal/access/accesstest]: the same as an assertion.
//   - [github.com/ddbseal/ddbseal/access/sample]: how items are really encrypted.
//   - [github.com/ddbseal/ddbseal/access/leastprivilege]: the least-privilege policies for a
//     purpose, with proofs.
//
// Packages access, accesstest, exercise, glossary, itemconfig, labsetup,
// leastprivilege, picture and sample are experimental: their APIs may change in any
// release, as their first lines say. The APIs of the other packages are settled with
// the first release, and then change with a new major version only.
//
// The command [github.com/ddbseal/ddbseal/cmd/ddbseal] needs no account either:
//
//	go run github.com/ddbseal/ddbseal/cmd/ddbseal@latest lab
//
// docs/architecture.md in the repository says how the packages depend on each
// other.
package ddbseal
