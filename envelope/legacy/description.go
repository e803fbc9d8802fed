// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

// Names of the material description's pairs.
const (
	symModeName    = "amzn-ddb-map-sym-mode"
	signingAlgName = "amzn-ddb-map-signingAlg"
	envKeyName     = "amzn-ddb-env-key"
	envAlgName     = "amzn-ddb-env-alg"
	wrapAlgName    = "amzn-ddb-wrap-alg"
	sigAlgName     = "amzn-ddb-sig-alg"
	metaIDName     = "amzn-ddb-meta-id"
)

// cbc is the only mode that a client ever wrote.
const cbc = "/CBC/PKCS5Padding"

// description is the material description:
//
//	bytes  field
//	4      version: 0
//	to the end: {4+ key, 4+ value}
//
// Nothing signs it. Each value counts as an attacker's: it only selects from
// lists of this package.
type description struct {
	symMode, signingAlg, envKey, envAlg, wrapAlg, sigAlg, metaID string
}

// text returns where a pair is kept, or nil for a pair of the application.
func (d *description) text(name []byte) *string {
	switch string(name) {
	case symModeName:
		return &d.symMode
	case signingAlgName:
		return &d.signingAlg
	case envKeyName:
		return &d.envKey
	case envAlgName:
		return &d.envAlg
	case wrapAlgName:
		return &d.wrapAlg
	case sigAlgName:
		return &d.sigAlg
	case metaIDName:
		return &d.metaID
	}
	return nil
}

// maxKnownValue bounds a value that this package looks at: the longest is a key
// of AWS KMS in base64.
const maxKnownValue = 16 << 10

// parseDescription reads the description attribute. An absent one is empty, which
// serves items without encrypted attributes.
func parseDescription(item envelope.Item) (description, error) {
	var d description
	p, err := pairsOf(item)
	for err == nil && len(p.rest) > 0 {
		var name, value []byte
		if name, value, err = p.next(); err != nil {
			break
		}
		if at := d.text(name); at != nil {
			if len(value) > maxKnownValue {
				return d, tampered("material description: %s has %d bytes", name, len(value))
			}
			*at = intern(value)
		}
	}
	return d, err
}

// Describe returns the pairs of an old item's material description, which say which
// algorithms and what kind of provider its writer used. They include no key. They
// are not signed, so anyone who may write to the table can have written anything
// into them. Every failure is an [*envelope.Error]. It matches
// [envelope.ErrNotEncrypted] if the item is not of the old format,
// [envelope.ErrUnsupported] for another version of the description, or
// [envelope.ErrTampered] for malformed bytes.
func Describe(item envelope.Item) (map[string]string, error) {
	if !envelope.IsLegacy(item) {
		return nil, fail("inspect", "", errNotLegacy)
	}
	out := map[string]string{}
	p, err := pairsOf(item)
	for err == nil && len(p.rest) > 0 {
		var name, value []byte
		if name, value, err = p.next(); err == nil {
			out[string(name)] = string(value)
		}
	}
	if err != nil {
		return nil, fail("inspect", "", at(envelope.LegacyDescriptionAttribute, err))
	}
	return out, nil
}

// pairs reads a description pair by pair.
type pairs struct {
	rest  []byte
	names nameSet
}

// pairsOf begins to read the description of an item.
func pairsOf(item envelope.Item) (p pairs, err error) {
	v, has := item[envelope.LegacyDescriptionAttribute]
	if !has {
		return p, nil
	}
	b, ok := v.(*types.AttributeValueMemberB)
	if !ok || b == nil {
		return p, tampered("the attribute is not a B")
	}
	if len(b.Value) < 4 {
		return p, tampered("material description of %d bytes", len(b.Value))
	}
	if version := binary.BigEndian.Uint32(b.Value); version != 0 {
		return p, unsupported("material description of version %d", version)
	}
	p.rest = b.Value[4:]
	return p, nil
}

func (p *pairs) next() (name, value []byte, err error) {
	name, after, ok := cutField(p.rest)
	value, after, ok2 := cutField(after)
	switch {
	case !ok || !ok2:
		return nil, nil, tampered("material description ends early")
	case !utf8.Valid(name) || !utf8.Valid(value):
		return nil, nil, tampered("material description has text that is not UTF-8")
	case !p.names.add(name):
		return nil, nil, tampered("material description has %.100q more than once", name)
	}
	p.rest = after
	return name, value, nil
}

// cutField cuts a field with its length in front from b.
func cutField(b []byte) (field, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint32(b)
	if b = b[4:]; uint64(n) > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// intern avoids a copy of the values that most items have.
func intern(value []byte) string {
	switch string(value) {
	case cbc:
		return cbc
	case "SHA256withRSA":
		return "SHA256withRSA"
	case "AES":
		return "AES"
	case "AESWrap":
		return "AESWrap"
	}
	return string(value)
}

// nameSet finds names that occur twice, without memory for the few names that a
// client writes and in linear time for the many that an attacker can.
type nameSet struct {
	few  [8][]byte
	n    int
	many map[string]struct{}
}

// add reports whether a name is new.
func (s *nameSet) add(name []byte) bool {
	if s.many == nil {
		for _, other := range s.few[:s.n] {
			if string(other) == string(name) {
				return false
			}
		}
		if s.n < len(s.few) {
			s.few[s.n] = name
			s.n++
			return true
		}
		s.many = make(map[string]struct{})
		for _, other := range s.few {
			s.many[string(other)] = struct{}{}
		}
	}
	if _, has := s.many[string(name)]; has {
		return false
	}
	s.many[string(name)] = struct{}{}
	return true
}
