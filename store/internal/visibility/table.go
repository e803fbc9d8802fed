// SPDX-License-Identifier: Apache-2.0

// Package visibility checks what expressions say of attributes: DynamoDB sees some
// as ciphertext, and each has a type. It makes no call.
package visibility

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/codec"
	"github.com/ddbseal/ddbseal/store/internal/operand"
	"github.com/ddbseal/ddbseal/store/internal/redaction"
	"github.com/ddbseal/ddbseal/store/internal/schema"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// ErrEncrypted means that an expression needs the value of an attribute that
// DynamoDB sees only as ciphertext.
var ErrEncrypted = errors.New("attribute is encrypted on the client")

// Table is a table whose expressions are checked.
type Table struct {
	Name string
	Plan *schema.Plan
	// Encryptor is nil if DynamoDB sees everything.
	Encryptor *envelope.ItemEncryptor
	Searching *searching.Table // nil if items have no beacons
}

// CheckCondition refuses a condition or filter that DynamoDB could not evaluate.
// It is text, an expression of e. Errors: envelope.ErrConfiguration, [ErrEncrypted].
func (t *Table) CheckCondition(kind ddbexpr.Kind, text string, e expression.Expression) error {
	var parsed *ddbexpr.Condition
	scope, err := ddbexpr.NewScope(e.Names(), e.Values())
	if err == nil {
		parsed, err = scope.Condition(kind, text)
	}
	if err != nil && t.Encryptor == nil {
		return nil // DynamoDB judges it
	}
	if err != nil {
		return fmt.Errorf("%w: %w", envelope.ErrConfiguration, err)
	}
	searched := func(name string) bool { return kind == ddbexpr.KindFilter && t.Searching.Hides(name) }
	for _, name := range parsed.TopLevelNames() {
		if searched(name) {
			continue
		}
		if err := t.Declared(kind.String(), name); err != nil {
			return err
		}
	}
	for _, name := range parsed.ValueNames() {
		if searched(name) {
			continue
		}
		if err := t.Readable(kind.String(), name); err != nil {
			return err
		}
	}
	return operand.CheckCondition(parsed.Root(), t.Plan.OperandField)
}

// Declared refuses names that no attribute of a client-side table can have: a
// misspelt name in attribute_not_exists would be true of every item.
func (t *Table) Declared(what, name string) error {
	if t.Encryptor == nil || name == envelope.HeaderAttribute || name == envelope.FooterAttribute {
		return nil
	}
	if t.Encryptor.LegacyDecryptor() != nil &&
		(name == envelope.LegacySignatureAttribute || name == envelope.LegacyDescriptionAttribute) {
		return nil
	}
	if _, known := t.Encryptor.Action(name); !known {
		return fmt.Errorf("%w: %s names attribute %q, for which table %s declares no action",
			envelope.ErrConfiguration, what, name, t.Name)
	}
	return nil
}

// Readable refuses attributes whose value DynamoDB cannot see.
func (t *Table) Readable(what, name string) error {
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
			ErrEncrypted, what, name, t.Name, cure)
	}
	if action, _ := t.Encryptor.LegacyAction(name); action == envelope.EncryptAndSign {
		return fmt.Errorf("%w in items of the older client: %s names %q, and table %s reads such items: filter after "+
			"reading, or migrate them", ErrEncrypted, what, name, t.Name)
	}
	return nil
}

// CheckUpdate parses the update of e, and refuses one that would break an item's
// signature or change what a key is composed of. Errors: as
// [Table.CheckCondition].
func (t *Table) CheckUpdate(e expression.Expression) (*ddbexpr.Update, error) {
	scope, err := ddbexpr.NewScope(e.Names(), e.Values())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", envelope.ErrConfiguration, err)
	}
	u, err := scope.Update(*e.Update())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", envelope.ErrConfiguration, err)
	}
	for _, name := range u.TopLevelNames() {
		if err := t.Declared("UpdateExpression", name); err != nil {
			return nil, err
		}
		if t.Encryptor != nil && !t.Encryptor.AllowedUnsigned(name) {
			return nil,
				fmt.Errorf("%w or signed: UpdateExpression names %q of table %s: change it by Update, which reads, "+
					"changes and writes under a condition", ErrEncrypted, name, t.Name)
		}
	}
	if t.Plan.Composed {
		if err := t.Plan.CheckTargets(u.TargetNames()); err != nil {
			return nil, err
		}
	}
	return u, operand.CheckUpdate(u, t.Plan.OperandField)
}

// Build builds an expression of the application. A panic of a value's
// own methods is an error, and texts carry no values.
func Build(b expression.Builder) (e expression.Expression, err error) {
	defer func() {
		if err != nil {
			err = redaction.New(redaction.Reason(err), err)
		}
	}()
	defer redaction.Catch(&err)
	if e, err = b.Build(); err == nil {
		err = codec.Failure(e.Values())
	}
	return e, err
}
