package keyring

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Type ids of serialized attributes (DB-ESDK specification,
// ddb-attribute-serialization).
const (
	typeNull      = 0x0000
	typeString    = 0x0001
	typeNumber    = 0x0002
	typeBool      = 0x0004
	typeBinary    = 0xffff
	typeStringSet = 0x0101
	typeNumberSet = 0x0102
	typeBinarySet = 0x01ff
	typeMap       = 0x0200
	typeList      = 0x0300
)

// maxAttributeDepth is the format's own limit of nesting, the leaf included.
const maxAttributeDepth = 32

var errMalformedAttribute = errors.New("malformed serialized attribute")

// attributeReader reads one serialized attribute for a [BranchKeySupplier].
type attributeReader struct {
	rest []byte
	bad  bool
}

// decodeAttribute reads type id and serialized value, with nothing after it.
func decodeAttribute(raw []byte) (types.AttributeValue, error) {
	r := attributeReader{rest: raw}
	kind := r.uint16()
	v := r.value(kind, r.rest, 1)
	if r.bad || v == nil {
		return nil, errMalformedAttribute
	}
	return v, nil
}

func (r *attributeReader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *attributeReader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// field reads a 32-bit length and as many bytes.
func (r *attributeReader) field() []byte {
	b := r.take(4)
	if b == nil {
		return nil
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	return r.take(int(n))
}

func (r *attributeReader) text(b []byte) string {
	if !utf8.Valid(b) {
		r.bad = true
	}
	return string(b)
}

// value reads exactly the bytes of raw as a value of the kind.
func (r *attributeReader) value(kind uint16, raw []byte, depth int) types.AttributeValue {
	if depth > maxAttributeDepth {
		r.bad = true
		return nil
	}
	switch kind {
	case typeNull:
		r.bad = r.bad || len(raw) != 0
		return &types.AttributeValueMemberNULL{Value: true}
	case typeString:
		return &types.AttributeValueMemberS{Value: r.text(raw)}
	case typeNumber:
		return &types.AttributeValueMemberN{Value: r.text(raw)}
	case typeBinary:
		return &types.AttributeValueMemberB{Value: append([]byte{}, raw...)}
	case typeBool:
		if len(raw) != 1 || raw[0] > 1 {
			r.bad = true
			return nil
		}
		return &types.AttributeValueMemberBOOL{Value: raw[0] == 1}
	}
	sub := attributeReader{rest: raw}
	v := sub.collection(kind, depth)
	r.bad = r.bad || sub.bad || len(sub.rest) != 0
	return v
}

// collection reads a count and its members. Every member takes at least four
// bytes, so that a false count ends with the input; nothing is allocated ahead.
func (r *attributeReader) collection(kind uint16, depth int) types.AttributeValue {
	head := r.take(4)
	if head == nil {
		return nil
	}
	n := binary.BigEndian.Uint32(head)
	switch kind {
	case typeStringSet:
		v := &types.AttributeValueMemberSS{}
		for ; n > 0 && !r.bad; n-- {
			v.Value = append(v.Value, r.text(r.field()))
		}
		return v
	case typeNumberSet:
		v := &types.AttributeValueMemberNS{}
		for ; n > 0 && !r.bad; n-- {
			v.Value = append(v.Value, r.text(r.field()))
		}
		return v
	case typeBinarySet:
		v := &types.AttributeValueMemberBS{}
		for ; n > 0 && !r.bad; n-- {
			v.Value = append(v.Value, append([]byte{}, r.field()...))
		}
		return v
	case typeList:
		v := &types.AttributeValueMemberL{Value: []types.AttributeValue{}}
		for ; n > 0 && !r.bad; n-- {
			v.Value = append(v.Value, r.value(r.uint16(), r.field(), depth+1))
		}
		return v
	case typeMap:
		v := &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}}
		for ; n > 0 && !r.bad; n-- {
			if r.uint16() != typeString {
				r.bad = true
				break
			}
			key := r.text(r.field())
			if _, twice := v.Value[key]; twice || key == "" {
				r.bad = true
				break
			}
			v.Value[key] = r.value(r.uint16(), r.field(), depth+1)
		}
		return v
	}
	r.bad = true
	return nil
}
