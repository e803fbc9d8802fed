// SPDX-License-Identifier: Apache-2.0

// Package ddbjson reads and writes DynamoDB JSON, the form in which attribute
// values travel: {"name": {"S": "text"}, "n": {"N": "1"}}.
//
// [Unmarshal] and [Marshal] handle one item. A [Reader] walks any JSON document
// member by member, so that a server reads a whole request in one pass, and the
// Append functions write without intermediate values. [Validate] applies the
// rules that DynamoDB adds to the syntax (no empty sets, numbers in range, at
// most 32 levels), and [ItemSize] counts as DynamoDB bills.
//
// Reading is strict: exactly one type name per value, no duplicate member
// names, valid UTF-8, canonical base64, nothing after the end. A
// *[SerializationError] says that the text has the wrong shape, a
// *[ValidationError] that a well-shaped value is not allowed; both carry
// DynamoDB's own message. Numbers stay as they were written; normal forms are
// the business of package ddbnumber.
package ddbjson
