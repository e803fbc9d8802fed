// SPDX-License-Identifier: Apache-2.0

package format

const (
	// TagLength is one recipient tag: HMAC-SHA384.
	TagLength = 48
	// SignatureLength is the one length of the DER signature that readers of
	// this format accept; most P-384 signatures have 102 to 104 bytes.
	SignatureLength = 103
)

// Footer is the attribute aws_dbe_foot:
//
//	bytes  field
//	48·n   recipient tags, one for each encrypted data key in its order
//	103    ECDSA P-384 signature in DER, for suite 0x6701 only
//
// (Structured Encryption specification, [footer].)
//
// [footer]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/footer.md
type Footer struct {
	Tags      []byte // 48·n bytes
	Signature []byte // 103 bytes or none
}

// FooterSize returns the footer's length in bytes.
func FooterSize(recipients int, signed bool) int {
	n := recipients * TagLength
	if signed {
		n += SignatureLength
	}
	return n
}

// ParseFooter splits a footer, aliasing b. A length other than the exact one
// fails with [ErrMalformed].
// (Specification: [footer], "Footer Format".)
//
// [footer]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/footer.md#footer-format
func ParseFooter(b []byte, recipients int, signed bool) (Footer, error) {
	if want := FooterSize(recipients, signed); len(b) != want {
		return Footer{}, malformed("footer of %d bytes, %d belong to this header", len(b), want)
	}
	n := recipients * TagLength
	return Footer{Tags: b[:n:n], Signature: b[n:]}, nil
}

// Append appends the footer.
func (f Footer) Append(dst []byte) []byte {
	return append(append(dst, f.Tags...), f.Signature...)
}
