// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// tagLength of AES-GCM, at the end of every encrypted value.
const tagLength = 16

// EncryptItem returns the encrypted form of an item: the same attributes, those
// to be encrypted as B, and header and footer. The input is not changed;
// attributes that stay in the clear are shared with the result, not copied.
// The plaintext policy that forces plaintext makes it return a copy.
//
// With Config.Search set, the result has the item's beacons too. A signed beacon
// that the item has already must have the computed value.
//
// Every failure is an [*Error]. It matches [ErrInvalidItem] when the item does
// not fit the configuration or holds a value that DynamoDB would refuse,
// [ErrKeyDenied] or [ErrMaterials] when the keyring failed, [ErrConfiguration]
// when it can only decrypt, and the context's error when ctx has ended.
// (Specification: [encrypt-item].)
//
// [encrypt-item]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/encrypt-item.md
func (e *ItemEncryptor) EncryptItem(ctx context.Context, item Item) (Item, error) {
	out, err := e.encryptItem(ctx, item, nil)
	if err != nil {
		return nil, e.fail("encrypt", err)
	}
	return out, nil
}

// encryptItem takes the action of an attribute without a configured one from
// taken.
func (e *ItemEncryptor) encryptItem(ctx context.Context, item Item, taken map[string]Action) (Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w := e.borrow()
	defer e.giveBack(w)
	plain := item // the caller's
	if e.search != nil && e.policy != ForcePlaintextWriteAllowPlaintextRead {
		var err error
		if item, err = e.withSigned(item, taken); err != nil {
			return nil, err
		}
	}
	if err := e.checkKeys(item); err != nil {
		return nil, err
	}
	if e.policy == ForcePlaintextWriteAllowPlaintextRead {
		for name := range item {
			if strings.HasPrefix(name, ReservedPrefix) {
				return nil, at(name, invalidItem("names that begin with %q are reserved", ReservedPrefix))
			}
		}
		if hasLegacyAttribute(item) { // as it is, no reader would take it for plaintext
			return nil, invalidItem("it bears attributes of the older DynamoDB Encryption Client")
		}
		return maps.Clone(item), nil
	}
	version, err := e.collectForWriting(w, item, taken)
	if err != nil {
		return nil, err
	}
	for _, f := range e.contextFields {
		if _, has := item[f.name]; !has {
			return nil, at(f.name, invalidItem("the attribute is missing; it is %v, which every item needs", f.action))
		}
	}
	// Before any keyring hears of the item: each call may cost one of a key service.
	if len(w.entries) > format.MaxLegend {
		return nil, invalidItem("%d signed attributes, the header holds %d", len(w.entries), format.MaxLegend)
	}
	m, err := e.encryptionMaterials(ctx, version, w.entries)
	if err != nil {
		return nil, err
	}
	defer m.Wipe()
	out, err := e.seal(w, version, m)
	if err == nil && e.search != nil {
		err = e.addBeacons(ctx, out, plain, m.EncryptedDataKeys())
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// checkKeys reports a key attribute that is missing or of a type that keys
// cannot have.
func (e *ItemEncryptor) checkKeys(item Item) error {
	for _, k := range e.keyFields {
		v := item[k.name]
		if v == nil {
			return at(k.name, invalidItem("key attribute is missing"))
		}
		id, err := format.TypeOf(v)
		if err != nil {
			return at(k.name, onWriting(err))
		}
		if id != format.TypeString && id != format.TypeNumber && id != format.TypeBinary {
			return at(k.name, invalidItem("key attribute is of type %v, not S, N or B", id))
		}
	}
	return nil
}

// encryptionMaterials asks the materials manager for the keys of a new item.
// (Specification: [encrypt-path-structure], "Retrieve Encryption Materials".)
//
// [encrypt-path-structure]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/encrypt-path-structure.md#retrieve-encryption-materials
func (e *ItemEncryptor) encryptionMaterials(ctx context.Context, version byte,
	entries []entry) (*materials.Encryption, error) {
	pairs, err := e.itemContext(version, entries, format.RefuseEmptyKeys)
	if err != nil {
		return nil, onWriting(err)
	}
	required := make([]string, 0, len(pairs))
	for k := range pairs {
		required = append(required, k)
	}
	asked := pairs
	if !e.ownCMM {
		// It takes the context over and may change it; the check below needs
		// what was asked for.
		asked = pairs.Clone()
	}
	m, err := e.cmm.EncryptionMaterials(ctx, materials.EncryptionRequest{
		Suite: e.suite, Context: asked, RequiredKeys: required, MaxEncryptedDataKeys: e.maxKeys,
	})
	if err != nil {
		return nil, inMaterials(err)
	}
	if !e.ownCMM {
		if err := e.checkEncryption(m, pairs); err != nil {
			m.Wipe()
			return nil, err
		}
	}
	return m, nil
}

// checkEncryption holds a materials manager to its contract: what it returned
// must bind all that was asked for, or readers could not rebuild it.
func (e *ItemEncryptor) checkEncryption(m *materials.Encryption, asked materials.EncryptionContext) error {
	if m == nil {
		return fmt.Errorf("%w: the materials manager returned nothing", ErrMaterials)
	}
	if m.Suite() != e.suite {
		return fmt.Errorf("%w: materials are for suite %v", ErrMaterials, m.Suite())
	}
	if err := m.Complete(); err != nil {
		return err
	}
	if n := len(m.EncryptedDataKeys()); n > e.maxKeys {
		return fmt.Errorf("%w: %d encrypted data keys, MaxEncryptedDataKeys is %d", ErrMaterials, n, e.maxKeys)
	}
	full := m.Context()
	if now, err := full.AppendSerialized(nil); err != nil || !bytes.Equal(now, m.SerializedContext()) {
		return fmt.Errorf("%w: the encryption context was changed after keys were wrapped under it", ErrMaterials)
	}
	required := slices.Sorted(slices.Values(m.RequiredKeys()))
	for k, v := range asked {
		if got, has := full[k]; !has || got != v {
			return fmt.Errorf("%w: the materials manager dropped or changed %.100q", ErrMaterials, k)
		}
		if _, has := slices.BinarySearch(required, k); !has {
			return fmt.Errorf("%w: the materials manager made %.100q a stored pair", ErrMaterials, k)
		}
	}
	if _, omitted := slices.BinarySearch(required, materials.ContextPublicKey); omitted {
		return fmt.Errorf("%w: the materials manager left %s out of the stored pairs, so no reader could verify the "+
			"item", ErrMaterials, materials.ContextPublicKey)
	}
	if len(full) == len(asked) || len(full) == len(asked)+1 && e.suite.Signed() {
		return nil // nothing of the application's own
	}
	for k := range full {
		if _, has := asked[k]; !has && k != materials.ContextPublicKey &&
			strings.HasPrefix(k, materials.ReservedContextPrefix) {
			return configuration("context pairs of an application cannot begin with %q",
				materials.ReservedContextPrefix)
		}
	}
	return nil
}

// inMaterials returns err if it matches one of the package's sentinels or an error
// of package context. It wraps other errors in [ErrMaterials], such as those that a
// keyring of the application returns.
func inMaterials(err error) error {
	for _, class := range []error{ErrMaterials, ErrKeyDenied, ErrConfiguration, ErrUnsupported, context.Canceled,
		context.DeadlineExceeded} {
		if errors.Is(err, class) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", ErrMaterials, err)
}

// seal writes the encrypted item. All new bytes of the result (encrypted
// values, header, footer) lie in one block of memory, where each value is
// serialized and then encrypted in place, so that no plaintext is left behind.
//
// The steps follow the format: the header's fields, the keys that its
// message ID leads to, the header with its commitment, the attributes in
// canonical order, and the footer over the record of all of them.
// (Specification: [encrypt-path-structure], "Construct Encrypted Structured Data".)
//
// [encrypt-path-structure]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/encrypt-path-structure.md#construct-encrypted-structured-data
func (e *ItemEncryptor) seal(w *work, version byte, m *materials.Encryption) (Item, error) {
	encrypted, size, err := w.measure()
	if err != nil {
		return nil, err
	}
	header := format.Header{
		Version:           version,
		Flavor:            byte(e.suite),
		Context:           format.StoredContext(m.Context(), m.RequiredKeys()),
		EncryptedDataKeys: m.EncryptedDataKeys(),
		Legend:            w.legend,
	}
	_, _ = rand.Read(header.MessageID[:]) // never fails: it ends the program instead
	if err := w.item.derive(m.DataKey(), header.MessageID[:]); err != nil {
		return nil, err
	}
	if w.keys, err = w.item.fieldKeys(w.keys[:0], encrypted); err != nil {
		return nil, err
	}

	size += header.Size() + format.FooterSize(len(header.EncryptedDataKeys), e.suite.Signed())
	b := block{buf: make([]byte, 0, size)}
	values := make([]types.AttributeValueMemberB, encrypted+2)
	out := make(Item, len(w.entries)+len(w.unsigned)+2+e.storedBeacons)
	if err := w.writeUnsigned(out); err != nil {
		return nil, err
	}

	partial, err := header.AppendPartial(b.buf)
	if err != nil {
		return nil, onWriting(err)
	}
	b.buf = append(partial, w.item.commitment(partial)...)
	values[0].Value = b.cut()
	w.record.Begin(values[0].Value, m.SerializedContext())
	if err := w.writeSigned(out, &b, values[2:]); err != nil {
		return nil, err
	}
	if err := e.writeFooter(w, &b, m); err != nil {
		return nil, err
	}
	values[1].Value = b.cut()
	out[HeaderAttribute], out[FooterAttribute] = &values[0], &values[1]
	return out, nil
}

// measure writes the legend and returns the number of values to be encrypted and
// a bound on their encrypted size.
func (w *work) measure() (encrypted, size int, err error) {
	for i := range w.entries {
		en := &w.entries[i]
		w.legend = append(w.legend, en.action.legend())
		if en.action != EncryptAndSign {
			continue
		}
		n, err := format.SizeBound(en.value)
		if err != nil {
			return 0, 0, at(en.name, onWriting(err))
		}
		if size += format.TypeIDLength + n + tagLength; size > format.MaxValueSize {
			return 0, 0, at(en.name,
				invalidItem("the values up to this one are over %d bytes together", format.MaxValueSize))
		}
		encrypted++
	}
	return encrypted, size, nil
}

// writeUnsigned takes the unsigned attributes over into out.
func (w *work) writeUnsigned(out Item) error {
	for k := range w.unsigned {
		u := &w.unsigned[k]
		if err := checkUnsigned(u.value); err != nil {
			return at(u.name, onWriting(err))
		}
		out[u.name] = u.value
	}
	return nil
}

// writeSigned writes the signed attributes into out and the record, those to be
// encrypted as values whose bytes lie in b.
func (w *work) writeSigned(out Item, b *block, values []types.AttributeValueMemberB) error {
	i := 0
	for k := range w.entries {
		en := &w.entries[k]
		if en.action != EncryptAndSign {
			if err := w.record.Signed(en.path, en.value, format.RefuseEmptyKeys); err != nil {
				return at(en.name, onWriting(err))
			}
			out[en.name] = en.value
			continue
		}
		if err := b.encrypt(en, w.keys, i); err != nil {
			return at(en.name, onWriting(err))
		}
		v := &values[i]
		v.Value = b.cut()
		w.record.Encrypted(en.path, v.Value)
		out[en.name] = v
		i++
	}
	return nil
}

// writeFooter writes a tag for each recipient and the signature of a signed suite,
// all over the record's digest.
// (Specification: [encrypt-path-structure], "Footer Field".)
//
// [encrypt-path-structure]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/encrypt-path-structure.md#footer-field
func (e *ItemEncryptor) writeFooter(w *work, b *block, m *materials.Encryption) error {
	digest := w.record.Sum()
	for _, k := range m.SymmetricSigningKeys() {
		b.buf = recipientTag(b.buf, k, &digest)
	}
	if !e.suite.Signed() {
		return nil
	}
	der, err := signDigest(m.SigningKey(), &digest)
	if err != nil {
		return err
	}
	b.buf = append(b.buf, der...)
	return nil
}

// checkUnsigned refuses an unsigned value for which a reader would refuse the
// whole item: the official libraries serialize unsigned attributes too. Only
// what DynamoDB may accept needs a check here.
func checkUnsigned(v types.AttributeValue) error {
	id, err := format.TypeOf(v)
	if err != nil || id != format.TypeMap && id != format.TypeList {
		return err
	}
	if _, err := format.SizeBound(v); err != nil {
		return err
	}
	_, err = format.AppendValue(nil, v)
	return err
}

// block is the memory of an item's new bytes.
type block struct {
	buf   []byte
	start int // of what is being written
}

// cut returns what was written since the last cut. Its capacity ends with it,
// so that an append by the application does not reach the next value.
func (b *block) cut() []byte {
	v := b.buf[b.start:len(b.buf):len(b.buf)]
	b.start = len(b.buf)
	return v
}

// encrypt appends type id, ciphertext and tag of encrypted field i.
// (Specification: [encrypt-path-structure], "Terminal Data Encryption".)
//
// [encrypt-path-structure]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/encrypt-path-structure.md#terminal-data-encryption
func (b *block) encrypt(en *entry, stream []byte, i int) error {
	id, err := format.TypeOf(en.value)
	if err != nil {
		return err
	}
	b.buf = binary.BigEndian.AppendUint16(b.buf, uint16(id))
	begin := len(b.buf)
	buf, err := format.AppendValue(b.buf, en.value)
	if err != nil {
		return err
	}
	aead, nonce, err := fieldCipher(stream, i)
	if err != nil {
		return err
	}
	b.buf = aead.Seal(buf[:begin], nonce, buf[begin:], en.path)
	return nil
}
