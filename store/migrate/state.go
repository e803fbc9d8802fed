// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// state of an item as it was read.
type state int

const (
	statePlaintext state = iota + 1
	stateLegacy          // of the older DynamoDB Encryption Client
	stateOutdated
	stateCurrent
)

// conversion is an item's plaintext and new form; next is nil for an item that
// is current.
type conversion struct {
	plain, next envelope.Item
	state       state
	// beacons, if it is not nil, is all that changes: next has the seal of the
	// stored item.
	beacons *difference
	// without reports that searches do not find the item by all of its beacons.
	without bool
}

// withoutBeacons is the item's share of Counts.WithoutBeacons.
func (c *conversion) withoutBeacons() int64 {
	if c.without {
		return 1
	}
	return 0
}

// convert opens and verifies an item and makes its new form.
func (m *Migration) convert(ctx context.Context, stored envelope.Item) (conversion, error) {
	sealed := stored[envelope.HeaderAttribute] != nil || stored[envelope.FooterAttribute] != nil
	old := envelope.IsLegacy(stored)
	if !sealed && !old {
		return m.convertPlaintext(ctx, stored)
	}
	c := conversion{state: stateOutdated}
	if old {
		c.state = stateLegacy
	}
	plain, byTo, err := m.open(ctx, stored)
	if err != nil {
		return c, err
	}
	if c.plain = plain; m.config.To == nil {
		c.next = c.plain
		return c, m.checkForeign(stored)
	}
	c.plain = m.withoutSigned(plain)
	next, err := m.config.To.EncryptItem(ctx, c.plain)
	if err != nil {
		return c, err
	}
	c.without = old && bears(next)
	if byTo && !old {
		d, err := m.compare(ctx, plain, stored)
		if err != nil {
			return c, err
		}
		c.without = len(d.set)+len(d.signed) > 0
		same, err := m.alike(stored, next)
		if err != nil {
			return c, err
		}
		if same && d.equal() {
			c.state = stateCurrent
			return c, nil
		}
		if same && len(d.signed) == 0 && m.inPlace(stored, d) != nil {
			c.beacons, c.next = &d, d.applied(stored)
			return c, nil
		}
	}
	c.next = next
	return c, m.checkForeign(stored)
}

// bears reports whether an item has beacons.
func bears(item envelope.Item) bool {
	for name := range item {
		if beacon.Stored(name) {
			return true
		}
	}
	return false
}

func (m *Migration) convertPlaintext(ctx context.Context, stored envelope.Item) (conversion, error) {
	c := conversion{plain: stored, state: statePlaintext}
	if m.config.To == nil {
		c.state = stateCurrent
		return c, nil
	}
	if m.config.From != nil && m.config.From.PlaintextPolicy() == envelope.ForbidPlaintextWriteForbidPlaintextRead {
		return c, fmt.Errorf("%w, and From forbids plaintext", envelope.ErrNotEncrypted)
	}
	if bears(stored) {
		if err := m.checkForeign(stored); err != nil {
			return c, err
		}
		c.plain = maps.Clone(stored)
		maps.DeleteFunc(c.plain, func(name string, _ types.AttributeValue) bool { return beacon.Stored(name) })
	}
	var err error
	c.next, err = m.config.To.EncryptItem(ctx, c.plain)
	c.without = bears(c.next)
	return c, err
}

// open decrypts by the new configuration, or else by the old one.
func (m *Migration) open(ctx context.Context, stored envelope.Item) (plain envelope.Item, byTo bool, err error) {
	if envelope.IsLegacy(stored) {
		plain, err = m.openLegacy(ctx, stored)
		return plain, false, err
	}
	if m.config.To != nil {
		if plain, err = m.config.To.DecryptItem(ctx, stored); err == nil || m.config.From == nil || ctx.Err() != nil {
			return plain, true, err
		}
	}
	plain, old := m.config.From.DecryptItem(ctx, stored)
	if old != nil && err != nil {
		old = fmt.Errorf("by From: %w; by To: %w", old, err)
	}
	return plain, false, old
}

// openLegacy decrypts an item of the older client by the configuration that reads
// such items: by To if both do.
func (m *Migration) openLegacy(ctx context.Context, stored envelope.Item) (envelope.Item, error) {
	for _, e := range []*envelope.ItemEncryptor{m.config.To, m.config.From} {
		if e != nil && e.LegacyDecryptor() != nil {
			return e.DecryptItem(ctx, stored)
		}
	}
	return nil, fmt.Errorf("%w: set Legacy in the configuration of From or To", envelope.ErrLegacyItem)
}

// alike reports whether a stored item has the form that it would be written
// in: format, suite, actions, and the wrapping keys with their versions.
func (m *Migration) alike(stored, next envelope.Item) (bool, error) {
	a, err := m.config.To.Inspect(stored)
	if err != nil {
		return false, err
	}
	b, err := m.config.To.Inspect(next)
	if err != nil {
		return false, err
	}
	return a.Version == b.Version && a.Suite == b.Suite && a.Legend == b.Legend &&
		slices.EqualFunc(a.EncryptedDataKeys, b.EncryptedDataKeys, func(x, y materials.EncryptedDataKey) bool {
			return bytes.Equal(wrappedBy(x), wrappedBy(y))
		}), nil
}

// Layouts of encrypted data keys, from the framework's specification of the
// raw AES keyring (provider info ends in tag length, IV length and IV) and the
// hierarchical keyring (the version follows wrapped key, salt and IV).
const (
	hierarchyProvider = "aws-kms-hierarchy"
	kmsProvider       = "aws-kms"
	rawAESTail        = 4 + 4 + 12
	versionOffset     = 48 + 16 + 12
	versionLength     = 16
)

// wrappedBy is what of an encrypted data key names the wrapping key and its
// version, and does not change from item to item.
func wrappedBy(k materials.EncryptedDataKey) []byte {
	id := append([]byte(k.ProviderID), 0)
	info := []byte(k.ProviderInfo)
	switch {
	case k.ProviderID == hierarchyProvider && len(k.Ciphertext) >= versionOffset+versionLength:
		id = append(append(id, info...), 0)
		return append(id, k.Ciphertext[versionOffset:versionOffset+versionLength]...)
	case !strings.HasPrefix(k.ProviderID, kmsProvider) && len(info) > rawAESTail &&
		bytes.Equal(info[len(info)-rawAESTail:len(info)-12], []byte{0, 0, 0, 128, 0, 0, 0, 12}):
		info = info[:len(info)-rawAESTail]
	}
	return append(id, info...)
}

// isFinal reports errors that end the migration instead of counting an item.
func isFinal(ctx context.Context, err error) bool {
	var call callError
	return ctx.Err() != nil || errors.As(err, &call) || errors.Is(err, envelope.ErrKeyDenied)
}
