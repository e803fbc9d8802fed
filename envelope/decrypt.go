// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"context"
	"crypto/hmac"
	"crypto/subtle"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// errReservedName is the reason to refuse attributes of the format that this
// library does not know.
var errReservedName = fmt.Errorf("%w: attribute name reserved by the item format", ErrUnsupported)

// DecryptItem verifies an encrypted item and returns it in plaintext, without
// header, footer and the search attributes of official clients. Item version,
// suite and the action of each attribute come from the verified item, not from
// the configuration. The input is not changed; attributes that were in the
// clear are shared with the result, not copied. A plaintext policy that allows
// plaintext makes it return a copy of an item without header and footer.
//
// Nothing is decrypted before commitment, recipient tag and signature have
// been verified, and nothing is returned unless all of the item is in order.
// Keys and table name of an item are checked by the wrapping of its data key
// already, so where they were changed the error is the keyring's.
// Every failure is an [*Error]. It matches [ErrTampered] when the item does not
// verify, [ErrNotEncrypted] or [ErrLegacyItem] when it is not of this format,
// [ErrKeyDenied] or [ErrMaterials] when no key opened it (then with one
// [*KeyError] for each key tried), [ErrConfiguration] when the keyring can only
// encrypt, [ErrUnsupported] for a later version of the format and for an item
// that verifies but holds a value that no writer of the format writes, such as a
// set with a member twice, and the context's error when ctx has ended.
// (Specification: [decrypt-item].)
//
// [decrypt-item]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/decrypt-item.md
func (e *ItemEncryptor) DecryptItem(ctx context.Context, item Item) (Item, error) {
	out, err := e.decryptItem(ctx, item, nil)
	if err != nil {
		return nil, e.fail("decrypt", err)
	}
	return out, nil
}

// decryptItem also sets *actions to what the verified header says, unless actions
// is nil or the item is not encrypted.
func (e *ItemEncryptor) decryptItem(ctx context.Context, item Item, actions *map[string]Action) (Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	head, foot, err := headerAndFooter(item)
	if err != nil {
		if err == ErrLegacyItem {
			return e.decryptLegacy(ctx, item, actions)
		}
		return nil, err
	}
	if head == nil {
		if !e.policy.readable() {
			return nil, fmt.Errorf("%w: it has neither %s nor %s; a projection must name both", ErrNotEncrypted,
				HeaderAttribute, FooterAttribute)
		}
		return maps.Clone(item), nil
	}
	header, err := format.ParseHeader(head)
	if err != nil {
		return nil, at(HeaderAttribute, onReading(err))
	}
	// Before any keyring hears of them: each may be a call to a key service.
	if n := len(header.EncryptedDataKeys); n > e.maxKeys {
		return nil, at(HeaderAttribute, tampered("%d encrypted data keys, MaxEncryptedDataKeys is %d", n, e.maxKeys))
	}
	footer, err := format.ParseFooter(foot, len(header.EncryptedDataKeys), header.Suite().Signed())
	if err != nil {
		return nil, at(FooterAttribute, onReading(err))
	}
	if _, hasKey := header.Context[materials.ContextPublicKey]; hasKey != header.Suite().Signed() {
		return nil, at(HeaderAttribute,
			tampered("suite %v and %s do not fit", header.Suite(), materials.ContextPublicKey))
	}
	w := e.borrow()
	defer e.giveBack(w)
	if err := e.collectForReading(w, item, len(header.Legend)); err != nil {
		return nil, err
	}
	encrypted, err := e.applyLegend(w, header)
	if err != nil {
		return nil, err
	}
	m, err := e.decryptionMaterials(ctx, w.entries, header)
	if err != nil {
		return nil, err
	}
	defer m.Wipe()
	if err := w.item.derive(m.DataKey(), header.MessageID[:]); err != nil {
		return nil, err
	}
	if err := w.verify(head, header, footer, m); err != nil {
		return nil, err
	}
	if w.keys, err = w.item.fieldKeys(w.keys[:0], encrypted); err != nil {
		return nil, err
	}
	out, err := w.open()
	if err == nil && actions != nil {
		*actions = w.actions()
	}
	return out, err
}

// headerAndFooter returns the two attributes of the format, or nil, nil if the item
// is not encrypted.
// (Specification: [decrypt-item], "Determining Plaintext Items".)
//
// [decrypt-item]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/decrypt-item.md#determining-plaintext-items
func headerAndFooter(item Item) (head, foot []byte, err error) {
	h, hasHead := item[HeaderAttribute]
	f, hasFoot := item[FooterAttribute]
	if !hasHead && !hasFoot {
		if hasLegacyAttribute(item) {
			return nil, nil, ErrLegacyItem
		}
		return nil, nil, nil
	}
	if head, err = formatAttribute(HeaderAttribute, h); err != nil {
		return nil, nil, err
	}
	if foot, err = formatAttribute(FooterAttribute, f); err != nil {
		return nil, nil, err
	}
	return head, foot, nil
}

func formatAttribute(name string, v types.AttributeValue) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return nil, at(name, tampered("the attribute is missing; a projection must name it"))
	case *types.AttributeValueMemberB:
		if v != nil && len(v.Value) > 0 {
			return v.Value, nil
		}
	}
	return nil, at(name, tampered("the attribute is not a B with content"))
}

// applyLegend gives every signed attribute the action that the header says it
// was written with, checks the keys, and counts the encrypted attributes. There
// are as many entries as letters.
// (Specification: [header], "Encrypt Legend Bytes".)
//
// [header]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/header.md#encrypt-legend-bytes
func (e *ItemEncryptor) applyLegend(w *work, header *format.Header) (encrypted int, err error) {
	for i, letter := range header.Legend {
		en := &w.entries[i]
		en.action = legendAction(letter)
		if en.action == EncryptAndSign {
			b, ok := en.value.(*types.AttributeValueMemberB)
			if !ok || b == nil || len(b.Value) < format.TypeIDLength+tagLength {
				return 0, at(en.name, tampered("the header says encrypted, but it is not a B of %d bytes and more",
					format.TypeIDLength+tagLength))
			}
			encrypted++
		}
	}
	want := SignOnly
	if header.Version == format.Version2 {
		want = SignAndIncludeInEncryptionContext
	}
	for _, k := range e.keyFields {
		en := find(w.entries, k.name)
		if en.value == nil {
			return 0, at(k.name, tampered("key attribute is missing; a projection must name it"))
		}
		if en.action != want {
			return 0, at(k.name, tampered("the header says %v for a key attribute", en.action))
		}
	}
	return encrypted, nil
}

// decryptionMaterials asks the materials manager for the keys of an item, under
// the encryption context that it rebuilds from the item. A stored pair that
// contradicts the item is refused before any keyring sees it.
// (Specification: [decrypt-path-structure], "Retrieve Decryption Materials".)
//
// [decrypt-path-structure]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/decrypt-path-structure.md#retrieve-decryption-materials
func (e *ItemEncryptor) decryptionMaterials(ctx context.Context, entries []entry,
	header *format.Header) (*materials.Decryption, error) {
	pairs, err := e.itemContext(header.Version, entries, format.TakeEmptyKeys)
	if err != nil {
		return nil, onReading(err)
	}
	for k, v := range header.Context {
		own, has := pairs[k]
		if has && own != v {
			return nil, at(HeaderAttribute, tampered("stored encryption context disagrees with the item at %.100q", k))
		}
		// All reserved pairs but the public key are rebuilt, never stored. A
		// keyring that chooses keys by them must not see invented ones, since
		// nothing is verified yet.
		if !has && k != materials.ContextPublicKey && strings.HasPrefix(k, materials.ReservedContextPrefix) {
			return nil, at(HeaderAttribute, tampered("stored encryption context has the reserved pair %.100q", k))
		}
	}
	stored, reproduced := header.Context, pairs
	if !e.ownCMM {
		// The check below needs what was asked for, whatever it does to these.
		stored, reproduced = stored.Clone(), reproduced.Clone()
	}
	m, err := e.cmm.DecryptionMaterials(ctx, materials.DecryptionRequest{
		Suite: header.Suite(), Stored: stored, Reproduced: reproduced,
		EncryptedDataKeys: header.EncryptedDataKeys, MaxEncryptedDataKeys: e.maxKeys,
	})
	if err != nil {
		return nil, inMaterials(err)
	}
	if !e.ownCMM {
		if err := checkDecryption(m, header, pairs); err != nil {
			m.Wipe()
			return nil, err
		}
	}
	return m, nil
}

// checkDecryption holds a materials manager to its contract: it may add pairs
// of its own to the context, but a pair that it dropped would go unverified.
func checkDecryption(m *materials.Decryption, header *format.Header, reproduced materials.EncryptionContext) error {
	if m == nil || m.DataKey() == nil || m.SymmetricSigningKey() == nil {
		return fmt.Errorf("%w: the materials manager returned no data key", ErrMaterials)
	}
	if m.Suite() != header.Suite() {
		return fmt.Errorf("%w: materials are for suite %v", ErrMaterials, m.Suite())
	}
	for _, pairs := range []materials.EncryptionContext{header.Context, reproduced} {
		for k, v := range pairs {
			if got, has := m.Context()[k]; !has || got != v {
				return fmt.Errorf("%w: the materials manager dropped or changed %.100q", ErrMaterials, k)
			}
		}
	}
	return nil
}

// verify checks, in this order, the header's commitment, the own recipient tag
// and the signature (Specification: [decrypt-path-structure], "Verify Signatures".)
//
// [decrypt-path-structure]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/decrypt-path-structure.md#verify-signatures
func (w *work) verify(head []byte, header *format.Header, footer format.Footer, m *materials.Decryption) error {
	partial := head[:len(head)-format.CommitmentLength]
	if !hmac.Equal(w.item.commitment(partial), header.Commitment[:]) {
		return at(HeaderAttribute, tampered("the header's commitment does not fit its data key"))
	}
	w.record.Begin(head, m.SerializedContext())
	for i := range w.entries {
		en := &w.entries[i]
		if en.action == EncryptAndSign {
			w.record.Encrypted(en.path, en.value.(*types.AttributeValueMemberB).Value)
			continue
		}
		if err := w.record.Signed(en.path, en.value, format.TakeEmptyKeys); err != nil {
			return at(en.name, onReading(err))
		}
	}
	digest := w.record.Sum()
	own := recipientTag(nil, m.SymmetricSigningKey(), &digest)
	found := 0
	for tags := range slices.Chunk(footer.Tags, format.TagLength) {
		found |= subtle.ConstantTimeCompare(own, tags)
	}
	if found != 1 {
		return at(FooterAttribute, tampered("no recipient tag fits the item"))
	}
	if header.Suite().Signed() {
		if err := verifySignature(header.Context, &digest, footer.Signature); err != nil {
			return at(FooterAttribute, err)
		}
	}
	return nil
}

// open decrypts the attributes of a verified item.
func (w *work) open() (Item, error) {
	out := make(Item, len(w.entries)+len(w.unsigned))
	i := 0
	for k := range w.entries {
		en := &w.entries[k]
		if en.action != EncryptAndSign {
			out[en.name] = en.value
			continue
		}
		v, err := w.decrypt(en, i)
		if err != nil {
			return nil, at(en.name, onOpening(err))
		}
		out[en.name] = v
		i++
	}
	for k := range w.unsigned {
		out[w.unsigned[k].name] = w.unsigned[k].value
	}
	return out, nil
}

// decrypt opens encrypted field i. The plaintext buffer is overwritten before
// the next use.
// (Specification: [decrypt-path-structure], "Terminal Data Decryption".)
//
// [decrypt-path-structure]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/decrypt-path-structure.md#terminal-data-decryption
func (w *work) decrypt(en *entry, i int) (types.AttributeValue, error) {
	sealed := en.value.(*types.AttributeValueMemberB).Value
	aead, nonce, err := fieldCipher(w.keys, i)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(w.plain[:0], nonce, sealed[format.TypeIDLength:], en.path)
	if err != nil {
		return nil, tampered("the value does not open, though it is signed")
	}
	v, err := format.ParseValue(typeID(sealed), plain)
	clear(plain)
	w.plain = plain[:0]
	return v, err
}
