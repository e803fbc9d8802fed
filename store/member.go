package store

import (
	"reflect"
	"slices"
	"strings"
)

// member is a field of a struct as the SDK's attributevalue package sees it.
type member struct {
	name    string // in the item or map
	named   bool   // by the tag
	path    string // the Go names that lead to the field
	index   []int
	pointer bool // the way to the field leads through an embedded pointer
	field   reflect.StructField
	options []string // of the dynamodbav tag
}

// seal returns the member's seal tag.
func (m *member) seal() (string, bool) { return m.field.Tag.Lookup(sealTag) }

// structure sorts the fields of a struct by what attributevalue does with them.
type structure struct {
	members  []member    // stored, in the order of their declaration
	hidden   []member    // not stored: another field of the name is embedded less deeply
	clashes  [][2]member // not stored: nothing decides between the two
	embedded []member    // structs whose fields are stored in place of them
	others   []member    // not stored: unexported, or with the name "-"
}

// structureOf walks a struct as attributevalue does: embedded structs without a
// name of their own are flattened, level by level, and Go's rule for embedded
// fields decides between fields of one name, with the addition that at equal
// depth a name from a tag wins. A type that is embedded in itself adds nothing:
// its own fields are less deep.
func structureOf(t reflect.Type) *structure {
	s := &structure{}
	var found []member
	level := []member{{field: reflect.StructField{Type: t}}}
	visited := map[reflect.Type]bool{}
	for len(level) > 0 {
		var next []member
		count := map[reflect.Type]int{}
		for _, outer := range level {
			st := indirect(outer.field.Type)
			// A second struct of the type on this level makes its names
			// ambiguous; more of them change nothing.
			if count[st]++; visited[st] || count[st] > 2 {
				continue
			}
			for i := range st.NumField() {
				m := outer.inner(st.Field(i), i)
				switch kind := indirect(m.field.Type).Kind(); {
				case m.name == "-" || !m.field.IsExported() && !m.field.Anonymous:
					s.others = append(s.others, m)
				case m.field.Anonymous && !m.named && kind == reflect.Struct:
					s.embedded = append(s.embedded, m)
					next = append(next, m)
				default:
					found = append(found, m)
				}
			}
		}
		for _, outer := range level {
			visited[indirect(outer.field.Type)] = true
		}
		level = next
	}
	s.choose(found)
	return s
}

// inner describes a field of the struct that m is.
func (m *member) inner(sf reflect.StructField, i int) member {
	tag, options, some := strings.Cut(sf.Tag.Get(nameTag), ",")
	in := member{
		name: tag, named: tag != "", field: sf, path: sf.Name,
		index:   append(slices.Clone(m.index), i),
		pointer: m.pointer || len(m.index) > 0 && m.field.Type.Kind() == reflect.Pointer,
	}
	if tag == "" {
		in.name = sf.Name
	}
	if m.path != "" {
		in.path = m.path + "." + sf.Name
	}
	if some {
		in.options = strings.Split(options, ",")
	}
	return in
}

// choose sorts fields into members, hidden and clashes.
func (s *structure) choose(found []member) {
	byName := map[string][]member{}
	for _, m := range found {
		byName[m.name] = append(byName[m.name], m)
	}
	for _, first := range found {
		all := byName[first.name]
		if all == nil {
			continue // the name is decided
		}
		delete(byName, first.name)
		slices.SortStableFunc(all, func(a, b member) int {
			switch {
			case len(a.index) != len(b.index):
				return len(a.index) - len(b.index)
			case a.named != b.named:
				return map[bool]int{true: -1, false: 1}[a.named]
			}
			return 0
		})
		if len(all) > 1 && len(all[0].index) == len(all[1].index) && all[0].named == all[1].named {
			s.clashes = append(s.clashes, [2]member(all[:2]))
			continue
		}
		s.members = append(s.members, all[0])
		s.hidden = append(s.hidden, all[1:]...)
	}
	slices.SortFunc(s.members, func(a, b member) int { return slices.Compare(a.index, b.index) })
}

// keepsNothing reports whether t is a struct with content that attributevalue
// would store as an empty map.
func (s *structure) keepsNothing() bool {
	if len(s.members) > 0 || len(s.clashes) > 0 {
		return false
	}
	return slices.ContainsFunc(s.others, func(m member) bool { return m.name != "-" && m.field.Name != "_" })
}
