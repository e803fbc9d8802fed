// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

// DecryptItem verifies an item of the older client and returns it in plaintext,
// without the attributes of the old format. It does not change stored. The
// result shares the attributes that were stored in plaintext with stored.
//
// DecryptItem decrypts nothing before it has verified the signature, and
// returns nothing unless the whole item is valid. It returns attributes whose
// action is DoNothing as they are stored, unverified.
//
// Every failure is an [*envelope.Error]. It matches [envelope.ErrTampered] if the
// item does not verify or decrypt, because it was changed or was written under
// another table name, or with other actions, keys or rules;
// [envelope.ErrNotEncrypted] if the item is not of this format;
// [envelope.ErrKeyDenied] or [envelope.ErrMaterials] if no key opened it;
// [envelope.ErrUnsupported] if it names an algorithm or version that this package
// does not know; and the context's error if ctx has ended.
func (d *Decryptor) DecryptItem(ctx context.Context, stored envelope.Item) (envelope.Item, error) {
	plain, err := d.decrypt(ctx, stored)
	if err != nil {
		return nil, fail("decrypt", d.table, err)
	}
	return plain, nil
}

func (d *Decryptor) decrypt(ctx context.Context, stored envelope.Item) (envelope.Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	signature, err := d.signature(stored)
	if err != nil {
		return nil, err
	}
	w := d.pool.borrow()
	defer d.pool.giveBack(w)
	encrypted, err := d.collect(w, stored)
	if err != nil {
		return nil, err
	}
	if err := d.checkKeys(stored); err != nil {
		return nil, err
	}
	described, err := parseDescription(stored)
	if err != nil {
		return nil, at(envelope.LegacyDescriptionAttribute, err)
	}
	switch described.symMode {
	case cbc:
	case "":
		if encrypted > 0 {
			return nil, at(envelope.LegacyDescriptionAttribute,
				tampered("it has no %s, and the item has encrypted attributes", symModeName))
		}
	default:
		return nil, at(envelope.LegacyDescriptionAttribute,
			unsupported("%s is %.60q, not %s", symModeName, described.symMode, cbc))
	}
	keys, err := d.provider.open(ctx, &request{
		description: &described, table: d.table, hasTable: d.hasTable, keyNames: d.keys, item: stored,
	})
	if err != nil {
		return nil, err
	}
	record, err := w.signed(&d.prefix, d.config.Rules)
	if err != nil {
		return nil, err
	}
	if err := keys.verifier.verify(record, signature, described.signingAlg); err != nil {
		return nil, at(envelope.LegacySignatureAttribute, err)
	}
	if encrypted > 0 && keys.content == nil {
		if keys.content, err = keys.unwrap(&described); err != nil {
			return nil, err
		}
	}
	return w.open(keys.content)
}

// signature returns the signature of an item of the old format.
func (d *Decryptor) signature(stored envelope.Item) ([]byte, error) {
	v, has := stored[envelope.LegacySignatureAttribute]
	if !has {
		if _, described := stored[envelope.LegacyDescriptionAttribute]; !described {
			return nil, errNotLegacy
		}
		return nil, at(envelope.LegacySignatureAttribute,
			tampered("the attribute is missing; a projection must name it"))
	}
	b, ok := v.(*types.AttributeValueMemberB)
	if !ok || b == nil || len(b.Value) == 0 {
		return nil, at(envelope.LegacySignatureAttribute, tampered("the attribute is not a B with content"))
	}
	return b.Value, nil
}

// collect gathers the attributes of an item by their actions, and checks the
// form of the encrypted ones, of which it returns the number.
func (d *Decryptor) collect(w *work, stored envelope.Item) (encrypted int, err error) {
	for name, v := range stored {
		if isOwn(name) {
			continue
		}
		a := d.known[name]
		if a == nil {
			if strings.HasPrefix(name, envelope.ReservedPrefix) {
				return 0, at(name, tampered("an attribute of the current format in an item of the old one"))
			}
			if d.config.DefaultAction == 0 {
				return 0, at(name, tampered("the legacy configuration has no action for the attribute, so nothing "+
					"would verify it: declare the writer's action, DO_NOTHING if it did not sign the attribute"))
			}
			if !utf8.ValidString(name) {
				return 0, at(name, tampered("the attribute name is not UTF-8"))
			}
			a = newAttribute(name, d.config.DefaultAction)
		}
		if a.action == envelope.DoNothing {
			w.unsigned = append(w.unsigned, entry{a, v})
			continue
		}
		if a.action == envelope.EncryptAndSign {
			if b, ok := v.(*types.AttributeValueMemberB); !ok || b == nil || !isCiphertext(b.Value) {
				return 0, at(name, tampered("the legacy configuration says encrypted, but it is not a B with an "+
					"initialization vector and whole blocks"))
			}
			encrypted++
		}
		w.entries = append(w.entries, entry{a, v})
	}
	return encrypted, nil
}

// checkKeys: a key that is missing would be signed by no one.
func (d *Decryptor) checkKeys(stored envelope.Item) error {
	for _, name := range d.keys {
		switch v := stored[name].(type) {
		case *types.AttributeValueMemberS:
			if v != nil {
				continue
			}
		case *types.AttributeValueMemberN:
			if v != nil {
				continue
			}
		case *types.AttributeValueMemberB:
			if v != nil {
				continue
			}
		}
		return at(name, tampered("key attribute is missing, or not of type S, N or B"))
	}
	return nil
}
