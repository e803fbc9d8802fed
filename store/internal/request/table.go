// Package request builds the expressions of a table's requests, and refuses those
// that DynamoDB could not evaluate over what the table stores. It makes no call.
package request

import (
	"errors"
	"fmt"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/schema"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// ErrEncryptedAttribute: an expression needs the value of an attribute that
// DynamoDB sees only as ciphertext.
var ErrEncryptedAttribute = errors.New("attribute is encrypted on the client")

// Table is what requests of a table depend on.
type Table struct {
	Name      string
	Plan      *schema.Plan
	Encryptor *envelope.ItemEncryptor // nil in server-side mode
	Searching *searching.Table        // nil if items have no beacons
}

// Declared refuses names that no attribute of a client-side table can have: a
// misspelt name in attribute_not_exists would be true of every item.
func (t Table) Declared(what, name string) error {
	e := t.Encryptor
	if e == nil || name == envelope.HeaderAttribute || name == envelope.FooterAttribute {
		return nil
	}
	if e.LegacyDecryptor() != nil &&
		(name == envelope.LegacySignatureAttribute || name == envelope.LegacyDescriptionAttribute) {
		return nil
	}
	if _, known := e.Action(name); !known {
		return fmt.Errorf("%w: %s names attribute %q, for which table %s declares no action", envelope.ErrConfiguration,
			what, name, t.Name)
	}
	return nil
}

// Readable refuses attributes whose value DynamoDB cannot see.
func (t Table) Readable(what, name string) error {
	if t.Encryptor == nil {
		return nil
	}
	if err := t.Declared(what, name); err != nil {
		return err
	}
	if action, _ := t.Encryptor.Action(name); action == envelope.EncryptAndSign {
		cure := "filter after reading"
		if what != ddbexpr.KindCondition.String() {
			cure += ", give the field a beacon"
		}
		return fmt.Errorf(`%w: %s names %q: DynamoDB of table %s sees ciphertext; %s, or tag the field seal:"sign"`,
			ErrEncryptedAttribute, what, name, t.Name, cure)
	}
	if action, _ := t.Encryptor.LegacyAction(name); action == envelope.EncryptAndSign {
		return fmt.Errorf("%w in items of the older client: %s names %q, and table %s reads such items: filter after "+
			"reading, or migrate them", ErrEncryptedAttribute, what, name, t.Name)
	}
	return nil
}
