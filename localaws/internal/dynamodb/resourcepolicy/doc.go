// SPDX-License-Identifier: Apache-2.0

// Package resourcepolicy has the resource-based policies of tables and streams: what
// DynamoDB refuses of a document, the form in which it keeps one, and when two documents
// are the same policy.
//
// A [Policy] is bound to the users and roles that it names, as they are when the
// policy is put: a user that is deleted and created again under the same name is
// another principal. Package internal/policy evaluates it together with the other
// policies that bear on a call.
package resourcepolicy
