// SPDX-License-Identifier: Apache-2.0

package ddbjson

import (
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// MaxDepth is the largest number of levels of a value, a scalar inside of a
// list being at the second.
const MaxDepth = 32

// strictBase64 refuses set bits behind the last byte.
var strictBase64 = base64.StdEncoding.Strict()

// Unmarshal reads one item, an object of attribute names with their values. It
// does not apply [Validate]. Errors are *SerializationError and
// *ValidationError; the first one for the shape of the document wins.
func Unmarshal(data []byte) (map[string]types.AttributeValue, error) {
	r := Reader{data: data}
	item, err := r.ReadItem()
	if err != nil {
		return nil, err
	}
	if err := r.finish(); err != nil {
		return nil, err
	}
	return item, nil
}

// DecodeValue reads one attribute value such as {"S": "text"}, with the rules
// and errors of [Unmarshal].
func DecodeValue(data []byte) (types.AttributeValue, error) {
	r := Reader{data: data}
	v, err := r.ReadValue()
	if err != nil {
		return nil, err
	}
	if err := r.finish(); err != nil {
		return nil, err
	}
	return v, nil
}

func (r *Reader) finish() error {
	if err := r.End(); err != nil {
		return err
	}
	return r.Invalid()
}

// ReadItem reads an object of names with attribute values, as in the members
// Item, Key and ExpressionAttributeValues of requests. Values for which
// [Reader.Invalid] reports a refusal are nil.
func (r *Reader) ReadItem() (map[string]types.AttributeValue, error) {
	return r.attributes(1)
}

// ReadValue reads one attribute value; it is nil when [Reader.Invalid] reports
// a refusal.
func (r *Reader) ReadValue() (types.AttributeValue, error) { return r.value(1) }

// entry is a member that waits for its map, whose size is known at the end.
type entry struct {
	name  string
	value types.AttributeValue
}

func (r *Reader) attributes(level int) (map[string]types.AttributeValue, error) {
	switch r.Kind() {
	case KindObject:
	case KindList:
		return nil,
			&SerializationError{Message: "Unrecognized collection type java.util.Map<java.lang.String, " +
				"com.amazonaws.dynamodb.v20120810.AttributeValue>",
				Offset: r.pos, reason: "a list where attributes were expected"}
	default:
		return nil, r.wrongKind("")
	}
	r.pos++
	var few [12]entry
	entries := few[:0]
	for first := true; ; first = false {
		done, err := r.beforeName(first)
		if err != nil {
			return nil, err
		}
		if done {
			break
		}
		var e entry
		if e.name, err = r.ownText(); err != nil {
			return nil, err
		}
		if err := r.colon(); err != nil {
			return nil, err
		}
		if e.value, err = r.value(level); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	m := make(map[string]types.AttributeValue, len(entries))
	for _, e := range entries {
		m[e.name] = e.value
	}
	if len(m) != len(entries) {
		return nil, r.syntax("duplicate attribute name")
	}
	return m, nil
}

// value reads an attribute value that stands at the given level.
func (r *Reader) value(level int) (types.AttributeValue, error) {
	switch r.peek() {
	case '{':
	case '[':
		return nil, r.fail("Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue")
	case 0:
		return nil, r.syntax("expected a value")
	default:
		return nil, r.fail("Unexpected value type in payload")
	}
	if level > MaxDepth {
		// Nothing deeper is built, and the rest is only checked for its syntax.
		r.refuse(errReadTooDeep)
		return nil, r.Skip()
	}
	r.pos++
	// Nearly all values are written in the shortest way, {"S":…} without spaces
	// and with nothing else.
	kind := r.shortType()
	if kind == typeUnknown {
		return r.members(level, typeUnknown, nil)
	}
	v, err := r.typed(kind, level)
	if err != nil {
		return nil, err
	}
	if r.pos < len(r.data) && r.data[r.pos] == '}' {
		r.pos++
		return v, nil
	}
	return r.members(level, kind, v)
}

// shortType steps over a type name of one or two letters and its colon if they
// come next without spaces and are not followed by null; otherwise it steps over
// nothing and returns typeUnknown.
func (r *Reader) shortType() typeName {
	d := r.data[r.pos:]
	n := 0
	switch {
	case len(d) < 6 || d[0] != '"':
		return typeUnknown
	case d[2] == '"':
		n = 1
	case d[3] == '"':
		n = 2
	default:
		return typeUnknown
	}
	kind := typeOf(d[1 : 1+n])
	if d[n+2] != ':' || d[n+3] == 'n' {
		return typeUnknown
	}
	if kind != typeUnknown {
		r.pos += n + 3
	}
	return kind
}

// members reads the inside of a value up to its closing brace, or what is left
// of it when v of the type kind was read already.
func (r *Reader) members(level int, kind typeName, v types.AttributeValue) (types.AttributeValue, error) {
	var (
		seen  uint16 // one bit per type name seen
		known int
		other bool
	)
	if kind != typeUnknown {
		seen, known = 1<<kind, 1
	}
	for first := known == 0; ; first = false {
		name, done, err := r.nextName(first)
		if err != nil {
			return nil, err
		}
		if done {
			break
		}
		kind := typeOf(name)
		if kind != typeUnknown && seen&(1<<kind) != 0 {
			return nil, r.syntax("duplicate type name")
		}
		seen |= 1 << kind
		null, err := r.ReadNull()
		if err != nil {
			return nil, err
		}
		switch {
		case null: // as if it was not there
		case kind == typeUnknown:
			other = true
			err = r.Skip()
		default:
			known++
			v, err = r.typed(kind, level)
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case known == 1 && !other:
		return v, nil
	case known == 0:
		r.refuse(errEmptyValue)
	default:
		r.refuse(errManyTypes)
	}
	return nil, nil
}

// typeName is one of the ten type names.
type typeName uint8

const (
	typeUnknown typeName = iota
	typeS
	typeN
	typeB
	typeSS
	typeNS
	typeBS
	typeM
	typeL
	typeNULL
	typeBOOL
)

func typeOf(name []byte) typeName {
	switch string(name) {
	case "S":
		return typeS
	case "N":
		return typeN
	case "B":
		return typeB
	case "SS":
		return typeSS
	case "NS":
		return typeNS
	case "BS":
		return typeBS
	case "M":
		return typeM
	case "L":
		return typeL
	case "NULL":
		return typeNULL
	case "BOOL":
		return typeBOOL
	}
	return typeUnknown
}

// typed reads what follows a type name.
func (r *Reader) typed(kind typeName, level int) (types.AttributeValue, error) {
	switch kind {
	case typeS:
		s, err := r.ReadString()
		if err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberS{Value: s}, nil
	case typeN:
		s, err := r.ReadString()
		if err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberN{Value: s}, nil
	case typeB:
		b, err := r.ReadBytes()
		if err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberB{Value: b}, nil
	case typeSS:
		list, err := readSet(r, r.ReadString)
		if err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberSS{Value: list}, nil
	case typeNS:
		list, err := readSet(r, r.ReadString)
		if err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberNS{Value: list}, nil
	case typeBS:
		list, err := readSet(r, r.ReadBytes)
		if err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberBS{Value: list}, nil
	case typeM:
		m, err := r.attributes(level + 1)
		if err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberM{Value: m}, nil
	case typeL:
		list, err := readSet(r, func() (types.AttributeValue, error) { return r.value(level + 1) })
		if err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberL{Value: list}, nil
	case typeNULL:
		b, err := r.ReadBool()
		if err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberNULL{Value: b}, nil
	default: // typeBOOL
		b, err := r.ReadBool()
		if err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberBOOL{Value: b}, nil
	}
}

// readSet reads the list behind SS, NS, BS and L. The result is never nil.
func readSet[T any](r *Reader, element func() (T, error)) ([]T, error) {
	if r.peek() != '[' {
		return nil, r.wrongKind("")
	}
	r.pos++
	var few [8]T
	list := few[:0]
	for {
		done, err := r.nextElement(len(list) == 0)
		if err != nil {
			return nil, err
		}
		if done {
			return append(make([]T, 0, len(list)), list...), nil
		}
		e, err := element()
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
}

// ReadBytes reads a string of base64 in the standard alphabet with padding. The
// result is never nil.
func (r *Reader) ReadBytes() ([]byte, error) {
	switch r.peek() {
	case '"':
	case '{':
		return nil, r.wrongKind("")
	case '[':
		return nil, r.fail("Unrecognized collection type class java.nio.ByteBuffer")
	case 0:
		return nil, r.syntax("expected a value")
	default:
		return nil, r.fail("only base-64-encoded strings are convertible to bytes")
	}
	at := r.pos
	text, err := r.text()
	if err != nil {
		return nil, err
	}
	if len(text)%4 != 0 {
		r.pos = at
		return nil, base64Length(at, len(text))
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := strictBase64.Decode(out, text)
	// The decoder passes over line breaks, which would let one value have many
	// texts; with them the lengths do not fit.
	if err != nil || (n+2)/3*4 != len(text) {
		r.pos = at
		return nil, r.fail("Invalid last non-pad Base64 character dectected")
	}
	return out[:n], nil
}
