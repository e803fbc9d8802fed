// SPDX-License-Identifier: Apache-2.0

// Package access is an example of a test that keeps a table readable by the
// principals that should read it, and by no other: see access_test.go. The test
// needs no account: it makes the account's users, roles and keys as a deployment
// would, and fails with the path when a later change lets another principal read.
package access
