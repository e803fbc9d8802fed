// SPDX-License-Identifier: Apache-2.0

package gotype

import (
	"fmt"
	"reflect"
	"runtime"

	"github.com/ddbseal/ddbseal/envelope"
)

// Shape walks the type of an attribute and refuses what attributevalue would
// store in part, store wrongly, or fail to read back.
type Shape struct {
	// Members are the fields that are attributes.
	Members []Member
	// Computed are the blank fields with a template, which are attributes that
	// attributevalue does not store.
	Computed []Member
	// Open: a check met an interface, or a type that contains itself, so that
	// only a value shows what is stored and whether it ends.
	Open bool
	// Address: a check met a type whose method of conversion has a pointer
	// receiver, so that attributevalue finds it only in a value with an address.
	Address bool

	settings Settings
	typeName string
	// converts: the type has methods of its own, which decide what is stored.
	converts bool
	// written: the type is the dynamic type of an interface value, which is
	// only written. It comes back as whatever attributevalue reads into an
	// empty interface.
	written bool
	seen    map[visit]bool // true while the walk is inside the type
	tagged  map[reflect.Type]bool
}

// Of returns the shape of the struct type of a table. It refuses what concerns
// the struct as a whole, such as a seal tag without effect; [Shape.Check] checks
// each member. Errors: envelope.ErrConfiguration.
func Of(t reflect.Type, settings Settings) (*Shape, error) {
	s := newShape(t.String(), settings)
	s.converts = MarshalsItself(t)
	st := settings.structureOf(t)
	s.Members = st.members
	for _, group := range []struct {
		fields []Member
		fault  string
	}{
		{st.others, "field %s of %s has a %s tag but is not an attribute"},
		{st.embedded, "embedded field %s of %s has a %s tag, which would have no effect: tag its fields"},
		{st.hidden,
			"field %s of %s has a %s tag but is not an attribute, since a field embedded less deeply has its name"},
	} {
		for _, m := range group.fields {
			if m.computed() {
				s.Computed = append(s.Computed, m)
				continue
			}
			if tag := lost(m.Field); tag != "" {
				return nil, fmt.Errorf("%w: "+group.fault, envelope.ErrConfiguration, m.Path, s.typeName, tag)
			}
		}
	}
	for _, c := range st.clashes {
		return nil,
			fmt.Errorf("%w: fields %s and %s of %s are both attribute %q, and attributevalue would store neither",
				envelope.ErrConfiguration, c[0].Path, c[1].Path, s.typeName, c[0].Name)
	}
	if _, err := s.methods("", t, true); err != nil {
		return nil, err
	}
	if !s.converts {
		for _, m := range st.embedded {
			if err := s.embedded(m.Path, m.Field); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func newShape(typeName string, settings Settings) *Shape {
	return &Shape{settings: settings, typeName: typeName, seen: map[visit]bool{}, tagged: map[reflect.Type]bool{}}
}

// Check refuses a member that would not be stored and read back. Errors:
// envelope.ErrConfiguration.
func (s *Shape) Check(m *Member) error {
	if s.converts {
		return s.tags(m.Path, m.Field.Type)
	}
	return s.member(m, true)
}

// visit is a type and whether its values have an address, on which pointer
// methods depend.
type visit struct {
	t       reflect.Type
	address bool
}

// refuse is an error about a field or a part of it.
func (s *Shape) refuse(path, format string, args ...any) error {
	reason := fmt.Sprintf(format, args...)
	if path == "" {
		return fmt.Errorf("%w: %s: %s", envelope.ErrConfiguration, s.typeName, reason)
	}
	return fmt.Errorf("%w: field %s of %s: %s", envelope.ErrConfiguration, path, s.typeName, reason)
}

// member checks a field that is stored, with the options of its tag.
func (s *Shape) member(m *Member, address bool) error {
	if !m.Field.IsExported() {
		return s.refuse(m.Path,
			"attributevalue cannot read an embedded unexported field: export its type, or name the field")
	}
	if m.conflict != "" {
		return s.refuse(m.Path, "its tag %s has no name, which drops the name %q of its tag dynamodbav: "+
			"write the name in both", s.settings.TagKey, m.conflict)
	}
	if err := s.settings.checkOptions(m.Field.Type, m.Options); err != nil {
		return s.refuse(m.Path, "%v", err)
	}
	if s.settings.Set(m.Field.Type, m.Options) == "binaryset" && Indirect(m.Field.Type) == byteSlicesType {
		return nil // the set is asked for
	}
	return s.value(m.Path, m.Field.Type, address || m.pointer)
}

// value checks a type.
func (s *Shape) value(path string, t reflect.Type, address bool) error {
	if t.Kind() == reflect.Pointer {
		switch t.Elem().Kind() {
		case reflect.Pointer:
			if !s.written {
				return s.refuse(path, "%v is a pointer to a pointer: a nil behind it would come back as nil", t)
			}
			s.Open = true
		case reflect.Interface:
			return s.refuse(path, "attributevalue drops %v: use the interface itself", t)
		}
		return s.value(path, t.Elem(), true)
	}
	at := visit{t, address}
	if inside, seen := s.seen[at]; seen {
		s.Open = s.Open || inside
		return nil
	}
	s.seen[at] = true
	defer func() { s.seen[at] = false }()
	if converts, err := s.methods(path, t, address); err != nil {
		return err
	} else if converts {
		return s.tags(path, t)
	}
	if converts, err := s.text(path, t, address); converts || err != nil {
		return err
	}
	if IsTime(t) {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return s.structure(path, t, address)
	case reflect.Slice, reflect.Array:
		return s.list(path, t, address)
	case reflect.Map:
		if err := s.mapKey(path+"[key]", t.Key()); err != nil {
			return err
		}
		return s.value(path+"[]", t.Elem(), false)
	case reflect.Interface:
		s.Open = true
		if t.NumMethod() > 0 && !s.written {
			return s.refuse(path,
				"attributevalue can write an interface with methods such as %v but not read it back: "+
					"use a concrete type, or any", t)
		}
	case reflect.Float32:
		s.Open = true // only the value tells whether it comes back
	case reflect.Complex64, reflect.Complex128, reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Uintptr:
		return s.refuse(path, "attributevalue drops values of type %v: "+leaveOut+", or use another type", t)
	}
	return nil
}

const (
	promotion = "%v has %s from an embedded type, which knows none of the other fields: " +
		"give %[1]v a method of its own, or make the embedded type a field with a name"
	leaveOut = `leave the field out by dynamodbav:"-"`
)

// methods checks the methods of a type and reports whether it converts itself.
func (s *Shape) methods(path string, t reflect.Type, address bool) (converts bool, err error) {
	if t.Kind() == reflect.Interface {
		return false, nil
	}
	p := reflect.PointerTo(t)
	marshals, unmarshals := p.Implements(marshalerType), p.Implements(unmarshalerType)
	if !marshals && !unmarshals {
		return false, nil
	}
	s.Address = s.Address || marshals && !t.Implements(marshalerType)
	if marshals && promoted(t, MarshalMethod) {
		return false, s.refuse(path, promotion, t, MarshalMethod)
	}
	if unmarshals && !s.written && promoted(t, unmarshalMethod) {
		return false, s.refuse(path, promotion, t, unmarshalMethod)
	}
	switch {
	case !marshals && s.written:
		return false, nil
	case !unmarshals && !s.written:
		return false, s.refuse(path, "%v has %s but not %s: what it writes would not be read back", t, MarshalMethod,
			unmarshalMethod)
	case !marshals:
		return false, s.refuse(path, "%v has %s but not %s: it would not read what is written for it", t,
			unmarshalMethod, MarshalMethod)
	case !address && !t.Implements(marshalerType):
		return false, s.refuse(path,
			"%s of %v has a pointer receiver, which attributevalue does not find in a map or an interface: "+
				"store pointers there", MarshalMethod, t)
	}
	return true, nil
}

// list checks a slice or an array.
func (s *Shape) list(path string, t reflect.Type, address bool) error {
	e := t.Elem()
	if e.Kind() == reflect.Uint8 {
		if e != byteType {
			return s.refuse(path, "attributevalue cannot write %v: "+
				"use a slice of byte, or elements of another kind than uint8", t)
		}
		return nil
	}
	if t == byteSlicesType && !s.written {
		return s.refuse(path, "attributevalue stores [][]byte as a set, which keeps neither order nor duplicates: "+
			"add the dynamodbav option binaryset, or declare a type such as `type blobs [][]byte`, which is stored "+
			"as a list")
	}
	return s.value(path+"[]", e, address || t.Kind() == reflect.Slice)
}

// mapKey checks the type of a map's keys, which become names.
func (s *Shape) mapKey(path string, t reflect.Type) error {
	p := reflect.PointerTo(t)
	writes := t.Implements(textMarshaler)
	switch k := t.Kind(); {
	case k == reflect.Pointer || k == reflect.Interface:
		return s.refuse(path, "a map key of type %v would not come back as itself: use a string, a number or a bool", t)
	case writes && p.Implements(textUnmarshaler):
		return s.tags(path, t)
	case s.written && writes:
		return nil
	case writes || p.Implements(textMarshaler) || p.Implements(textUnmarshaler):
		return s.refuse(path, "a map key of type %v needs MarshalText with a value receiver and UnmarshalText", t)
	case k != reflect.String && k != reflect.Bool && !IsNumber(t):
		return s.refuse(path, "attributevalue cannot use %v as a map key: "+
			"use a string, a number, a bool, or a type with MarshalText and UnmarshalText", t)
	case !isNumberText(t) && printsItself(t):
		return s.refuse(path,
			"attributevalue writes a map key of type %v as fmt prints it, and cannot read that back: "+
				"give the type MarshalText and UnmarshalText", t)
	}
	return nil
}

// printsItself reports types for which fmt calls a method.
func printsItself(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[fmt.Stringer]()) || t.Implements(reflect.TypeFor[error]()) ||
		t.Implements(reflect.TypeFor[fmt.Formatter]())
}

// structure checks a struct below the top level.
func (s *Shape) structure(path string, t reflect.Type, address bool) error {
	st := s.settings.structureOf(t)
	if st.keepsNothing() {
		return s.refuse(path, "%v has no exported field, so attributevalue would store an empty map: "+
			"give it %s and %s, use another type, or "+leaveOut, t, MarshalMethod, unmarshalMethod)
	}
	if err := s.fields(path, st); err != nil {
		return err
	}
	for i := range st.members {
		m := st.members[i]
		m.Path = path + "." + m.Path
		if err := s.member(&m, address); err != nil {
			return err
		}
	}
	return nil
}

// fields checks what attributevalue does with the fields of a struct below the
// top level.
func (s *Shape) fields(path string, st *structure) error {
	for _, group := range [][]Member{st.members, st.hidden, st.embedded, st.others} {
		for _, m := range group {
			if tag := lost(m.Field); tag != "" {
				return s.refuse(path+"."+m.Path, nestedTag, tag)
			}
		}
	}
	if len(st.clashes) > 0 {
		a, b := st.clashes[0][0], st.clashes[0][1]
		return s.refuse(path+"."+a.Path, clash, b.Path, a.Name)
	}
	for _, m := range st.embedded {
		if err := s.embedded(path+"."+m.Path, m.Field); err != nil {
			return err
		}
	}
	return nil
}

const (
	nestedTag = "a %s tag below the top level has no effect, since an attribute is encrypted or signed as a whole: " +
		"tag the attribute's field, or move this field up"
	clash = "attributevalue stores neither it nor field %s, since both have the name %q: rename one"
)

// embedded checks an embedded struct without a name of its own, whose fields
// are stored in place of it.
func (s *Shape) embedded(path string, f reflect.StructField) error {
	t := Indirect(f.Type)
	p := reflect.PointerTo(t)
	switch {
	case !f.IsExported() && f.Type.Kind() == reflect.Pointer && !s.written:
		return s.refuse(path, "attributevalue cannot read an embedded pointer to the unexported type %v: "+
			"embed the struct itself", t)
	case p.Implements(marshalerType) || p.Implements(unmarshalerType) && !s.written:
		return s.refuse(path, "attributevalue does not call the methods of an embedded %v: make it a field with a name",
			t)
	case IsTime(t) || s.settings.structureOf(t).keepsNothing():
		return s.refuse(path, "attributevalue drops an embedded %v: make it a field with a name, or "+leaveOut, t)
	}
	return nil
}

// tags refuses seal and beacon tags in a type whose own methods decide what is stored.
func (s *Shape) tags(path string, t reflect.Type) error {
	if s.tagged[t] {
		return nil
	}
	s.tagged[t] = true
	switch t.Kind() {
	case reflect.Pointer:
		return s.tags(path, t.Elem())
	case reflect.Slice, reflect.Array:
		return s.tags(path+"[]", t.Elem())
	case reflect.Map:
		if err := s.tags(path+"[key]", t.Key()); err != nil {
			return err
		}
		return s.tags(path+"[]", t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			at := path + "." + f.Name
			if tag := lost(f); tag != "" {
				return s.refuse(at, nestedTag, tag)
			}
			if f.Tag.Get(nameTag) == "-" || !f.IsExported() && !f.Anonymous {
				continue
			}
			if err := s.tags(at, f.Type); err != nil {
				return err
			}
		}
	}
	return nil
}

// promoted reports whether a type has a method only because a type embedded in
// it has it. Reflection does not tell; the compiler's wrapper does, which is in
// no file. The names are constants, or the linker would keep every method of a
// program.
func promoted(t reflect.Type, method string) bool {
	embeds := false
	for i := 0; t.Kind() == reflect.Struct && i < t.NumField(); i++ {
		embeds = embeds || t.Field(i).Anonymous
	}
	if !embeds {
		return false
	}
	var m reflect.Method
	for _, t := range []reflect.Type{reflect.PointerTo(t), t} {
		// If the value has the method, the pointer's is a wrapper too.
		if found, has := methodOf(t, method); has {
			m = found
		}
	}
	f := runtime.FuncForPC(m.Func.Pointer())
	file, _ := f.FileLine(f.Entry())
	return t.Name() == "" || file == "<autogenerated>"
}

func methodOf(t reflect.Type, method string) (m reflect.Method, has bool) {
	switch method {
	case MarshalMethod:
		return t.MethodByName(MarshalMethod)
	case unmarshalMethod:
		return t.MethodByName(unmarshalMethod)
	case "MarshalText":
		return t.MethodByName("MarshalText")
	case "UnmarshalText":
		return t.MethodByName("UnmarshalText")
	case "MarshalBinary":
		return t.MethodByName("MarshalBinary")
	}
	return t.MethodByName("UnmarshalBinary")
}
