// SPDX-License-Identifier: Apache-2.0

// Package gotype tells what the SDK's attributevalue package stores of a Go
// type and reads back into it, and refuses types that it would store in part,
// store wrongly, or fail to read back.
package gotype

import (
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
)

// Keys of the struct tags that decide how a field is stored.
const (
	sealTag   = "seal"
	beaconTag = "beacon"
	// templateTag composes the attribute of other fields.
	templateTag = "template"
	nameTag     = "dynamodbav"
)

// MarshalMethod is the method by which a type converts itself.
const MarshalMethod = "MarshalDynamoDBAttributeValue"

const unmarshalMethod = "UnmarshalDynamoDBAttributeValue"

var (
	byteType        = reflect.TypeFor[byte]()
	byteSlicesType  = reflect.TypeFor[[][]byte]()
	timeType        = reflect.TypeFor[time.Time]()
	unixTimeType    = reflect.TypeFor[attributevalue.UnixTime]()
	marshalerType   = reflect.TypeFor[attributevalue.Marshaler]()
	unmarshalerType = reflect.TypeFor[attributevalue.Unmarshaler]()
)

// Indirect returns the type that a pointer type points to, and any other type
// itself.
func Indirect(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func indirectAll(t reflect.Type) reflect.Type {
	for range 2 { // a type P *P has no end
		t = Indirect(t)
	}
	return t
}

// IsTime reports whether attributevalue stores a type as a time.
func IsTime(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.ConvertibleTo(timeType)
}

// IsUnixTime reports whether a field of type t with the options of its
// dynamodbav tag is a time that is stored as a number of seconds.
func IsUnixTime(t reflect.Type, options []string) bool {
	t = Indirect(t)
	return IsTime(t) && slices.Contains(options, "unixtime") || t == unixTimeType
}

// IsInteger reports whether t is one of Go's integer types.
func IsInteger(t reflect.Type) bool {
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64
}

// IsNumber reports whether attributevalue stores a type as a number: Go's
// numbers, and strings that can tell their value, such as
// attributevalue.Number.
func IsNumber(t reflect.Type) bool {
	return IsInteger(t) || t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64 || isNumberText(t)
}

func isNumberText(t reflect.Type) bool {
	return t.Kind() == reflect.String && t.Implements(reflect.TypeFor[interface {
		Float64() (float64, error)
		Int64() (int64, error)
		String() string
	}]())
}

// NeverEmpty reports whether attributevalue does not take the zero value of a
// type for empty, as it does not for time.Time.
func NeverEmpty(t reflect.Type) bool {
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Array && t.Len() > 0
}

// MarshalsItself reports whether a type, or the type that it points to, has the
// method [MarshalMethod], with a receiver of either kind.
func MarshalsItself(t reflect.Type) bool {
	return reflect.PointerTo(Indirect(t)).Implements(marshalerType)
}

// isWhole reports whether attributevalue leaves the values of a type, or the
// pointers to them, to the methods for DynamoDB of the type.
func isWhole(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t.Implements(marshalerType) || t.Implements(unmarshalerType) ||
		p.Implements(marshalerType) || p.Implements(unmarshalerType)
}

// isWhole reports whether the values of a type, or the pointers to them, are left
// to methods of the type.
func (s Settings) isWhole(t reflect.Type) bool {
	return isWhole(t) || s.Form(Indirect(t)) != FormNone
}
