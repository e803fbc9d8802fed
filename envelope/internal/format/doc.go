// SPDX-License-Identifier: Apache-2.0

// Package format holds the bytes of an encrypted item and nothing else: no
// keys, no I/O, no service client, no clock.
//
//   - [Header] is the attribute aws_dbe_head ([ParseHeader], [Header.AppendPartial])
//   - [Footer] is the attribute aws_dbe_foot ([ParseFooter], [Footer.Append])
//   - [Record] is the canonical record, the input of every signature
//   - [AppendValue] and [ParseValue] are the attribute values
//   - [ECDHInfo] is the provider information of ECDH keyrings
//   - [AppendPath] and [SortPaths] are names and their order
//
// Everything that parses takes hostile input: allocation is bounded by the
// length of the input, nesting by [MaxDepth].
//
// # Specification
//
// Comments name pages of the specification of [structured encryption], such as
// header and footer, and of the [attribute serialization].
//
// [structured encryption]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/tree/main/specification/structured-encryption
// [attribute serialization]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/tree/main/specification/dynamodb-encryption-client/ddb-attribute-serialization.md
package format
