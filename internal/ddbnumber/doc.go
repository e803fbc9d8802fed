// SPDX-License-Identifier: Apache-2.0

// Package ddbnumber handles DynamoDB's number type: decimal text of at most 38
// significant digits with a magnitude from 1e-130 to 9.99…e125.
//
// [Normalize] brings any accepted spelling into the one plain form that the
// item format signs and that tables return. [Compare] orders numbers by value,
// [SortKey] turns one into bytes that sort the same way, and [Add] and [Sub]
// are the exact arithmetic of update expressions.
//
// Numbers stay text throughout: no value ever passes through a float. Work and
// memory are bounded by the length of the input whatever its exponent says, so
// "1e999999999" is refused without being expanded.
package ddbnumber
