// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store"
)

// scope of one request's placeholders.
func (t *table) scope(names map[string]string, values envelope.Item) (*ddbexpr.Scope, error) {
	if len(names) == 0 {
		names = nil // an empty map is DynamoDB's to refuse
	}
	if len(values) == 0 {
		values = nil
	}
	s, err := ddbexpr.NewScope(names, values)
	return s, t.fail(wrapExpression(err))
}

func wrapExpression(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", envelope.ErrConfiguration, err)
}

// conditions refuses a condition or filter on an attribute without an action or
// on the value of an encrypted attribute. It returns nil if there is no
// expression.
func (t *table) conditions(s *ddbexpr.Scope, kind ddbexpr.Kind, expression *string) (*ddbexpr.Condition, error) {
	if expression == nil {
		return nil, nil
	}
	c, err := s.Condition(kind, *expression)
	if err != nil {
		return nil, t.fail(wrapExpression(err))
	}
	for _, name := range c.TopLevelNames() { // in attribute_exists too: no item has a misspelt name
		if err := t.declared(kind.String(), name); err != nil {
			return nil, err
		}
	}
	for _, name := range c.ValueNames() {
		if err := t.readable(kind.String(), name); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// declared refuses attributes that no item of the table may have.
func (t *table) declared(parameter, name string) error {
	if name == envelope.HeaderAttribute || name == envelope.FooterAttribute {
		return nil
	}
	if t.LegacyDecryptor() != nil &&
		(name == envelope.LegacySignatureAttribute || name == envelope.LegacyDescriptionAttribute) {
		return nil
	}
	if _, known := t.Action(name); !known {
		return t.fail(fmt.Errorf("%w: %s names attribute %q, which has no action",
			envelope.ErrConfiguration, parameter, name))
	}
	return nil
}

// readable refuses attributes of which DynamoDB sees ciphertext.
func (t *table) readable(parameter, name string) error {
	if err := t.declared(parameter, name); err != nil {
		return err
	}
	if action, _ := t.Action(name); action == envelope.EncryptAndSign {
		return t.fail(fmt.Errorf("%w: %s names %q, of which DynamoDB sees ciphertext: filter after reading",
			store.ErrEncryptedAttribute, parameter, name))
	}
	if action, _ := t.LegacyAction(name); action == envelope.EncryptAndSign {
		return t.fail(fmt.Errorf("%w in items of the older client, which this client reads: %s names %q: filter after "+
			"reading, or migrate them", store.ErrEncryptedAttribute, parameter, name))
	}
	return nil
}

// key refuses a key with attributes that must not leave in plaintext; the rest
// is DynamoDB's to check.
func (t *table) key(parameter string, key envelope.Item) error {
	for name := range key {
		if err := t.readable(parameter, name); err != nil {
			return err
		}
	}
	return nil
}

// oneCondition checks the condition of a write with no other expression.
func (t *table) oneCondition(expression *string, names map[string]string, values envelope.Item) error {
	if expression == nil {
		return nil
	}
	s, err := t.scope(names, values)
	if err != nil {
		return err
	}
	_, err = t.conditions(s, ddbexpr.KindCondition, expression)
	return err
}

// projection is what a read asks DynamoDB for, and what the caller asked for.
type projection struct {
	expression *string
	names      map[string]string
	asked      *ddbexpr.Projection // nil: everything
}

// project adds to a projection what verification needs: header, footer and
// every attribute with a signed action, and whole attributes instead of parts.
// Placeholders stay if one of the other expressions uses them.
func (t *table) project(s *ddbexpr.Scope, expression *string, names map[string]string,
	others ...*string) (projection, error) {
	if expression == nil {
		return projection{names: names}, nil
	}
	asked, err := s.Projection(*expression)
	if err != nil {
		return projection{}, t.fail(wrapExpression(err))
	}
	want := map[string]bool{envelope.HeaderAttribute: true, envelope.FooterAttribute: true}
	for _, n := range asked.TopLevelNames() {
		want[n] = true
	}
	signed, whole := verified(t.ItemEncryptor)
	for _, n := range signed {
		want[n] = true
	}
	out := projection{names: map[string]string{}, asked: asked}
	for placeholder, n := range names {
		if slices.ContainsFunc(others, func(e *string) bool { return e != nil && uses(*e, placeholder) }) {
			out.names[placeholder] = n
		}
	}
	var terms []string
	next := 0
	for _, n := range slices.Sorted(maps.Keys(want)) {
		placeholder := ""
		for placeholder == "" || out.names[placeholder] != "" {
			placeholder = fmt.Sprintf("#s%d", next)
			next++
		}
		out.names[placeholder] = n
		terms = append(terms, placeholder)
	}
	text := strings.Join(terms, ",")
	if whole || len(text) > ddbexpr.MaxExpressionSize { // then all of the item is read
		for _, placeholder := range terms {
			delete(out.names, placeholder)
		}
		if len(out.names) == 0 {
			out.names = nil
		}
		return out, nil
	}
	out.expression = &text
	return out, nil
}

// uses reports whether an expression, which has no literals, has the
// placeholder as a whole word.
func uses(expression, placeholder string) bool {
	for rest := expression; ; {
		at := strings.Index(rest, placeholder)
		if at < 0 {
			return false
		}
		rest = rest[at+len(placeholder):]
		if rest == "" || !isWord(rest[0]) {
			return true
		}
	}
}

func isWord(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

// apply cuts a plaintext item to what the caller asked for.
func (p projection) apply(plain envelope.Item) envelope.Item {
	if p.asked == nil {
		return plain
	}
	return p.asked.Apply(plain)
}

// legacy refuses the parameters that expressions replaced.
func (t *table) legacy(parameters map[string]bool) error {
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if parameters[name] {
			return t.fail(fmt.Errorf("%w: legacy parameter %s: use an expression", ErrRefused, name))
		}
	}
	return nil
}

// soleProjection is project for a request with no other expression.
func (t *table) soleProjection(expression *string, names map[string]string) (projection, error) {
	s, err := t.scope(names, nil)
	if err != nil {
		return projection{}, err
	}
	return t.project(s, expression, names)
}
