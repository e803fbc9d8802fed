// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Errors by phase, for errors.Is.
var (
	// ErrConfiguration means that a setting is missing, contradictory or out of range.
	ErrConfiguration = materials.ErrConfiguration
	// ErrInvalidItem means that an item given for encryption breaks a rule: an attribute
	// without action, a missing key, a value that DynamoDB does not hold.
	ErrInvalidItem = errors.New("item cannot be encrypted")
	// ErrMaterials means that keyring or materials manager gave no usable materials.
	ErrMaterials = materials.ErrMaterials
	// ErrKeyDenied means that the key service refused the caller the use of a key.
	ErrKeyDenied = materials.ErrKeyDenied
	// ErrNotEncrypted means that the item to decrypt carries neither header nor footer.
	ErrNotEncrypted = errors.New("item is not encrypted")
	// ErrLegacyItem means that the item was written by the older DynamoDB Encryption
	// Client, and the configuration does not allow reading it; it also matches
	// ErrUnsupported.
	ErrLegacyItem = fmt.Errorf("item of the legacy DynamoDB Encryption Client: %w", ErrUnsupported)
	// ErrTampered means that the item does not verify: changed, cut, mixed from several
	// items, read under the wrong configuration, or malformed. Nothing of it
	// was returned.
	ErrTampered = errors.New("item does not verify")
	// ErrUnsupported means that this library does not read or write something, such
	// as a later version of the format, or a malformed value in an item that
	// verifies.
	ErrUnsupported = materials.ErrUnsupported
)

// KeyError says why one wrapping key did not serve.
type KeyError = materials.KeyError

// Error is what every failed operation on an item returns: where it failed and
// why. It never holds an attribute's value.
type Error struct {
	Operation string // "configure", "encrypt", "decrypt" or "inspect"
	Table     string // logical table name, if known
	Attribute string // the attribute at fault, if it is one
	KeyID     string // the wrapping key at fault, if it is one: the first of those tried
	Err       error  // the reason; matches one of the sentinels
}

// Error names the operation, the table and the attribute, and says why it failed.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Operation)
	if e.Table != "" {
		fmt.Fprintf(&b, " table %q", e.Table)
	}
	if e.Attribute != "" {
		fmt.Fprintf(&b, " attribute %.255q", e.Attribute)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the reason.
func (e *Error) Unwrap() error { return e.Err }

// BatchError is the error of EncryptAll and DecryptAll when some items failed.
type BatchError struct {
	// Errors has one entry for each item of the call; nil where it succeeded.
	Errors []error
}

// Error says how many items failed, and why the first of them did.
func (e *BatchError) Error() string {
	failed, first := 0, -1
	for i, err := range e.Errors {
		if err == nil {
			continue
		}
		if failed++; first < 0 {
			first = i
		}
	}
	if first < 0 {
		return "no item failed"
	}
	return fmt.Sprintf("%d of %d items failed, the first at index %d: %v", failed, len(e.Errors), first,
		e.Errors[first])
}

// Unwrap gives the errors of the items that failed.
func (e *BatchError) Unwrap() []error {
	var errs []error
	for _, err := range e.Errors {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// attributeError carries the attribute's name up to where table and operation
// are known.
type attributeError struct {
	name string
	err  error
}

func (e *attributeError) Error() string { return fmt.Sprintf("attribute %q: %v", e.name, e.err) }
func (e *attributeError) Unwrap() error { return e.err }

// at says which attribute an error is about.
func at(name string, err error) error { return &attributeError{name: name, err: err} }

// invalidItem is an error of class ErrInvalidItem.
func invalidItem(text string, args ...any) error {
	return fmt.Errorf("%w: "+text, append([]any{ErrInvalidItem}, args...)...)
}

// tampered is an error of class ErrTampered.
func tampered(text string, args ...any) error {
	return fmt.Errorf("%w: "+text, append([]any{ErrTampered}, args...)...)
}

// fail wraps err in an [*Error] for the caller.
func (e *ItemEncryptor) fail(operation string, err error) error {
	return newError(operation, e.table, err)
}

func newError(operation, table string, err error) *Error {
	out := &Error{Operation: operation, Table: table, Err: err}
	var attribute *attributeError
	if errors.As(err, &attribute) {
		out.Attribute = attribute.name
		if direct, ok := err.(*attributeError); ok { // only the outermost layer repeats the name
			out.Err = direct.err
		}
	}
	var key *KeyError
	if errors.As(err, &key) {
		out.KeyID = key.KeyID
	}
	return out
}

// onOpening wraps an error about the plaintext of a verified item. Its writer
// had the keys, so the item is not tampered with, only not readable here.
func onOpening(err error) error {
	if errors.Is(err, format.ErrMalformed) {
		return fmt.Errorf("%w: the item verifies, but the value is %w", ErrUnsupported, err)
	}
	return err
}

// onWriting and onReading put an error of the format into the class of the
// operation.
func onWriting(err error) error {
	if a, ok := err.(*attributeError); ok {
		return at(a.name, onWriting(a.err))
	}
	if errors.Is(err, format.ErrInvalid) {
		return fmt.Errorf("%w: %w", ErrInvalidItem, err)
	}
	return err
}

func onReading(err error) error {
	if a, ok := err.(*attributeError); ok {
		return at(a.name, onReading(a.err))
	}
	switch {
	case errors.Is(err, format.ErrVersion):
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	case errors.Is(err, format.ErrMalformed), errors.Is(err, format.ErrInvalid):
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return err
}
