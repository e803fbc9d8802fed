package migrate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/store"
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
		if err := m.checkBeacons(beaconsOf(stored)); err != nil {
			return c, err
		}
		c.next = c.plain
		return c, nil
	}
	next, err := m.config.To.EncryptItem(ctx, c.plain)
	if err != nil {
		return c, err
	}
	if byTo && !old {
		same, err := m.alike(stored, next)
		if err != nil {
			return c, err
		}
		if same {
			c.state = stateCurrent
			return c, nil
		}
	}
	if err := m.checkBeacons(beaconsOf(stored)); err != nil {
		return c, err
	}
	c.next = next
	return c, nil
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
	if beacons := beaconsOf(stored); len(beacons) > 0 {
		if err := m.checkBeacons(beacons); err != nil {
			return c, err
		}
		c.plain = maps.Clone(stored)
		for _, n := range beacons {
			delete(c.plain, n)
		}
	}
	var err error
	c.next, err = m.config.To.EncryptItem(ctx, c.plain)
	return c, err
}

// Prefixes of the attributes that official clients add for searching, see the
// specification's searchable-encryption/beacons.md.
const (
	beaconPrefix        = envelope.ReservedPrefix + "b_"
	virtualBeaconPrefix = envelope.ReservedPrefix + "v_"
)

// beaconsOf returns, in order, the names of a stored item's beacons.
func beaconsOf(item envelope.Item) []string {
	var out []string
	for n := range item {
		if strings.HasPrefix(n, beaconPrefix) || strings.HasPrefix(n, virtualBeaconPrefix) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// checkBeacons refuses an item that would lose its beacons.
func (m *Migration) checkBeacons(beacons []string) error {
	if len(beacons) == 0 || m.config.DropBeacons {
		return nil
	}
	return fmt.Errorf("%w: %s: a migrated item would no longer appear in searches by them: set DropBeacons to allow "+
		"that",
		store.ErrBeacons, strings.Join(beacons, ", "))
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
