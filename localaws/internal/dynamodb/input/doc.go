// SPDX-License-Identifier: Apache-2.0

// Package input is the request side of DynamoDB: it decodes the request of each
// operation, refuses what AWS refuses without looking at a table, and turns the
// rest into reads, writes, pages and definitions of tables.
//
// A request goes through three steps. The members are read: ReadMember decodes a
// request with items by hand, package wire decodes every other request by
// reflection. Check finds violated constraints. Prepare checks the members
// together, parses expressions and finds the names of tables. What it prepares
// is in the exported fields and in the results of the methods.
//
// A prepared read, write or page is then bound to the definition of its table,
// which checks keys, types and paths. [Write.Evaluate] computes what a write
// leaves in the place of an item.
//
// The package holds no tables and no items, authorizes nothing and changes
// nothing.
package input
