// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Message is what an encrypted item says about itself, taken apart without any
// key. Nothing in it is verified: anyone who wrote the item can have written
// anything.
type Message struct {
	Version   int            // header version, 1 or 2
	Suite     AlgorithmSuite // of this item
	MessageID []byte         // 32 random bytes
	Legend    string         // 'e', 's' or 'c' for each signed attribute in canonical order
	// StoredContext is the part of the encryption context that the header
	// stores; the rest is rebuilt from the item and the configuration.
	StoredContext     materials.EncryptionContext
	EncryptedDataKeys []materials.EncryptedDataKey
	Header, Footer    []Field              // every byte of the two, in order
	Attributes        []InspectedAttribute // all others, in canonical order
}

// Field is a part of the header or footer.
type Field struct {
	Name           string // such as "encrypted data key 1: provider id"
	Offset, Length int    // in bytes, from the beginning of the attribute
	Meaning        string
	Value          string // text where the field is text, else hexadecimal
}

// InspectedAttribute is an attribute of an inspected item.
type InspectedAttribute struct {
	Name string
	// Action is what the item says was done with the attribute; zero when it
	// cannot be told: see [Inspect].
	Action Action
	// Type is the DynamoDB type of the value, of the plaintext if the
	// attribute is encrypted.
	Type string
	// Length is the size in bytes of the value: of the ciphertext if the
	// attribute is encrypted, else of its serialization.
	Length int
	// Beacon marks what is stored for searching. BeaconName is the name that
	// searches use. A signed beacon is marked by [ItemEncryptor.Inspect] alone,
	// since its attribute looks like any other one.
	Beacon     bool
	BeaconName string
}

// Inspect takes an encrypted item apart. It needs no key and no configuration,
// and so it does not know which attributes are unsigned: if the item has more
// attributes than its legend has letters, the actions of all are left zero;
// [ItemEncryptor.Inspect] knows. Every failure is an [*Error] that matches
// [ErrNotEncrypted], [ErrLegacyItem], [ErrUnsupported] for another version of
// the format, or [ErrTampered] for malformed bytes.
func Inspect(item Item) (*Message, error) {
	m, err := inspect(item, func(string) bool { return false }, nil)
	if err != nil {
		return nil, newError("inspect", "", err)
	}
	return m, nil
}

// Inspect takes an encrypted item apart as the function [Inspect] does, and
// tells signed from unsigned attributes by the encryptor's configuration.
func (e *ItemEncryptor) Inspect(item Item) (*Message, error) {
	m, err := inspect(item, e.AllowedUnsigned, e.search)
	if err != nil {
		return nil, e.fail("inspect", err)
	}
	return m, nil
}

func inspect(item Item, unsigned func(string) bool, search *beacon.Search) (*Message, error) {
	head, foot, err := headerAndFooter(item)
	if err != nil {
		return nil, err
	}
	if head == nil {
		return nil, fmt.Errorf("%w: it has neither %s nor %s", ErrNotEncrypted, HeaderAttribute, FooterAttribute)
	}
	header, err := format.ParseHeader(head)
	if err != nil {
		return nil, at(HeaderAttribute, onReading(err))
	}
	footer, err := format.ParseFooter(foot, len(header.EncryptedDataKeys), header.Suite().Signed())
	if err != nil {
		return nil, at(FooterAttribute, onReading(err))
	}
	m := &Message{
		Version: int(header.Version), Suite: header.Suite(), MessageID: slices.Clone(header.MessageID[:]),
		Legend: string(header.Legend), StoredContext: header.Context,
		Header: headerFields(header), Footer: footerFields(header, footer),
	}
	for _, k := range header.EncryptedDataKeys {
		k.ProviderInfo, k.Ciphertext = slices.Clone(k.ProviderInfo), slices.Clone(k.Ciphertext)
		m.EncryptedDataKeys = append(m.EncryptedDataKeys, k)
	}
	m.Attributes = inspectAttributes(item, header.Legend, unsigned)
	if search != nil {
		nameSigned(m.Attributes, search)
	}
	return m, nil
}

func inspectAttributes(item Item, legend []byte, unsigned func(string) bool) []InspectedAttribute {
	names := slices.Collect(maps.Keys(item))
	format.SortPaths(names)
	out := make([]InspectedAttribute, 0, len(names))
	var serialized []byte // reused: only its length is told
	signed := 0
	for _, name := range names {
		if name == HeaderAttribute || name == FooterAttribute {
			continue
		}
		a := InspectedAttribute{Name: name, Beacon: beacon.Stored(name)}
		if searched, ok := strings.CutPrefix(name, beacon.AttributePrefix); ok {
			a.BeaconName = searched
		}
		if a.Beacon || unsigned(name) {
			a.Action = DoNothing
		} else {
			signed++
		}
		if id, err := format.TypeOf(item[name]); err == nil {
			a.Type = id.String()
			if _, err := format.SizeBound(item[name]); err == nil {
				if v, err := format.Append(serialized[:0], item[name], format.TakeEmptyKeys); err == nil {
					a.Length, serialized = len(v), v
				}
			}
		}
		out = append(out, a)
	}
	if signed != len(legend) {
		return out
	}
	i := 0
	for k := range out {
		a := &out[k]
		if a.Action == DoNothing {
			continue
		}
		a.Action = legendAction(legend[i])
		i++
		if v, ok := item[a.Name].(*types.AttributeValueMemberB); ok && v != nil && a.Action == EncryptAndSign &&
			len(v.Value) >= format.TypeIDLength {
			a.Type = typeID(v.Value).String()
		}
	}
	return out
}

// nameSigned marks signed beacons.
func nameSigned(attributes []InspectedAttribute, search *beacon.Search) {
	for _, name := range search.SignedNames() {
		for i := range attributes {
			if a := &attributes[i]; a.Name == name {
				a.Beacon, a.BeaconName = true, name
			}
		}
	}
}

// fieldList counts offsets while fields are added.
type fieldList struct {
	fields []Field
	offset int
}

func (l *fieldList) add(name string, length int, meaning, value string) {
	l.fields = append(l.fields, Field{Name: name, Offset: l.offset, Length: length, Meaning: meaning, Value: value})
	l.offset += length
}

// number adds an integer field of so many bytes.
func (l *fieldList) number(name string, length, v int, meaning string) {
	l.add(name, length, meaning, fmt.Sprint(v))
}

func headerFields(h *format.Header) []Field {
	var l fieldList
	versions := map[byte]string{
		format.Version1: "only the keys are in the encryption context",
		format.Version2: "some attributes are in the encryption context",
	}
	l.number("version", 1, int(h.Version), versions[h.Version])
	l.number("flavor", 1, int(h.Flavor), h.Suite().String())
	l.add("message id", format.MessageIDLength, "random, new for every write", fmt.Sprintf("%x", h.MessageID))
	l.number("legend length", 2, len(h.Legend), "signed attributes")
	l.add("legend", len(h.Legend),
		"e encrypted and signed, s signed, c signed and in the encryption context; in canonical order",
		string(h.Legend))
	l.number("context count", 2, len(h.Context), "stored pairs of the encryption context")
	for i, k := range slices.Sorted(maps.Keys(h.Context)) {
		name := fmt.Sprintf("context pair %d: ", i+1)
		l.number(name+"key length", 2, len(k), "")
		l.add(name+"key", len(k), contextMeaning(k), printable([]byte(k)))
		l.number(name+"value length", 2, len(h.Context[k]), "")
		l.add(name+"value", len(h.Context[k]), "", printable([]byte(h.Context[k])))
	}
	l.number("key count", 1, len(h.EncryptedDataKeys), "encrypted data keys, each for one recipient")
	for i := range h.EncryptedDataKeys {
		k := &h.EncryptedDataKeys[i]
		name := fmt.Sprintf("encrypted data key %d: ", i+1)
		l.number(name+"provider id length", 2, len(k.ProviderID), "")
		l.add(name+"provider id", len(k.ProviderID), providerMeaning(k.ProviderID), printable([]byte(k.ProviderID)))
		l.number(name+"provider info length", 2, len(k.ProviderInfo), "")
		info, meaning := describeInfo(k)
		l.add(name+"provider info", len(k.ProviderInfo), meaning, info)
		l.number(name+"ciphertext length", 2, len(k.Ciphertext), "")
		wrapped := min(len(k.Ciphertext), materials.WrappedDataKeyLength)
		l.add(name+"wrapped data key", wrapped, "sealed under a key derived from the intermediate key",
			fmt.Sprintf("%x", k.Ciphertext[:wrapped]))
		l.add(name+"wrapped intermediate key", len(k.Ciphertext)-wrapped, "as the provider wrapped it",
			fmt.Sprintf("%x", k.Ciphertext[wrapped:]))
	}
	l.add("commitment", format.CommitmentLength, "binds the header to one data key", fmt.Sprintf("%x", h.Commitment))
	return l.fields
}

func footerFields(h *format.Header, f format.Footer) []Field {
	var l fieldList
	i := 0
	for tag := range slices.Chunk(f.Tags, format.TagLength) {
		i++
		l.add(fmt.Sprintf("recipient tag %d", i), format.TagLength, "HMAC-SHA384 for the recipient of the same number",
			fmt.Sprintf("%x", tag))
	}
	if h.Suite().Signed() {
		l.add("signature", format.SignatureLength, "ECDSA P-384, DER", fmt.Sprintf("%x", f.Signature))
	}
	return l.fields
}

func contextMeaning(key string) string {
	if key == materials.ContextPublicKey {
		return "verifies the signature: compressed P-384 point in base64"
	}
	return "pair of the application"
}

func providerMeaning(id string) string {
	switch id {
	case "aws-kms":
		return "a key of AWS KMS"
	case hierarchyProvider:
		return "a branch key"
	case "aws-kms-rsa":
		return "an RSA key of AWS KMS"
	case "aws-kms-ecdh":
		return "a key agreement, written with a key of AWS KMS"
	case "raw-ecdh":
		return "a key agreement, written with a local key"
	}
	return "namespace of a raw key"
}

// rawAESInfo is what follows the key name in a raw AES keyring's provider
// info: tag length in bits, nonce length in bytes, nonce.
const rawAESInfo = 4 + 4 + 12

// describeInfo gives provider info as text where it is text, and takes the
// points of a key agreement apart.
func describeInfo(k *materials.EncryptedDataKey) (value, meaning string) {
	info := k.ProviderInfo
	switch {
	case k.ProviderID == "raw-ecdh" || k.ProviderID == "aws-kms-ecdh":
		if points, err := format.ParseECDHInfo(info); err == nil {
			return fmt.Sprintf("version %d, %s, recipient %x, sender %x", format.ECDHVersion, points.Curve,
				points.Recipient, points.Sender), "public keys of both sides, as compressed points"
		}
		return printable(info), "malformed: not two compressed points"
	case k.ProviderID == "aws-kms" || k.ProviderID == "aws-kms-rsa":
		meaning = "key ARN"
	case k.ProviderID == hierarchyProvider:
		meaning = "branch key id"
	case len(info) > rawAESInfo &&
		string(info[len(info)-rawAESInfo:len(info)-12]) == "\x00\x00\x00\x80\x00\x00\x00\x0c":
		name := info[:len(info)-rawAESInfo]
		return fmt.Sprintf("%s %x", printable(name), info[len(info)-12:]), "name of the AES key, then the nonce"
	default:
		meaning = "key name"
	}
	return printable(info), meaning
}

// printable gives text as it is and anything else in hexadecimal, so that an
// item cannot send control characters to a terminal.
func printable(b []byte) string {
	for _, r := range string(b) {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return fmt.Sprintf("%x", b)
		}
	}
	return string(b)
}
