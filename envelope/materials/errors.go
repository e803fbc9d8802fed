// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"errors"
	"strings"
)

// Errors by phase. The envelope package exports the same values, so that
// applications need only that one.
var (
	// ErrConfiguration means that a setting is missing, contradictory or out of range.
	ErrConfiguration = errors.New("invalid configuration")
	// ErrMaterials means that keyring or cryptographic materials manager gave no usable
	// materials.
	ErrMaterials = errors.New("no usable cryptographic materials")
	// ErrKeyDenied means that the key service refused the caller the use of a key.
	ErrKeyDenied = errors.New("use of the key denied")
	// ErrUnsupported means that the format or a provider has something that this
	// library does not support.
	ErrUnsupported = errors.New("not supported")
)

// KeyError says why one wrapping key did not serve. A failed decrypt joins one
// per encrypted data key that was tried.
type KeyError struct {
	// Provider is the provider id of the encrypted data key or keyring, such
	// as "aws-kms".
	Provider string
	// KeyID names the wrapping key: a key ARN, a branch key id, a key name.
	KeyID string
	// Code is the key service's error code, such as "AccessDeniedException";
	// empty when no service was asked.
	Code string
	// Missing is the permission that the caller lacks, such as "kms:Decrypt";
	// empty unless the service denied access.
	Missing string
	// Err is the cause.
	Err error
}

// Error names the provider, the key and the permission that is missing, and says
// why the key did not serve.
func (e *KeyError) Error() string {
	var b strings.Builder
	b.WriteString(e.Provider)
	if e.KeyID != "" {
		b.WriteString(" key ")
		b.WriteString(e.KeyID)
	}
	if e.Code != "" {
		b.WriteString(": ")
		b.WriteString(e.Code)
	}
	if e.Missing != "" {
		b.WriteString(": permission ")
		b.WriteString(e.Missing)
		b.WriteString(" is missing")
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause and, when a permission is missing, [ErrKeyDenied].
func (e *KeyError) Unwrap() []error {
	errs := make([]error, 0, 2)
	if e.Missing != "" {
		errs = append(errs, ErrKeyDenied)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}
