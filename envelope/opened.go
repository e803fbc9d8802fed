// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"context"
	"slices"
	"strings"
)

// Opened is a decrypted item with what a writer must know to encrypt it again:
// the result of [ItemEncryptor.OpenItem].
type Opened struct {
	// Item is the plaintext, as [ItemEncryptor.DecryptItem] returns it.
	Item Item
	// Actions has, for every signed attribute, the action that the item was
	// written with, by its verified header: EncryptAndSign, SignOnly or
	// SignAndIncludeInEncryptionContext. It is nil for an item that is not
	// encrypted. For an item of the older DynamoDB Encryption Client it has the
	// actions of the legacy configuration.
	Actions map[string]Action
	// Legacy reports that the older DynamoDB Encryption Client wrote the item.
	Legacy bool
	// Beacons has, in order, the names of the stored attributes that Item lacks
	// because they belong to searchable encryption, but for the beacons of
	// Config.Search. No signature covers them. An item that is encrypted again
	// loses them.
	Beacons []string
}

// OpenItem decrypts an item as [ItemEncryptor.DecryptItem] does, with the same
// errors, and also returns the actions that the item was written with. Use it
// together with [ItemEncryptor.EncryptItemAs] to change an item that may have
// attributes which the configuration does not name, such as attributes of a newer
// version of the application.
func (e *ItemEncryptor) OpenItem(ctx context.Context, stored Item) (Opened, error) {
	var o Opened
	var err error
	if o.Item, err = e.decryptItem(ctx, stored, &o.Actions); err != nil {
		return Opened{}, e.fail("decrypt", err)
	}
	o.Beacons, o.Legacy = e.lostBeacons(stored), IsLegacy(stored)
	return o, nil
}

// EncryptItemAs encrypts an item as [ItemEncryptor.EncryptItem] does, but takes
// the action of an attribute without a configured action from actions. Pass the
// Actions of the [Opened] item: they come from a verified header. An action from
// any other source decides what is stored in the clear.
//
// A configured action always wins, and a name that may be unsigned stays
// unsigned. Entries of actions for names that the item lacks have no effect. If
// the item takes the action [SignAndIncludeInEncryptionContext], it is written
// with header version 2, and its keys are in the encryption context as well.
//
// A signed beacon that actions has is computed again, unless it is a key: the item
// may have changed since the beacon was computed.
//
// The errors are the same as EncryptItem's. [ErrInvalidItem] also stands for an
// attribute that has an action in neither place, or for which actions has
// [DoNothing] or an invalid action.
func (e *ItemEncryptor) EncryptItemAs(ctx context.Context, plain Item, actions map[string]Action) (Item, error) {
	out, err := e.encryptItem(ctx, plain, actions)
	if err != nil {
		return nil, e.fail("encrypt", err)
	}
	return out, nil
}

// actions returns the actions of the signed attributes.
func (w *work) actions() map[string]Action {
	actions := make(map[string]Action, len(w.entries))
	for i := range w.entries {
		actions[w.entries[i].name] = w.entries[i].action
	}
	return actions
}

// lostBeacons returns the reserved names of an item that has passed decryption,
// but for header and footer, and the beacons that encryption adds again.
func (e *ItemEncryptor) lostBeacons(stored Item) []string {
	var names []string
	for name := range stored {
		if !strings.HasPrefix(name, ReservedPrefix) || name == HeaderAttribute || name == FooterAttribute {
			continue
		}
		if e.search != nil {
			if _, has := e.search.ByAttribute(name); has {
				continue
			}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
