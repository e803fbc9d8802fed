// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/store/internal/codec"
	"github.com/ddbseal/ddbseal/store/internal/composed"
	"github.com/ddbseal/ddbseal/store/internal/gotype"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// Field is one attribute of an entity type.
type Field struct {
	Name   string // the attribute's
	GoName string
	Index  []int // nil if T has no value for it
	Type   reflect.Type
	tag    reflect.StructTag
	action envelope.Action
	role   role
	// unixTime is set for a time stored as a number of seconds.
	unixTime bool
	// Stored is the attribute that stores a beacon, whose name the field has.
	Stored string
	// kinds are the DynamoDB types that the attribute can have; nil: any.
	kinds []string
	Codec *codec.Codec // nil for the entity's attribute
	// composed composes the key of other fields; nil without a template.
	composed *composed.Key
	// sparse leaves the composed attribute out if text of it is empty.
	sparse bool
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

// addBeacon reads a beacon tag.
func (p *Plan) addBeacon(f *Field, tag string, options []string) error {
	if f.action != envelope.EncryptAndSign {
		return errors.New("tag beacon: the attribute is not encrypted, so that searches need no beacon: remove the tag")
	}
	b, err := searching.Standard(f.Name, tag)
	if err != nil {
		return fmt.Errorf("tag beacon: %w", err)
	}
	set := b.Style == beacon.AsSet || b.Style == beacon.SharedSet
	if set && !gotype.CanBeSet(f.Type, options) {
		return fmt.Errorf("tag beacon: option set is for sets, which %v is with a dynamodbav option such as stringset",
			f.Type)
	}
	p.Beacons = append(p.Beacons, b)
	return nil
}

// parse reads a seal tag: one word.
func (f *Field) parse(seal string, tagged bool, options []string) error {
	f.action = envelope.EncryptAndSign
	f.unixTime = gotype.IsUnixTime(f.Type, options)
	if strings.HasPrefix(f.Name, "aws_dbe_") || strings.HasPrefix(f.Name, "aws-crypto-") {
		return fmt.Errorf("attribute name %q is reserved by the item format", f.Name)
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
			return fmt.Errorf("a version counts in an integer, not in %v", f.Type)
		}
	case "ttl":
		f.role, f.action = ttl, envelope.DoNothing
		if !f.isInteger() && !f.unixTime {
			return fmt.Errorf("a ttl is an integer of Unix seconds, an attributevalue.UnixTime, "+
				"or a time.Time with dynamodbav option unixtime, not %v", f.Type)
		}
		if slices.Contains(options, "omitempty") && gotype.NeverEmpty(f.Type) {
			return errors.New("a ttl of zero is left out without it: remove the dynamodbav option omitempty")
		}
	default:
		return fmt.Errorf("unknown seal tag %q: one of partition, sort, sign, encrypt, context, none, version, ttl",
			seal)
	}
	if f.role != plain && slices.Contains(options, "string") {
		return fmt.Errorf("dynamodbav option string would store the number as text")
	}
	if f.isKey() {
		for _, o := range []string{"omitempty", "nullempty"} {
			if slices.Contains(options, o) {
				return fmt.Errorf("a key attribute cannot be %s", o)
			}
		}
		if f.IsTextTime() {
			return errors.New(TextTime)
		}
		if f.keyType() == "" && !gotype.MarshalsItself(f.Type) {
			return fmt.Errorf("a key attribute is a string, a number, bytes, or of a type with its own %s, not %v",
				gotype.MarshalMethod, f.Type)
		}
	}
	return nil
}

// IsTextTime reports a time stored as text, which is not fit for a key.
func (f *Field) IsTextTime() bool {
	return f.Codec != nil && !f.unixTime && f.Codec.IsTextTime(f.Type) && !f.Codec.FixedTimes
}

// isInteger reports an integer that is stored as a number, and not by methods of
// its type.
func (f *Field) isInteger() bool {
	t := gotype.Indirect(f.Type)
	return gotype.IsInteger(t) && f.Codec.Form(t) == gotype.FormNone
}

// TextTime says why a time that is stored as text cannot be a key, and what can.
const TextTime = "a time stored as text does not sort, and differs by its zone: add the dynamodbav option unixtime, " +
	"or use attributevalue.UnixTime, the option SortableTimes, or a type that writes a layout of fixed width in UTC"

// keyType is the DynamoDB type of a key field, "" when only marshalling tells.
func (f *Field) keyType() string { return f.Codec.KeyType(f.Type, f.unixTime) }

// Attribute returns the name of the attribute that items store for the field.
func (f *Field) Attribute() string {
	if f.Stored != "" {
		return f.Stored
	}
	return f.Name
}
