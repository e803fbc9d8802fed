// SPDX-License-Identifier: Apache-2.0

package sigv4

// Kind says what is wrong with a signature; each is another error code on the
// wire.
type Kind int

const (
	// Missing: the request carries no signature at all.
	Missing Kind = iota + 1
	// Incomplete: the Authorization header or query lacks a part.
	Incomplete
	// Unsupported: another algorithm than AWS4-HMAC-SHA256.
	Unsupported
	// BadScope: wrong date, service or terminator in the credential scope.
	BadScope
	// Expired: signed too long ago.
	Expired
	// Early: signed for a time that has not come.
	Early
	// Mismatch: the signature is wrong.
	Mismatch
)

// Error is a refused signature. Message is AWS's text and holds no secret: the
// date, the scope and the names of the parts only.
type Error struct {
	Kind    Kind
	Message string
}

func (e *Error) Error() string { return e.Message }
