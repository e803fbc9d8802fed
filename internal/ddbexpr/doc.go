// SPDX-License-Identifier: Apache-2.0

// Package ddbexpr is DynamoDB's expression language: condition, filter,
// projection, key condition and update expressions.
//
// A [Scope] holds the placeholders of one request. Its methods parse the
// request's expressions, and [Scope.Unused] then finds placeholders that none
// of them used:
//
//	s, err := ddbexpr.NewScope(names, values)
//	cond, err := s.Condition(ddbexpr.KindCondition, "attribute_exists(#a)")
//	update, err := s.Update("SET #a = :v")
//	err = s.Unused()
//
// What parsing returns has its placeholders resolved, is never changed
// afterwards and may be used by many goroutines. Every result tells which
// attributes it names; conditions evaluate against an item, projections and
// updates make a new item and leave the old one as it is. New items share
// values with old ones and with the placeholders, so a caller must not change values
// in place.
//
// Numbers compare by value whatever their spelling, but a value that SET
// stores is stored as it came: normalize the values of a request first.
//
// Every refusal is an *[Error] with the text of DynamoDB's own
// ValidationException. Text that DynamoDB does not document was taken from
// published examples; where only the rule is known, the text is ours.
package ddbexpr
