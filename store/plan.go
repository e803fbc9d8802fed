package store

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"

	"github.com/ddbseal/ddbseal/envelope"
)

// field is one attribute of an entity type.
type field struct {
	name   string // the attribute's
	goName string
	index  []int
	typ    reflect.Type
	action envelope.Action
	role   role
	// unixTime: a time stored as a number of seconds.
	unixTime bool
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
	// unmarshalsItself: the type has a method of its own that wants every
	// attribute.
	unmarshalsItself bool
}

const (
	sealTag = "seal"
	nameTag = "dynamodbav"
)

func planOf[T any](table string) (*plan, error) { return newPlan(reflect.TypeFor[T](), table) }

func newPlan(t reflect.Type, table string) (*plan, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%w: %v is no struct", ErrConfiguration, t)
	}
	p := &plan{table: table, typeName: t.String(), unmarshalsItself: reflect.PointerTo(t).Implements(reflect.TypeFor[attributevalue.Unmarshaler]())}
	if err := p.collect(nil, t, nil); err != nil {
		return nil, err
	}
	for i := range p.fields {
		f := &p.fields[i]
		for _, other := range p.fields[:i] {
			if other.name == f.name {
				return nil, fmt.Errorf("%w: fields %s and %s of %s are both attribute %q", ErrConfiguration, other.goName, f.goName, p.typeName, f.name)
			}
		}
		if slot := p.slot(f.role); slot != nil {
			if *slot != nil {
				return nil, fmt.Errorf("%w: fields %s and %s of %s have the same seal tag", ErrConfiguration, (*slot).goName, f.goName, p.typeName)
			}
			*slot = f
		}
	}
	p.link()
	if p.partition == nil {
		return nil, fmt.Errorf(`%w: no field of %s is tagged seal:"partition"`, ErrConfiguration, p.typeName)
	}
	return p, nil
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

// collect walks the fields as attributevalue does: embedded structs without a
// name of their own are flattened, unexported fields and "-" are left out. A
// type embedded in itself adds nothing: its own fields come first.
func (p *plan) collect(outer []reflect.Type, t reflect.Type, index []int) error {
	if slices.Contains(outer, t) {
		return nil
	}
	outer = append(slices.Clone(outer), t)
	for i := range t.NumField() {
		sf := t.Field(i)
		at := append(slices.Clone(index), i)
		name, options, _ := strings.Cut(sf.Tag.Get(nameTag), ",")
		seal, tagged := sf.Tag.Lookup(sealTag)
		embedded := sf.Anonymous && name == "" && indirect(sf.Type).Kind() == reflect.Struct
		switch {
		case name == "-" || !sf.IsExported() && !embedded:
			if tagged {
				return fmt.Errorf("%w: field %s of %s has a seal tag but is no attribute", ErrConfiguration, sf.Name, p.typeName)
			}
			continue
		case embedded:
			if tagged {
				return fmt.Errorf("%w: embedded field %s of %s has a seal tag, which would have no effect: tag its fields", ErrConfiguration, sf.Name, p.typeName)
			}
			if err := p.collect(outer, indirect(sf.Type), at); err != nil {
				return err
			}
			continue
		case name == "":
			name = sf.Name
		}
		f := field{name: name, goName: sf.Name, index: at, typ: sf.Type}
		if err := f.parse(seal, tagged, strings.Split(options, ",")); err != nil {
			return fmt.Errorf("%w: field %s of %s: %s", ErrConfiguration, sf.Name, p.typeName, err)
		}
		p.fields = append(p.fields, f)
	}
	return nil
}

// parse reads a seal tag: one word.
func (f *field) parse(seal string, tagged bool, options []string) error {
	f.action = envelope.EncryptAndSign
	f.unixTime = isTime(indirect(f.typ)) && slices.Contains(options, "unixtime")
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
		if !isInteger(indirect(f.typ)) {
			return fmt.Errorf("a version counts in an integer, not in %v", f.typ)
		}
	case "ttl":
		f.role, f.action = ttl, envelope.DoNothing
		if !isInteger(indirect(f.typ)) && !f.unixTime {
			return fmt.Errorf("a ttl is an integer of Unix seconds, or a time.Time with dynamodbav option unixtime, not %v", f.typ)
		}
	default:
		return fmt.Errorf("unknown seal tag %q: one of partition, sort, sign, encrypt, context, none, version, ttl", seal)
	}
	if f.role != plain && slices.Contains(options, "string") {
		return fmt.Errorf("dynamodbav option string would store the number as text")
	}
	if f.role == partition || f.role == sortKey {
		if slices.Contains(options, "omitempty") {
			return fmt.Errorf("a key attribute cannot be omitempty")
		}
		if f.keyType() == "" && !marshalsItself(f.typ) {
			return fmt.Errorf("a key attribute is a string, a number or bytes, not %v", f.typ)
		}
	}
	return nil
}

func indirect(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func isInteger(t reflect.Type) bool {
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64
}

var timeType = reflect.TypeFor[time.Time]()

// isTime tells what attributevalue stores as a time.
func isTime(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.ConvertibleTo(timeType)
}

// keyType is the DynamoDB type of a key field, "" when only marshalling tells.
func (f *field) keyType() string {
	t := indirect(f.typ)
	switch {
	case f.unixTime:
		return "N"
	case marshalsItself(t):
		return ""
	case t == reflect.TypeFor[attributevalue.Number]():
		return "N"
	case t.Kind() == reflect.String:
		return "S"
	case isInteger(t) || t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		return "N"
	case (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && t.Elem().Kind() == reflect.Uint8:
		return "B"
	}
	return ""
}

func marshalsItself(t reflect.Type) bool {
	for _, t := range []reflect.Type{t, reflect.PointerTo(t)} {
		if t.Implements(reflect.TypeFor[attributevalue.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
			return true
		}
	}
	return isTime(indirect(t))
}

func (p *plan) sortName() string {
	if p.sort == nil {
		return ""
	}
	return p.sort.name
}

// actions returns a fresh map of attribute name to action, with those of other
// entity types. Whether the keys are in the encryption context follows from the
// other attributes: the format demands it when any of them is.
func (p *plan) actions(others map[string]envelope.Action) (map[string]envelope.Action, error) {
	out := make(map[string]envelope.Action, len(p.fields)+len(others))
	for _, f := range p.fields {
		out[f.name] = f.action
	}
	keys := []string{p.partition.name}
	if p.sort != nil {
		keys = append(keys, p.sort.name)
	}
	for name, action := range others {
		own, has := out[name]
		switch {
		case !has:
			out[name] = action
		case action == envelope.SignAndIncludeInEncryptionContext && slices.Contains(keys, name):
		case own != action:
			return nil, fmt.Errorf("%w: attribute %q is %v in %s and %v in OtherActions: an attribute has one action per table", ErrConfiguration, name, own, p.typeName, action)
		}
	}
	for _, action := range out {
		if action == envelope.SignAndIncludeInEncryptionContext {
			for _, name := range keys {
				out[name] = action
			}
			break
		}
	}
	return out, nil
}

func covered(name string, list []string, prefix string) bool {
	return slices.Contains(list, name) || prefix != "" && strings.HasPrefix(name, prefix)
}
