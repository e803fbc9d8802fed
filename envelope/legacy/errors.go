// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"errors"
	"fmt"

	"github.com/ddbseal/ddbseal/envelope"
)

// attributeError carries an attribute's name up to where the table is known.
type attributeError struct {
	name string
	err  error
}

func (e *attributeError) Error() string { return fmt.Sprintf("attribute %.255q: %v", e.name, e.err) }
func (e *attributeError) Unwrap() error { return e.err }

// at says which attribute an error is about.
func at(name string, err error) error { return &attributeError{name, err} }

func configuration(text string, args ...any) error {
	return fmt.Errorf("%w: "+text, append([]any{envelope.ErrConfiguration}, args...)...)
}

func tampered(text string, args ...any) error {
	return fmt.Errorf("%w: "+text, append([]any{envelope.ErrTampered}, args...)...)
}

func unsupported(text string, args ...any) error {
	return fmt.Errorf("%w: "+text, append([]any{envelope.ErrUnsupported}, args...)...)
}

// fail wraps err in an *envelope.Error.
func fail(operation, table string, err error) error {
	out := &envelope.Error{Operation: operation, Table: table, Err: err}
	var attribute *attributeError
	if errors.As(err, &attribute) {
		out.Attribute = attribute.name
		if direct, ok := err.(*attributeError); ok { // only the outermost layer repeats the name
			out.Err = direct.err
		}
	}
	var key *envelope.KeyError
	if errors.As(err, &key) {
		out.KeyID = key.KeyID
	}
	return out
}

// errNotLegacy is the reason to refuse an item that the older client did not
// encrypt.
var errNotLegacy = fmt.Errorf("%w by the older DynamoDB Encryption Client: it has neither %s nor %s",
	envelope.ErrNotEncrypted, envelope.LegacyDescriptionAttribute, envelope.LegacySignatureAttribute)
