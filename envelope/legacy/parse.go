// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
)

// errMalformed is any fault of a serialized value. Its caller does not tell which
// one, so there is only one.
var errMalformed = errors.New("malformed value")

// parseValue reads one serialized value, strictly: bytes after it, unknown tags,
// a BOOL other than 0 and 1, bad UTF-8, a number that no writer writes, and a map
// key that occurs twice are refused. Any order is accepted, and an entry that a
// set repeats is dropped. Since an attacker may have chosen the content key, this
// strictness is what keeps such a choice from giving a value. Nothing of the
// result aliases b.
func parseValue(b []byte) (types.AttributeValue, error) {
	p := parser{rest: b}
	v := p.value(1)
	if p.failed || len(p.rest) > 0 {
		return nil, errMalformed
	}
	return v, nil
}

// parser reads from rest until failed.
type parser struct {
	rest   []byte
	failed bool
}

func (p *parser) fail() types.AttributeValue {
	p.failed, p.rest = true, nil
	return nil
}

// tag reads the two bytes in front of a value.
func (p *parser) tag() byte {
	if len(p.rest) < 2 || p.rest[0] != 0 {
		p.fail()
		return 0
	}
	tag := p.rest[1]
	p.rest = p.rest[2:]
	return tag
}

// field reads a length and so many bytes.
func (p *parser) field() []byte {
	field, rest, ok := cutField(p.rest)
	if !ok {
		p.fail()
		return nil
	}
	p.rest = rest
	return field
}

// text reads a field in UTF-8.
func (p *parser) text() string {
	field := p.field()
	if !utf8.Valid(field) {
		p.fail()
	}
	return string(field)
}

// number reads a field with a number in plain form.
func (p *parser) number() string {
	field := p.field()
	if !isPlainNumber(field) {
		p.fail()
	}
	return string(field)
}

// Minimum encoded sizes bound an untrusted count. Values of this format have no
// length in front, so counts on every level of nesting can claim the same bytes:
// maxPreallocated bounds what one of them sets aside.
const (
	minSetEntry     = 4
	minListEntry    = 2
	minMapEntry     = 8
	maxPreallocated = 256
)

// count reads the number of entries of at least so many bytes each.
func (p *parser) count(entry int) int {
	if len(p.rest) < 4 {
		p.fail()
		return 0
	}
	n := binary.BigEndian.Uint32(p.rest)
	if p.rest = p.rest[4:]; uint64(n)*uint64(entry) > uint64(len(p.rest)) {
		p.fail()
		return 0
	}
	return int(n)
}

func (p *parser) value(depth int) types.AttributeValue {
	if depth > format.MaxDepth {
		return p.fail()
	}
	tag := p.tag()
	if p.failed {
		return nil
	}
	switch tag {
	case tagBinary:
		return &types.AttributeValueMemberB{Value: append([]byte{}, p.field()...)}
	case tagString:
		return &types.AttributeValueMemberS{Value: p.text()}
	case tagNumber:
		return &types.AttributeValueMemberN{Value: p.number()}
	case tagBool:
		if len(p.rest) == 0 || p.rest[0] > 1 {
			return p.fail()
		}
		v := p.rest[0] == 1
		p.rest = p.rest[1:]
		return &types.AttributeValueMemberBOOL{Value: v}
	case tagNull:
		return &types.AttributeValueMemberNULL{Value: true}
	case tagBinarySet:
		return p.binarySet()
	case tagStringSet:
		return &types.AttributeValueMemberSS{Value: p.set(p.text)}
	case tagNumberSet:
		return &types.AttributeValueMemberNS{Value: p.set(p.number)}
	case tagList:
		n := p.count(minListEntry)
		list := make([]types.AttributeValue, 0, min(n, maxPreallocated))
		for range n {
			if list = append(list, p.value(depth+1)); p.failed {
				return nil
			}
		}
		return &types.AttributeValueMemberL{Value: list}
	case tagMap:
		return p.dictionary(depth)
	}
	return p.fail()
}

func (p *parser) set(entry func() string) []string {
	n := p.count(minSetEntry)
	texts := make([]string, 0, min(n, maxPreallocated))
	seen := make(map[string]struct{}, min(n, maxPreallocated))
	for range n {
		s := entry()
		if p.failed {
			return nil
		}
		// The clients normalize numbers and leave equal ones in a set.
		if _, has := seen[s]; !has {
			seen[s] = struct{}{}
			texts = append(texts, s)
		}
	}
	return texts
}

func (p *parser) binarySet() types.AttributeValue {
	texts := p.set(func() string { return string(p.field()) })
	entries := make([][]byte, 0, len(texts))
	for _, s := range texts {
		entries = append(entries, append([]byte{}, s...))
	}
	return &types.AttributeValueMemberBS{Value: entries}
}

func (p *parser) dictionary(depth int) types.AttributeValue {
	n := p.count(minMapEntry)
	m := make(map[string]types.AttributeValue, min(n, maxPreallocated))
	for range n {
		if p.tag() != tagString {
			p.fail()
		}
		key := p.text()
		if _, has := m[key]; has {
			p.fail()
		}
		v := p.value(depth + 1)
		if p.failed {
			return nil
		}
		m[key] = v
	}
	return &types.AttributeValueMemberM{Value: m}
}

// isPlainNumber reports whether b has the form in which the clients write
// numbers: -?digits(.digits)?, any number of them.
func isPlainNumber(b []byte) bool {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	digits := 0
	for len(b) > 0 && b[0]-'0' <= 9 {
		b, digits = b[1:], digits+1
	}
	if digits == 0 || len(b) == 0 {
		return digits > 0
	}
	if b[0] != '.' || len(b) == 1 {
		return false
	}
	for _, c := range b[1:] {
		if c-'0' > 9 {
			return false
		}
	}
	return true
}
