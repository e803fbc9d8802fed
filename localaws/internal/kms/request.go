// SPDX-License-Identifier: Apache-2.0

package kms

import "github.com/ddbseal/ddbseal/localaws/internal/wire"

// maxBody bounds a request in bytes: the largest, a key policy at its limit
// with every character escaped, fits.
const maxBody = 1 << 20

// maxQuoted is how many bytes of a bad value an answer repeats.
const maxQuoted = 256

// protocol is how KMS is spoken to.
var protocol = wire.JSON{MaxBody: maxBody, Empty: true, Quote: maxQuoted}

// required checks the characters of a text that must be there.
func required(c *wire.Checks, p *string, path string, low, high int) {
	if c.Required(p == nil, path) {
		c.Characters(p, path, low, high)
	}
}

// keyID checks the member that names a key.
func keyID(c *wire.Checks, p *string) { required(c, p, "keyId", 1, 2048) }

// between checks a number that may be missing.
func between(c *wire.Checks, p *int, path string, low, high int64) {
	if p != nil {
		n := int64(*p)
		c.Between(&n, path, low, high)
	}
}

// algorithm checks the name of an encryption algorithm, which may be missing.
func algorithm(c *wire.Checks, p *string, path string) {
	c.Enum(p, path, specSymmetric, "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE")
}

// maxContext bounds an encryption context: the sum of its characters.
const maxContext = 8192

func encryptionContext(c *wire.Checks, context map[string]string, path string) {
	n := 0
	for key, value := range context {
		n += len(key) + len(value)
	}
	if n > maxContext {
		c.ViolateUnseen(path, wire.MaxLength(maxContext))
	}
}

func grantTokens(c *wire.Checks, tokens []string) {
	if len(tokens) > 10 {
		c.ViolateUnseen("grantTokens", wire.MaxLength(10))
	}
	for _, t := range tokens {
		c.Characters(&t, "grantTokens", 1, 8192)
	}
}

// or returns the value of a member, or what a missing one means.
func or[T any](p *T, missing T) T {
	if p == nil {
		return missing
	}
	return *p
}

// text returns a member that may be missing, then as an empty text.
func text(p *string) string { return or(p, "") }
