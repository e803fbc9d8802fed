// SPDX-License-Identifier: Apache-2.0

// Package identifier creates the random ids and secrets of IAM and STS.
package identifier

import "crypto/rand"

const (
	idAlphabet     = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	secretAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
)

// New returns a unique id as IAM creates it: a prefix of four letters, such as
// AIDA for a user, and 17 characters.
func New(prefix string) string {
	raw := make([]byte, 17)
	_, _ = rand.Read(raw)
	for i, b := range raw {
		raw[i] = idAlphabet[b&31]
	}
	return prefix + string(raw)
}

// NewAccessKey returns an access key id of 20 characters. The prefix is AKIA for
// a long-term key and ASIA for the key of a session.
func NewAccessKey(prefix string) string { return New(prefix)[:20] }

// NewSecret returns a secret access key: 40 characters of 240 random bits.
func NewSecret() string {
	raw := make([]byte, 40)
	_, _ = rand.Read(raw)
	for i, b := range raw {
		raw[i] = secretAlphabet[b&63]
	}
	return string(raw)
}
