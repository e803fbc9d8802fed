// SPDX-License-Identifier: Apache-2.0

// Package schema is what DynamoDB knows of a table besides its items: the
// definition of the table and of its indexes, the keys by which items are
// ordered, and the rules that keys and values must follow.
//
// Everything here is plain data and functions on it. The package holds no
// items, takes no locks and writes no files; package table does. It reads no
// requests either; package input does.
package schema
