// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
)

// Names that the older DynamoDB Encryption Client adds to every item that it
// encrypts.
const (
	LegacyDescriptionAttribute = "*amzn-ddb-map-desc*" // B: how the item is encrypted
	LegacySignatureAttribute   = "*amzn-ddb-map-sig*"  // B: the signature
)

// IsLegacy reports whether an item bears an attribute of the older DynamoDB
// Encryption Client and is not in the current format.
func IsLegacy(item Item) bool {
	_, head := item[HeaderAttribute]
	_, foot := item[FooterAttribute]
	return !head && !foot && hasLegacyAttribute(item)
}

// hasLegacyAttribute reports whether an item bears an attribute of the older
// client.
// (Specification: [decrypt-item], "Determining Legacy Items".)
//
// [decrypt-item]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/decrypt-item.md#determining-legacy-items
func hasLegacyAttribute(item Item) bool {
	_, description := item[LegacyDescriptionAttribute]
	_, signature := item[LegacySignatureAttribute]
	return description || signature
}

// LegacyPolicy says whether items of the older DynamoDB Encryption Client may be
// read. It exists for moving a table to the current format. While such items may
// be read, anyone who may write to the table can put an old item back in place
// of a newer one unnoticed.
type LegacyPolicy uint8

const (
	// ForbidLegacyEncryptForbidLegacyDecrypt is the default.
	ForbidLegacyEncryptForbidLegacyDecrypt LegacyPolicy = iota
	// ForbidLegacyEncryptAllowLegacyDecrypt writes the current format and reads
	// both.
	ForbidLegacyEncryptAllowLegacyDecrypt
)

// forceLegacyEncrypt is the policy of the official libraries that this library
// does not have.
const forceLegacyEncrypt = "FORCE_LEGACY_ENCRYPT_ALLOW_LEGACY_DECRYPT"

// String returns the official name.
func (p LegacyPolicy) String() string {
	switch p {
	case ForbidLegacyEncryptForbidLegacyDecrypt:
		return "FORBID_LEGACY_ENCRYPT_FORBID_LEGACY_DECRYPT"
	case ForbidLegacyEncryptAllowLegacyDecrypt:
		return "FORBID_LEGACY_ENCRYPT_ALLOW_LEGACY_DECRYPT"
	}
	return fmt.Sprintf("LegacyPolicy(%d)", uint8(p))
}

// ParseLegacyPolicy reads an official name. Anything else fails with
// [ErrConfiguration]. FORCE_LEGACY_ENCRYPT_ALLOW_LEGACY_DECRYPT also matches
// [ErrUnsupported]: this library does not write the old format.
func ParseLegacyPolicy(name string) (LegacyPolicy, error) {
	for p := ForbidLegacyEncryptForbidLegacyDecrypt; p.valid(); p++ {
		if p.String() == name {
			return p, nil
		}
	}
	if name == forceLegacyEncrypt {
		return 0, fmt.Errorf("%w: legacy policy %s: %w: this library does not write the old format; use %v",
			ErrConfiguration, name, ErrUnsupported, ForbidLegacyEncryptAllowLegacyDecrypt)
	}
	return 0, fmt.Errorf("%w: unknown legacy policy %.60q: one of %s", ErrConfiguration, name,
		names(ForbidLegacyEncryptAllowLegacyDecrypt, ForbidLegacyEncryptForbidLegacyDecrypt))
}

func (p LegacyPolicy) valid() bool { return p <= ForbidLegacyEncryptAllowLegacyDecrypt }

// LegacyOverride lets an [ItemEncryptor] read the items that the older DynamoDB
// Encryption Client left in the table. Items are written in the current format
// only.
type LegacyOverride struct {
	// Policy is the switch; zero forbids reading old items.
	Policy LegacyPolicy
	// Decryptor opens them: legacy.New makes one. It has the same keys as the
	// Config; its actions may differ.
	Decryptor LegacyDecryptor
}

// LegacyDecryptor opens items of the older DynamoDB Encryption Client; the
// Decryptor of package legacy is one. It is safe for concurrent use.
type LegacyDecryptor interface {
	// DecryptItem verifies an item and returns its plaintext without the
	// attributes of the old format. It must return nothing that it has not
	// verified, except attributes whose action is DoNothing. Its errors match
	// the sentinels of this package.
	DecryptItem(ctx context.Context, stored Item) (Item, error)
	// PartitionKey and SortKey name the key attributes, as in Config.
	PartitionKey() string
	SortKey() string
	// Actions returns the actions of the attributes that old items can have:
	// EncryptAndSign, SignOnly or DoNothing.
	Actions() map[string]Action
	// DefaultAction is the action of an attribute that Actions lacks:
	// EncryptAndSign, SignOnly, or zero if such an attribute is refused.
	DefaultAction() Action
}

// check compares an override with the configuration that it is a part of.
func (o *LegacyOverride) check(c *Config) error {
	switch {
	case o == nil:
		return nil
	case !o.Policy.valid():
		return configuration("unknown legacy policy %v", o.Policy)
	case o.Decryptor == nil && o.Policy == ForbidLegacyEncryptForbidLegacyDecrypt:
		return nil
	case nilvalue.Is(o.Decryptor):
		return configuration("legacy policy %v needs a decryptor: see package legacy", o.Policy)
	case o.Decryptor.PartitionKey() != c.PartitionKey || o.Decryptor.SortKey() != c.SortKey:
		return configuration("the legacy decryptor has the keys %q and %q, the table %q and %q",
			o.Decryptor.PartitionKey(), o.Decryptor.SortKey(), c.PartitionKey, c.SortKey)
	}
	return nil
}

// readable returns the decryptor of old items, or nil if the policy forbids
// reading them.
func (o *LegacyOverride) readable() LegacyDecryptor {
	if o == nil || o.Policy != ForbidLegacyEncryptAllowLegacyDecrypt {
		return nil
	}
	return o.Decryptor
}

// LegacyDecryptor returns what opens items of the older DynamoDB Encryption
// Client, or nil if the configuration does not allow reading them.
func (e *ItemEncryptor) LegacyDecryptor() LegacyDecryptor { return e.legacy }

// LegacyAction returns what the older client did with an attribute of this name:
// EncryptAndSign, SignOnly or DoNothing. It reports false if the configuration
// does not allow reading old items, or refuses the attribute in them, and for the
// attributes of either format.
func (e *ItemEncryptor) LegacyAction(name string) (Action, bool) {
	if e.legacy == nil || name == LegacyDescriptionAttribute || name == LegacySignatureAttribute ||
		strings.HasPrefix(name, ReservedPrefix) {
		return 0, false
	}
	action, known := e.legacyActions[name]
	if !known {
		action = e.legacy.DefaultAction()
	}
	return action, action != 0
}

// decryptLegacy opens an item of the older client. It also sets actions to those
// of the item's signed attributes, unless actions is nil.
func (e *ItemEncryptor) decryptLegacy(ctx context.Context, item Item, actions *map[string]Action) (Item, error) {
	if e.legacy == nil {
		return nil, fmt.Errorf("%w: to read it, set Config.Legacy with the policy %v", ErrLegacyItem,
			ForbidLegacyEncryptAllowLegacyDecrypt)
	}
	plain, err := e.legacy.DecryptItem(ctx, item)
	if err != nil {
		return nil, fromLegacy(err)
	}
	if actions != nil {
		signed := make(map[string]Action, len(plain))
		for name := range plain {
			if action, known := e.LegacyAction(name); known && action.Signed() {
				signed[name] = action
			}
		}
		*actions = signed
	}
	return plain, nil
}

// fromLegacy takes the [*Error] of a decryptor apart, so that the caller's has
// attribute and key, and gives an error of no known class the class ErrMaterials.
func fromLegacy(err error) error {
	name := ""
	var own *Error
	if errors.As(err, &own) {
		name, err = own.Attribute, own.Err
	}
	if !errors.Is(err, ErrTampered) && !errors.Is(err, ErrNotEncrypted) {
		err = inMaterials(err)
	}
	if err = fmt.Errorf("legacy item: %w", err); name != "" {
		return at(name, err)
	}
	return err
}
