// SPDX-License-Identifier: Apache-2.0

// Package keypolicy edits the text of KMS key policies: it finds, adds and
// removes principals and statements, and shows what an edit changed.
//
// An edit changes the bytes that it is about and no others. The layout, the
// members of statements that this package does not know, and the order that an
// author chose stay as they were. Adding a principal and removing it again gives
// back the same bytes, with two exceptions: a list of one principal becomes a
// string, as KMS returns it, and a policy whose Statement is an object keeps the
// array that a second statement made necessary.
//
// Only statements with the Effect Allow are edited. A statement keeps its Sid
// when its author turns it into a Deny, and naming a principal there would do
// the opposite of what the caller wants.
package keypolicy
