package store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store/internal/redaction"
)

var stringType = reflect.TypeFor[string]()

// Page is one page of a query.
type Page[T any] struct {
	Items []T
	// Failed has an [*ItemError] for each item that could not be read; all
	// other items of the page are in Items.
	Failed []error
	// Next is where the next page begins; empty at the end.
	Next Cursor
	// Scanned is how many items DynamoDB looked at.
	Scanned int
}

// Cursor is a position in the result of a query. It is text of URL-safe
// letters, and holds the key of an item, unencrypted and unsigned: do not hand
// it to those who must not see or choose keys.
type Cursor string

// longestCursor is more than the keys of a table and an index together need.
const longestCursor = 16 << 10

func cursorOf(key envelope.Item) (Cursor, error) {
	if len(key) == 0 {
		return "", nil
	}
	text, err := ddbjson.Marshal(key)
	if err != nil {
		return "", redaction.New("position of the query cannot be written", err)
	}
	return Cursor(base64.RawURLEncoding.EncodeToString(text)), nil
}

func (c Cursor) key() (envelope.Item, error) {
	if c == "" {
		return nil, nil
	}
	if len(c) > longestCursor {
		return nil, fmt.Errorf("%w: cursor of %d bytes", ErrConfiguration, len(c))
	}
	text, err := base64.RawURLEncoding.DecodeString(string(c))
	if err != nil {
		return nil, fmt.Errorf("%w: cursor is no base64", ErrConfiguration)
	}
	key, err := ddbjson.Unmarshal(text)
	if err != nil || len(key) == 0 {
		return nil, fmt.Errorf("%w: cursor holds no key", ErrConfiguration)
	}
	return key, nil
}

// decodePage opens and unmarshals the items of a page; errs has an
// [*ItemError] at each failed index.
func decodePage[T any](ctx context.Context, c *core, stored []envelope.Item, v view) ([]T, []error) {
	plain, errs := c.decryptAll(ctx, stored)
	out := make([]T, len(stored))
	for i := range stored {
		err := errs[i]
		if err != nil && v.partial && c.encryptor != nil && c.incomplete(stored[i]) {
			err = c.partialError(stored[i], v, err)
		}
		if err == nil {
			err = c.unmarshalView(plain[i], v, &out[i])
		}
		if err != nil {
			var zero T
			out[i], errs[i] = zero, c.itemError(stored[i], err)
		}
	}
	return out, errs
}

// unmarshalView fills *v with the attributes that were asked for.
func (c *core) unmarshalView(plain envelope.Item, v view, to any) error {
	if v.attributes == nil {
		return c.unmarshal(plain, to)
	}
	if err := c.plan.checkEntity(plain); err != nil {
		return err
	}
	some := make(envelope.Item, len(v.attributes)+2)
	for n, av := range plain {
		if slices.Contains(v.attributes, n) || n == c.plan.partition.name || n == c.plan.sortName() ||
			n == c.plan.entity.Attribute {
			some[n] = av
		}
	}
	return c.unmarshal(some, to)
}

// partialError says why a stored item came incomplete, and what helps. It keeps
// err unless err only says that something is missing: the item in the table is
// neither plaintext nor changed.
func (c *core) partialError(stored envelope.Item, v view, err error) error {
	reason := "the attributes that were asked for leave out signed attributes that " + c.plan.typeName +
		" does not have: ask for all, or read the item by its key"
	whole := stored[envelope.HeaderAttribute] != nil && stored[envelope.FooterAttribute] != nil
	if v.index != "" && (v.attributes == nil || !whole) {
		reason = fmt.Sprintf("index %s has projection %s: create an index with projection ALL, or read the item by "+
			"its key",
			v.index, c.projectionOf(stored, v))
	}
	if errors.Is(err, envelope.ErrNotEncrypted) || errors.Is(err, envelope.ErrTampered) {
		return fmt.Errorf("%w: %s", ErrPartialItem, reason)
	}
	return fmt.Errorf("%w: %s: %w", ErrPartialItem, reason, err)
}

// maxKeys is how many key attributes a table, with up to two, and an index, with
// up to eight, have together.
const maxKeys = 10

// projectionOf tells from an item the kind of projection that it came by.
func (c *core) projectionOf(stored envelope.Item, v view) string {
	bare := stored[envelope.HeaderAttribute] == nil && stored[envelope.FooterAttribute] == nil
	for n := range stored {
		if n != c.plan.partition.name && n != c.plan.sortName() && !slices.Contains(v.indexKeys, n) {
			if v.indexKeys == nil && bare && len(stored) <= maxKeys {
				return "KEYS_ONLY or INCLUDE" // a scan does not know the index's keys
			}
			return "INCLUDE"
		}
	}
	return "KEYS_ONLY"
}

// incomplete reports whether a stored item came without header, footer or one
// of the attributes that its header counts.
func (c *core) incomplete(stored envelope.Item) bool {
	if envelope.IsLegacy(stored) { // it counts no attributes
		return stored[envelope.LegacySignatureAttribute] == nil || stored[envelope.LegacyDescriptionAttribute] == nil
	}
	if stored[envelope.HeaderAttribute] == nil || stored[envelope.FooterAttribute] == nil {
		return true
	}
	m, err := c.encryptor.Inspect(stored)
	if err != nil {
		return !errors.Is(err, envelope.ErrUnsupported)
	}
	signed := 0
	for n := range stored {
		if n != envelope.HeaderAttribute && n != envelope.FooterAttribute && !c.encryptor.AllowedUnsigned(n) {
			signed++
		}
	}
	return signed < len(m.Legend)
}
