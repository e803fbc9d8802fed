// SPDX-License-Identifier: Apache-2.0

// Package backup is the state of on-demand backups: what is stored of a backup, its
// items as they are sealed, and which backups there are.
//
// A backup keeps the definition of its table as it was, and with it the wrapped
// table key of that day. Its items are sealed under a key derived from that table
// key, so they can be read as long as the KMS key of that day can be used, whatever
// key the table is under later. A [Book] keeps the plaintext of neither.
//
// The package knows no requests and checks no permission.
package backup
