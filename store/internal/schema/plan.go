// SPDX-License-Identifier: Apache-2.0

// Package schema knows how the items of a table stand for the values of a Go type:
// which field is which attribute, which of them are keys, the version, the time to
// live or the keys of indexes, and how they are converted. It makes no call.
package schema

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/store/internal/action"
	"github.com/ddbseal/ddbseal/store/internal/codec"
	"github.com/ddbseal/ddbseal/store/internal/gotype"
	"github.com/ddbseal/ddbseal/store/internal/operand"
	"github.com/ddbseal/ddbseal/store/internal/provision"
)

// Plan is what is known of an entity type, found once, in New.
type Plan struct {
	Table     string // its name, never an ARN
	TypeName  string
	Fields    []Field
	Partition *Field
	Sort      *Field
	Version   *Field
	TTL       *Field
	Entity    Entity
	index     map[string]int // of a field, by attribute name
	Indexes   []provision.Index
	Beacons   []beacon.Standard // that tags declare
	// convertsItself: the type has methods of its own, which want every
	// attribute.
	convertsItself bool
	// Composed is set if an attribute has a template.
	Composed bool
	// Open: only values show all types that they hold, and whether they end.
	Open bool
	// Address: the encoder needs the address of a value, see gotype.Shape.
	Address    bool
	Inspection *gotype.Inspection
	Codec      *codec.Codec
}

// New returns the plan of t, a struct type with seal tags, for the table of that
// name. An error is an envelope.ErrConfiguration.
func New(t reflect.Type, table string, s codec.Settings) (*Plan, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%w: %v is not a struct", envelope.ErrConfiguration, t)
	}
	p := &Plan{Table: table, TypeName: t.String(), Codec: codec.New(s), convertsItself: gotype.MarshalsItself(t)}
	p.Inspection = gotype.NewInspection(p.TypeName, s.Settings)
	if err := p.collect(t); err != nil {
		return nil, err
	}
	for i := range p.Fields {
		f := &p.Fields[i]
		if slot := p.slot(f.role); slot != nil {
			if *slot != nil {
				return nil, fmt.Errorf("%w: fields %s and %s of %s have the same seal tag", envelope.ErrConfiguration,
					(*slot).GoName, f.GoName, p.TypeName)
			}
			*slot = f
		}
	}
	if err := p.collectTemplates(t); err != nil {
		return nil, err
	}
	p.link()
	if p.Partition == nil {
		return nil, fmt.Errorf(`%w: no field of %s is tagged seal:"partition"`, envelope.ErrConfiguration, p.TypeName)
	}
	return p, p.collectIndexes()
}

// link points the roles and names at the fields, after these have moved.
func (p *Plan) link() {
	p.index = make(map[string]int, len(p.Fields))
	for i := range p.Fields {
		f := &p.Fields[i]
		p.index[f.Name] = i
		if slot := p.slot(f.role); slot != nil {
			*slot = f
		}
	}
}

// Field returns the field of an attribute, nil if T has none.
func (p *Plan) Field(name string) *Field {
	if i, ok := p.index[name]; ok {
		return &p.Fields[i]
	}
	return nil
}

func (p *Plan) slot(r role) **Field {
	switch r {
	case partition:
		return &p.Partition
	case sortKey:
		return &p.Sort
	case version:
		return &p.Version
	case ttl:
		return &p.TTL
	}
	return nil
}

// collect finds the attributes of T. It refuses tags without effect and fields
// that would not be stored and read back.
func (p *Plan) collect(t reflect.Type) error {
	s, err := gotype.Of(t, p.Codec.Settings.Settings)
	if err != nil {
		return err
	}
	for i := range s.Members {
		m := &s.Members[i]
		f := Field{Name: m.Name, GoName: m.Path, Index: m.Index, Type: m.Field.Type, tag: m.Field.Tag, Codec: p.Codec,
			kinds: p.Codec.Kinds(m.Field.Type, m.Options), sparse: slices.Contains(m.Options, "omitempty")}
		seal, tagged := m.Seal()
		err := f.parse(seal, tagged, m.Options)
		if text, has := m.Beacon(); has && err == nil {
			err = p.addBeacon(&f, text, m.Options)
		}
		if err != nil {
			return fmt.Errorf("%w: field %s of %s: %w", envelope.ErrConfiguration, m.Path, p.TypeName, err)
		}
		if err := s.Check(m); err != nil {
			return err
		}
		p.Fields = append(p.Fields, f)
	}
	p.Open, p.Address = s.Open, s.Address
	return p.addComputed(s.Computed)
}

// OperandField returns what is known of an attribute in an expression.
func (p *Plan) OperandField(name string) (operand.Field, bool) {
	f := p.Field(name)
	if f == nil || f.Type == nil || p.convertsItself {
		return operand.Field{}, false
	}
	return operand.Field{Kinds: f.kinds, GoName: f.GoName, Type: f.Type,
		FixedTime: f.Codec.FixedTimes && !f.unixTime && f.Codec.IsTextTime(f.Type)}, true
}

// SortName returns the name of the sort key, "" if the type has none.
func (p *Plan) SortName() string {
	if p.Sort == nil {
		return ""
	}
	return p.Sort.Name
}

// Keys returns the names of the table's key attributes.
func (p *Plan) Keys() []string {
	if p.Sort == nil {
		return []string{p.Partition.Name}
	}
	return []string{p.Partition.Name, p.Sort.Name}
}

// Actions returns the actions of the attributes, other entity types included.
func (p *Plan) Actions(others map[string]envelope.Action) (map[string]envelope.Action, error) {
	own := make(map[string]envelope.Action, len(p.Fields)+len(others))
	for _, f := range p.Fields {
		own[f.Name] = f.action
	}
	return own, action.Merge(own, others, p.Keys(), p.TypeName)
}
