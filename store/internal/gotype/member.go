// SPDX-License-Identifier: Apache-2.0

package gotype

import (
	"reflect"
	"slices"
)

// Member is a field of a struct as the SDK's attributevalue package sees it.
type Member struct {
	Name    string // in the item or map
	Path    string // the Go names that lead to the field
	Index   []int
	Field   reflect.StructField
	Options []string // of the dynamodbav tag

	named bool // by the tag
	// conflict is the name in the tag dynamodbav that another tag drops.
	conflict string
	pointer  bool // the way to the field leads through an embedded pointer
}

// Seal returns the seal tag of the field, and whether it has one.
func (m *Member) Seal() (string, bool) { return m.Field.Tag.Lookup(sealTag) }

// Beacon returns the beacon tag of the field, and whether it has one.
func (m *Member) Beacon() (string, bool) { return m.Field.Tag.Lookup(beaconTag) }

// Template returns the template tag of the field, and whether it has one.
func (m *Member) Template() (string, bool) { return m.Field.Tag.Lookup(templateTag) }

// computed reports a blank field that declares an attribute which is composed of
// other fields: attributevalue does not store it.
func (m *Member) computed() bool {
	_, has := m.Template()
	return has && m.Field.Name == "_" && m.named && m.Name != "-"
}

// lost returns the key of a tag of the field that has no effect unless the field
// is an attribute, "" if it has none.
func lost(f reflect.StructField) string {
	for _, key := range []string{sealTag, beaconTag, templateTag} {
		if _, has := f.Tag.Lookup(key); has {
			return key
		}
	}
	return ""
}

// structure sorts the fields of a struct by what attributevalue does with them.
type structure struct {
	members  []Member    // stored, in the order of their declaration
	hidden   []Member    // not stored: another field of the name is embedded less deeply
	clashes  [][2]Member // not stored: nothing decides between the two
	embedded []Member    // structs whose fields are stored in place of them
	others   []Member    // not stored: unexported, or with the name "-"
}

// structureOf walks a struct as attributevalue does: embedded structs without a
// name of their own are flattened, level by level, and Go's rule for embedded
// fields decides between fields of one name, with the addition that at equal
// depth a name from a tag wins. A type that is embedded in itself adds nothing:
// its own fields are less deep.
func (set Settings) structureOf(t reflect.Type) *structure {
	s := &structure{}
	var found []Member
	level := []Member{{Field: reflect.StructField{Type: t}}}
	visited := map[reflect.Type]bool{}
	for len(level) > 0 {
		var next []Member
		count := map[reflect.Type]int{}
		for _, outer := range level {
			st := Indirect(outer.Field.Type)
			// A second struct of the type on this level makes its names
			// ambiguous; more of them change nothing.
			if count[st]++; visited[st] || count[st] > 2 {
				continue
			}
			for i := range st.NumField() {
				m := set.inner(&outer, st.Field(i), i)
				switch kind := Indirect(m.Field.Type).Kind(); {
				case m.Name == "-" || !m.Field.IsExported() && !m.Field.Anonymous:
					s.others = append(s.others, m)
				case m.Field.Anonymous && !m.named && kind == reflect.Struct:
					s.embedded = append(s.embedded, m)
					next = append(next, m)
				default:
					found = append(found, m)
				}
			}
		}
		for _, outer := range level {
			visited[Indirect(outer.Field.Type)] = true
		}
		level = next
	}
	s.choose(found)
	return s
}

// inner describes a field of the struct that m is.
func (set Settings) inner(m *Member, sf reflect.StructField, i int) Member {
	tag, options, conflict := set.name(sf)
	in := Member{
		Name: tag, named: tag != "", Field: sf, Path: sf.Name,
		Index:   append(slices.Clone(m.Index), i),
		Options: options, conflict: conflict,
		pointer: m.pointer || len(m.Index) > 0 && m.Field.Type.Kind() == reflect.Pointer,
	}
	if tag == "" {
		in.Name = sf.Name
	}
	if m.Path != "" {
		in.Path = m.Path + "." + sf.Name
	}
	return in
}

// choose sorts fields into members, hidden and clashes.
func (s *structure) choose(found []Member) {
	byName := map[string][]Member{}
	for _, m := range found {
		byName[m.Name] = append(byName[m.Name], m)
	}
	for _, first := range found {
		all := byName[first.Name]
		if all == nil {
			continue // the name is decided
		}
		delete(byName, first.Name)
		slices.SortStableFunc(all, func(a, b Member) int {
			switch {
			case len(a.Index) != len(b.Index):
				return len(a.Index) - len(b.Index)
			case a.named != b.named:
				return map[bool]int{true: -1, false: 1}[a.named]
			}
			return 0
		})
		if len(all) > 1 && len(all[0].Index) == len(all[1].Index) && all[0].named == all[1].named {
			s.clashes = append(s.clashes, [2]Member(all[:2]))
			continue
		}
		s.members = append(s.members, all[0])
		s.hidden = append(s.hidden, all[1:]...)
	}
	slices.SortFunc(s.members, func(a, b Member) int { return slices.Compare(a.Index, b.Index) })
}

// keepsNothing reports whether t is a struct with content that attributevalue
// would store as an empty map.
func (s *structure) keepsNothing() bool {
	if len(s.members) > 0 || len(s.clashes) > 0 {
		return false
	}
	return slices.ContainsFunc(s.others, func(m Member) bool { return m.Name != "-" && m.Field.Name != "_" })
}
