// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// virtualField is a compiled [VirtualField].
type virtualField struct {
	name  string
	parts []virtualPart
	ascii bool // no transform makes ASCII text anything else
	key   string
}

type virtualPart struct {
	location   location
	transforms []Transform
}

// maxText bounds the text of a virtual field or a compound beacon, in bytes. It
// is far beyond what an item of 400 KB has values for, unless parts repeat them.
const maxText = 4 << 20

// compileVirtual checks a virtual field by itself. (Specification: [virtual],
// "Virtual Field Initialization".)
//
// [virtual]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/virtual.md#virtual-field-initialization
func compileVirtual(v *VirtualField, schema *Schema) (*virtualField, error) {
	bad := func(text string, args ...any) (*virtualField, error) {
		return nil, refuse(kindVirtual, v.Name, text, args...)
	}
	if err := checkName(v.Name); err != nil {
		return bad("%w", err)
	}
	switch p := schema.Protection(v.Name); {
	case p == Unsigned:
		return bad("the name belongs to an attribute that may be unsigned")
	case p != Unknown:
		return bad("the name belongs to a configured attribute")
	case strings.ContainsAny(v.Name, ".["):
		return bad("the name contains a dot or a bracket, so that no location can name the field")
	case len(v.Parts) == 0:
		return bad("it has no parts")
	case len(v.Parts) > MaxEntries:
		return bad("it has %d parts, over %d", len(v.Parts), MaxEntries)
	}
	f := &virtualField{name: v.Name, ascii: true}
	var keys []string
	for i := range v.Parts {
		p := &v.Parts[i]
		l, err := parseLocation(p.Location)
		if err != nil {
			return bad("part %d: %w", i+1, err)
		}
		if !signed(schema.Protection(l.attribute)) {
			return bad("attribute %.255q of part %d is not signed", l.attribute, i+1)
		}
		if len(p.Transforms) > MaxEntries {
			return bad("part %d has %d transforms, over %d", i+1, len(p.Transforms), MaxEntries)
		}
		compiled := virtualPart{location: l, transforms: make([]Transform, len(p.Transforms))}
		for k, t := range p.Transforms {
			if compiled.transforms[k], err = t.compile(); err != nil {
				return bad("part %d, transform %d: %w", i+1, k+1, err)
			}
			f.ascii = f.ascii && t.ascii()
		}
		f.parts = append(f.parts, compiled)
		keys = append(keys, l.key())
	}
	f.key = joinKeys(keys)
	return f, nil
}

// joinKeys identifies a set of locations.
func joinKeys(keys []string) string {
	slices.Sort(keys)
	return strings.Join(slices.Compact(keys), ",")
}

// signed reports whether the attribute is signed, encrypted or not.
func signed(p Protection) bool { return p == Encrypted || p.readable() }

// value is the field's text for an item. has is false if a part has no value.
// A part of any other type than string, number, Boolean and null is an error.
func (f *virtualField) value(item Item) (text string, has bool, err error) {
	var few [4]string
	texts, ascii, size := few[:0], f.ascii, 0
	for i := range f.parts {
		l := &f.parts[i].location
		text, has, err := l.value(item)
		if err != nil {
			return "", false, &Error{Kind: kindVirtual, Name: f.name, Attribute: l.attribute, Err: err}
		}
		if !has {
			return "", false, nil
		}
		if size += len(text); size > maxText {
			return "", false, f.tooLong()
		}
		ascii = ascii && isASCII(text)
		texts = append(texts, text)
	}
	if ascii {
		var buf [128]byte
		out, ok := evaluate(f, texts, buf[:0], func(dst []byte, s string) []byte { return append(dst, s...) })
		if !ok {
			return "", false, f.tooLong()
		}
		return string(out), true, nil
	}
	units, ok := evaluate(f, texts, nil, encode)
	if !ok {
		return "", false, f.tooLong()
	}
	if text, err = decode(units); err != nil {
		return "", false, &Error{Kind: kindVirtual, Name: f.name, Err: err}
	}
	return text, true, nil
}

func (f *virtualField) tooLong() error {
	return &Error{Kind: kindVirtual, Name: f.name, Err: itemError("the value is over %d bytes", maxText)}
}

// evaluate appends every part after its transforms to out. It reports false if
// the result is too long.
func evaluate[U unit](f *virtualField, texts []string, out []U, load func([]U, string) []U) ([]U, bool) {
	for i := range f.parts {
		begin := len(out)
		out = load(out, texts[i])
		part := out[begin:]
		for k := range f.parts[i].transforms {
			if part = apply(&f.parts[i].transforms[k], part); len(part) > maxText {
				return nil, false
			}
		}
		if out = append(out[:begin], part...); len(out) > maxText {
			return nil, false
		}
	}
	return out, true
}

// attribute is the field's value as an attribute value, nil if it has none.
func (f *virtualField) attribute(item Item) (types.AttributeValue, error) {
	text, has, err := f.value(item)
	if err != nil || !has {
		return nil, err
	}
	return &types.AttributeValueMemberS{Value: text}, nil
}
