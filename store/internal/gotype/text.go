// SPDX-License-Identifier: Apache-2.0

package gotype

import "reflect"

// text checks the text and binary methods of a type, if they count, and reports
// whether they store its values.
func (s *Shape) text(path string, t reflect.Type, address bool) (converts bool, err error) {
	if !s.settings.Text || t == timeType || t.Kind() == reflect.Interface {
		return false, nil
	}
	form, p := s.settings.Form(t), reflect.PointerTo(t)
	write, read := "MarshalText", "UnmarshalText"
	writes, reads := textMarshaler, textUnmarshaler
	if form == FormBinary || form == FormNone && !p.Implements(reads) {
		write, read = "MarshalBinary", "UnmarshalBinary"
		writes, reads = binaryMarshaler, binaryUnmarshaler
	}
	switch {
	case form == FormNone && (s.written || !p.Implements(reads)):
		return false, nil
	case form == FormNone:
		return false, s.refuse(path, "%v has %s but not %s: it would not read what is written for it", t, read, write)
	case !p.Implements(reads) && !s.written:
		return false, s.refuse(path, "%v has %s but not %s: what it writes would not be read back", t, write, read)
	case s.loses(t, write) || !s.written && s.loses(t, read):
		return false, s.refuse(path, promotion, t, write)
	case !address && !t.Implements(writes):
		return false, s.refuse(path, "%s of %v has a pointer receiver, which is not found in a map or an interface: "+
			"store pointers there", write, t)
	}
	s.Address = s.Address || !t.Implements(writes)
	return true, s.tags(path, t)
}

// loses reports whether a method comes from an embedded type and knows none of
// the other fields. A struct with one field has no others, but of a type without a
// name attributevalue does not look for methods.
func (s *Shape) loses(t reflect.Type, method string) bool {
	return promoted(t, method) && (t.NumField() > 1 || t.Name() == "")
}
