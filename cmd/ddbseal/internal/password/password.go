// SPDX-License-Identifier: Apache-2.0

// Package password makes console passwords.
package password

import "crypto/rand"

// New returns a random password of 130 bits with the characters that IAM's
// default password policy wants.
func New() string { return rand.Text() + "-a1" }
