// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// fields are the members of a struct by their names, made once for every
// request that a table has.
type fields map[string]field

type field struct {
	index []int
	read  reader
}

// reader reads a value that is not null into v.
type reader func(d *Decoder, name []byte, v reflect.Value) error

func compile(t reflect.Type) fields {
	f := fields{}
	f.add(t, nil)
	return f
}

func (f fields) add(t reflect.Type, at []int) {
	for i := range t.NumField() {
		member := t.Field(i)
		index := append(append([]int(nil), at...), i)
		tag, _, _ := strings.Cut(member.Tag.Get("json"), ",")
		if own := member.Tag.Get("wire"); own != "" {
			tag = own
		}
		switch {
		case member.Anonymous && tag == "" && member.Type.Kind() == reflect.Struct:
			f.add(member.Type, index)
		case !member.IsExported():
		default:
			name := member.Name
			if tag != "" {
				name = tag
			}
			f[name] = field{index, readerOf(member.Type)}
		}
	}
}

// read reads or skips one member of the struct v.
func (f fields) read(d *Decoder, name []byte, v reflect.Value) error {
	member, ok := f[string(name)]
	if !ok {
		return d.Skip()
	}
	if null, err := d.Null(); null || err != nil {
		return err
	}
	return member.read(d, name, v.FieldByIndex(member.index))
}

var (
	valueReader   = reflect.TypeFor[ValueReader]()
	membersReader = reflect.TypeFor[MembersReader]()
	unsupported   = reflect.TypeFor[Unsupported]()
)

func readerOf(t reflect.Type) reader {
	switch {
	case t == unsupported:
		return func(d *Decoder, name []byte, _ reflect.Value) error { return d.protocol.Unsupported(string(name)) }
	case reflect.PointerTo(t).Implements(valueReader):
		return func(d *Decoder, _ []byte, v reflect.Value) error {
			return v.Addr().Interface().(ValueReader).ReadValue(d)
		}
	case reflect.PointerTo(t).Implements(membersReader):
		return func(d *Decoder, _ []byte, v reflect.Value) error {
			m := v.Addr().Interface().(MembersReader)
			return d.Reader.Object(func(name []byte) error { return m.ReadMember(d, name) })
		}
	}
	switch t.Kind() {
	case reflect.Pointer:
		inner := readerOf(t.Elem())
		return func(d *Decoder, name []byte, v reflect.Value) error {
			v.Set(reflect.New(t.Elem()))
			return inner(d, name, v.Elem())
		}
	case reflect.String:
		return readString
	case reflect.Bool:
		return readBool
	case reflect.Int, reflect.Int64:
		return readInt
	case reflect.Float64:
		return readFloat
	case reflect.Struct:
		members := compile(t)
		return func(d *Decoder, _ []byte, v reflect.Value) error {
			return d.Reader.Object(func(name []byte) error { return members.read(d, name, v) })
		}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return readBytes
		}
		return listReader(t)
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			return mapReader(t)
		}
	}
	panic(fmt.Sprintf("wire: a request cannot have a member of type %s", t))
}

func readString(d *Decoder, _ []byte, v reflect.Value) error {
	s, err := d.ReadString()
	v.SetString(s)
	return err
}

func readBool(d *Decoder, _ []byte, v reflect.Value) error {
	b, err := d.ReadBool()
	v.SetBool(b)
	return err
}

func readInt(d *Decoder, _ []byte, v reflect.Value) error {
	n, err := d.ReadInt()
	v.SetInt(n)
	return err
}

// readFloat reads a number that may have a fraction, such as a time.
func readFloat(d *Decoder, _ []byte, v reflect.Value) error {
	text, err := d.ReadNumber()
	if err != nil {
		return err
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsInf(f, 0) {
		return Serialization("NUMBER_VALUE cannot be converted to Double")
	}
	v.SetFloat(f)
	return nil
}

func readBytes(d *Decoder, _ []byte, v reflect.Value) error {
	b, err := d.ReadBytes()
	v.SetBytes(b)
	return err
}

// listReader reads a list; an empty one is not nil. A null in a list is the
// zero value of a struct, and nothing else.
func listReader(t reflect.Type) reader {
	element := readerOf(t.Elem())
	nullable := t.Elem().Kind() == reflect.Struct || t.Elem().Kind() == reflect.Pointer
	return func(d *Decoder, name []byte, v reflect.Value) error {
		list := reflect.MakeSlice(t, 0, 0)
		err := d.Reader.List(func(int) error {
			e := reflect.New(t.Elem()).Elem()
			null := false
			var err error
			if nullable {
				null, err = d.Null()
			}
			if !null && err == nil {
				err = element(d, name, e)
			}
			list = reflect.Append(list, e)
			return err
		})
		v.Set(list)
		return err
	}
}

// mapReader reads a map; an empty one is not nil.
func mapReader(t reflect.Type) reader {
	element := readerOf(t.Elem())
	return func(d *Decoder, name []byte, v reflect.Value) error {
		m := reflect.MakeMap(t)
		v.Set(m)
		return d.Reader.Object(func(key []byte) error {
			k := reflect.ValueOf(string(key)).Convert(t.Key())
			e := reflect.New(t.Elem()).Elem()
			if err := element(d, name, e); err != nil {
				return err
			}
			m.SetMapIndex(k, e)
			return nil
		})
	}
}
