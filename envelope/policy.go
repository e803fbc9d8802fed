// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"fmt"
	"strings"
)

// PlaintextPolicy says whether items without encryption may be written and
// read. It exists for moving a table from plaintext to encryption; while
// plaintext may be read, anybody who may write to the table can replace an
// encrypted item by a plaintext one unnoticed.
// (Specification: [ddb-table-encryption-config], "Plaintext Policy".)
//
// [ddb-table-encryption-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-table-encryption-config.md#plaintext-policy
type PlaintextPolicy uint8

const (
	// ForbidPlaintextWriteForbidPlaintextRead is the default.
	ForbidPlaintextWriteForbidPlaintextRead PlaintextPolicy = iota
	// ForbidPlaintextWriteAllowPlaintextRead encrypts what is written and
	// passes plaintext items through on reading.
	ForbidPlaintextWriteAllowPlaintextRead
	// ForcePlaintextWriteAllowPlaintextRead writes plaintext and reads both:
	// the first step of a migration, before any reader knows the format.
	ForcePlaintextWriteAllowPlaintextRead
)

// String returns the official name.
func (p PlaintextPolicy) String() string {
	switch p {
	case ForbidPlaintextWriteForbidPlaintextRead:
		return "FORBID_PLAINTEXT_WRITE_FORBID_PLAINTEXT_READ"
	case ForbidPlaintextWriteAllowPlaintextRead:
		return "FORBID_PLAINTEXT_WRITE_ALLOW_PLAINTEXT_READ"
	case ForcePlaintextWriteAllowPlaintextRead:
		return "FORCE_PLAINTEXT_WRITE_ALLOW_PLAINTEXT_READ"
	}
	return fmt.Sprintf("PlaintextPolicy(%d)", uint8(p))
}

// ParsePlaintextPolicy reads an official name. Anything else fails with
// [ErrConfiguration].
func ParsePlaintextPolicy(name string) (PlaintextPolicy, error) {
	for p := ForbidPlaintextWriteForbidPlaintextRead; p.valid(); p++ {
		if p.String() == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("%w: unknown plaintext policy %.60q: one of %s", ErrConfiguration, name,
		names(ForbidPlaintextWriteForbidPlaintextRead, ForbidPlaintextWriteAllowPlaintextRead,
			ForcePlaintextWriteAllowPlaintextRead))
}

func (p PlaintextPolicy) valid() bool { return p <= ForcePlaintextWriteAllowPlaintextRead }

// readable reports whether plaintext items may be read.
func (p PlaintextPolicy) readable() bool { return p != ForbidPlaintextWriteForbidPlaintextRead }

// names lists the official names of values, for errors.
func names[T fmt.Stringer](values ...T) string {
	var list []string
	for _, v := range values {
		list = append(list, v.String())
	}
	return strings.Join(list, ", ")
}
