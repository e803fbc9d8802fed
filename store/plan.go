package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/store/internal/action"
	"github.com/ddbseal/ddbseal/store/internal/codec"
	"github.com/ddbseal/ddbseal/store/internal/composed"
	"github.com/ddbseal/ddbseal/store/internal/gotype"
	"github.com/ddbseal/ddbseal/store/internal/operand"
	"github.com/ddbseal/ddbseal/store/internal/provision"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// field is one attribute of an entity type.
type field struct {
	name   string // the attribute's
	goName string
	index  []int // nil if T has no value for it
	typ    reflect.Type
	tag    reflect.StructTag
	action envelope.Action
	role   role
	// unixTime: a time stored as a number of seconds.
	unixTime bool
	// stored is the attribute that stores a beacon, whose name the field has.
	stored string
	// kinds are the DynamoDB types that the attribute can have; nil: any.
	kinds []string
	codec *codec.Codec // nil for the entity's attribute
	// composed composes the key of other fields, nil without a template.
	composed *composed.Key
}

// role is what a field is besides an attribute.
type role uint8

const (
	plain role = iota
	partition
	sortKey
	version
	ttl
)

// plan is what is known of an entity type, found once, in New.
type plan struct {
	table     string // its name, never an ARN
	typeName  string
	fields    []field
	partition *field
	sort      *field
	version   *field
	ttl       *field
	entity    Entity
	index     map[string]int // of a field, by attribute name
	indexes   []provision.Index
	beacons   []beacon.Standard // that tags declare
	// convertsItself: the type has methods of its own, which want every
	// attribute.
	convertsItself bool
	// open: only values show all types that they hold, and whether they end.
	open bool
	// composed: a key has a template.
	composed bool
	// address: the encoder needs the address of a value, see gotype.Shape.
	address    bool
	inspection *gotype.Inspection
	codec      *codec.Codec
}

func planOf[T any](table string, o *options) (*plan, error) {
	return newPlan(reflect.TypeFor[T](), table, o.codec)
}

func newPlan(t reflect.Type, table string, s codec.Settings) (*plan, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%w: %v is not a struct", ErrConfiguration, t)
	}
	p := &plan{table: table, typeName: t.String(), codec: codec.New(s), convertsItself: gotype.MarshalsItself(t)}
	p.inspection = gotype.NewInspection(p.typeName, s.Settings)
	if err := p.collect(t); err != nil {
		return nil, err
	}
	for i := range p.fields {
		f := &p.fields[i]
		if slot := p.slot(f.role); slot != nil {
			if *slot != nil {
				return nil, fmt.Errorf("%w: fields %s and %s of %s have the same seal tag", ErrConfiguration,
					(*slot).goName, f.goName, p.typeName)
			}
			*slot = f
		}
	}
	if err := p.collectTemplates(t); err != nil {
		return nil, err
	}
	p.link()
	if p.partition == nil {
		return nil, fmt.Errorf(`%w: no field of %s is tagged seal:"partition"`, ErrConfiguration, p.typeName)
	}
	return p, p.collectIndexes()
}

// link points the roles and names at the fields, after these have moved.
func (p *plan) link() {
	p.index = make(map[string]int, len(p.fields))
	for i := range p.fields {
		f := &p.fields[i]
		p.index[f.name] = i
		if slot := p.slot(f.role); slot != nil {
			*slot = f
		}
	}
}

// field returns the field of an attribute, nil if T has none.
func (p *plan) field(name string) *field {
	if i, ok := p.index[name]; ok {
		return &p.fields[i]
	}
	return nil
}

func (p *plan) slot(r role) **field {
	switch r {
	case partition:
		return &p.partition
	case sortKey:
		return &p.sort
	case version:
		return &p.version
	case ttl:
		return &p.ttl
	}
	return nil
}

// collect finds the attributes of T. It refuses tags without effect and fields
// that would not be stored and read back.
func (p *plan) collect(t reflect.Type) error {
	s, err := gotype.Of(t, p.codec.Settings.Settings)
	if err != nil {
		return err
	}
	for i := range s.Members {
		m := &s.Members[i]
		f := field{name: m.Name, goName: m.Path, index: m.Index, typ: m.Field.Type, tag: m.Field.Tag, codec: p.codec,
			kinds: p.codec.Kinds(m.Field.Type, m.Options)}
		seal, tagged := m.Seal()
		err := f.parse(seal, tagged, m.Options)
		if text, has := m.Beacon(); has && err == nil {
			err = p.addBeacon(&f, text, m.Options)
		}
		if err != nil {
			return fmt.Errorf("%w: field %s of %s: %w", ErrConfiguration, m.Path, p.typeName, err)
		}
		if err := s.Check(m); err != nil {
			return err
		}
		p.fields = append(p.fields, f)
	}
	p.open, p.address = s.Open, s.Address
	return p.addComputed(s.Computed)
}

// addBeacon reads a beacon tag.
func (p *plan) addBeacon(f *field, tag string, options []string) error {
	if f.action != envelope.EncryptAndSign {
		return errors.New("tag beacon: the attribute is not encrypted, so that searches need no beacon: remove the tag")
	}
	b, err := searching.Standard(f.name, tag)
	if err != nil {
		return fmt.Errorf("tag beacon: %w", err)
	}
	set := b.Style == beacon.AsSet || b.Style == beacon.SharedSet
	if set && !gotype.CanBeSet(f.typ, options) {
		return fmt.Errorf("tag beacon: option set is for sets, which %v is with a dynamodbav option such as stringset",
			f.typ)
	}
	p.beacons = append(p.beacons, b)
	return nil
}

// parse reads a seal tag: one word.
func (f *field) parse(seal string, tagged bool, options []string) error {
	f.action = envelope.EncryptAndSign
	f.unixTime = gotype.IsUnixTime(f.typ, options)
	if strings.HasPrefix(f.name, "aws_dbe_") || strings.HasPrefix(f.name, "aws-crypto-") {
		return fmt.Errorf("attribute name %q is reserved by the item format", f.name)
	}
	if !tagged {
		return nil
	}
	switch seal {
	case "partition":
		f.role, f.action = partition, envelope.SignOnly
	case "sort":
		f.role, f.action = sortKey, envelope.SignOnly
	case "sign":
		f.action = envelope.SignOnly
	case "encrypt":
	case "context":
		f.action = envelope.SignAndIncludeInEncryptionContext
	case "none":
		f.action = envelope.DoNothing
	case "version":
		f.role, f.action = version, envelope.SignOnly
		if !f.isInteger() {
			return fmt.Errorf("a version counts in an integer, not in %v", f.typ)
		}
	case "ttl":
		f.role, f.action = ttl, envelope.DoNothing
		if !f.isInteger() && !f.unixTime {
			return fmt.Errorf("a ttl is an integer of Unix seconds, an attributevalue.UnixTime, "+
				"or a time.Time with dynamodbav option unixtime, not %v", f.typ)
		}
		if slices.Contains(options, "omitempty") && gotype.NeverEmpty(f.typ) {
			return errors.New("a ttl of zero is left out without it: remove the dynamodbav option omitempty")
		}
	default:
		return fmt.Errorf("unknown seal tag %q: one of partition, sort, sign, encrypt, context, none, version, ttl",
			seal)
	}
	if f.role != plain && slices.Contains(options, "string") {
		return fmt.Errorf("dynamodbav option string would store the number as text")
	}
	if f.role == partition || f.role == sortKey {
		for _, o := range []string{"omitempty", "nullempty"} {
			if slices.Contains(options, o) {
				return fmt.Errorf("a key attribute cannot be %s", o)
			}
		}
		if f.isTextTime() {
			return errors.New(textTime)
		}
		if f.keyType() == "" && !gotype.MarshalsItself(f.typ) {
			return fmt.Errorf("a key attribute is a string, a number, bytes, or of a type with its own %s, not %v",
				gotype.MarshalMethod, f.typ)
		}
	}
	return nil
}

// operandField returns what is known of an attribute in an expression.
func (p *plan) operandField(name string) (operand.Field, bool) {
	f := p.field(name)
	if f == nil || f.typ == nil || p.convertsItself {
		return operand.Field{}, false
	}
	return operand.Field{Kinds: f.kinds, GoName: f.goName, Type: f.typ,
		FixedTime: p.codec.FixedTimes && !f.unixTime && p.codec.IsTextTime(f.typ)}, true
}

// isTextTime reports a time stored as text, which is not fit for a key.
func (f *field) isTextTime() bool {
	return f.codec != nil && !f.unixTime && f.codec.IsTextTime(f.typ) && !f.codec.FixedTimes
}

// isInteger reports an integer that is stored as a number, and not by methods of
// its type.
func (f *field) isInteger() bool {
	t := gotype.Indirect(f.typ)
	return gotype.IsInteger(t) && f.codec.Form(t) == gotype.FormNone
}

const textTime = "a time stored as text does not sort, and differs by its zone: add the dynamodbav option unixtime, " +
	"or use attributevalue.UnixTime, the option SortableTimes, or a type that writes a layout of fixed width in UTC"

// keyType is the DynamoDB type of a key field, "" when only marshalling tells.
func (f *field) keyType() string { return f.codec.KeyType(f.typ, f.unixTime) }

func (p *plan) sortName() string {
	if p.sort == nil {
		return ""
	}
	return p.sort.name
}

// keys returns the names of the table's key attributes.
func (p *plan) keys() []string {
	if p.sort == nil {
		return []string{p.partition.name}
	}
	return []string{p.partition.name, p.sort.name}
}

// actions returns the actions of the attributes, with those of other entity types.
func (p *plan) actions(others map[string]envelope.Action) (map[string]envelope.Action, error) {
	own := make(map[string]envelope.Action, len(p.fields)+len(others))
	for _, f := range p.fields {
		own[f.name] = f.action
	}
	return own, action.Merge(own, others, p.keys(), p.typeName)
}

func covered(name string, list []string, prefix string) bool {
	return slices.Contains(list, name) || prefix != "" && strings.HasPrefix(name, prefix)
}
