// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Query is the protocol whose requests are forms: IAM's and STS's.
//
// A request is a struct. Its fields are the parameters, under the name of a
// query tag or else their own: Name, List.member.1, Structs.member.1.Field. A
// parameter that the request has no field for is refused.
type Query struct {
	// Read is called with every request after it was decoded. It must be set.
	Read func(c *request.Call, in reflect.Value)
}

var _ Protocol = Query{}

// LongText is a parameter that may be longer than MaxText, such as a policy.
type LongText string

// Decoder implements [Protocol].
func (q Query) Decoder(reflect.Type) Decode {
	return func(c *request.Call, in any) error {
		f, err := parseForm(c.Body)
		if err != nil {
			return err
		}
		v := reflect.ValueOf(in).Elem()
		if err := f.decode("", v); err != nil {
			return err
		}
		q.Read(c, v)
		if name, ok := f.unread(); ok {
			return request.Errorf("ValidationError", "Parameter %.128q of %s is not supported by this server.", name,
				c.Operation)
		}
		var found Checks
		if checker, ok := in.(Checker); ok {
			checker.Check(&found)
		}
		if err := found.Err(QueryValidation); err != nil {
			return err
		}
		return prepare(c, in)
	}
}

// form is a decoded Query request.
type form struct {
	values url.Values
	// prefixes has what comes before each dot of the names, so that a long form
	// is not searched once for every member of a list.
	prefixes map[string]bool
	// read has the names that the operation knows.
	read map[string]bool
}

// maxParameters is more than the largest request has, a simulation with 200
// context entries. What follows costs time and memory by parameter.
const maxParameters = 10_000

// maxDepth is more than the dots of any parameter:
// ContextEntries.member.1.ContextKeyValues.member.1 has five.
const maxDepth = 8

// MaxText bounds a parameter that is not a LongText, in characters: an ARN's length,
// the most that IAM and STS take. Before a caller's permission is known, names
// are compared with the patterns of policies and filed in the audit.
const MaxText = 2048

// maxListMembers bounds a list parameter; the longest list that IAM takes, the
// context entries of a simulation, is shorter.
const maxListMembers = 200

func parseForm(body []byte) (form, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil || len(values) > maxParameters {
		return form{}, request.Errorf("MalformedQueryString", "The query string contains a syntax error.")
	}
	f := form{values, make(map[string]bool, len(values)), map[string]bool{"Action": true, "Version": true}}
	for name := range values {
		for i, dots := 0, 0; i < len(name) && dots < maxDepth; i++ {
			if name[i] == '.' {
				f.prefixes[name[:i]] = true
				dots++
			}
		}
	}
	return f, nil
}

// unread returns a parameter that the operation did not ask for. AWS ignores
// what it does not know, but what it knows and this server does not would
// change the answer unnoticed.
func (f form) unread() (name string, ok bool) {
	for n := range f.values {
		if !f.read[n] && (!ok || n < name) {
			name, ok = n, true
		}
	}
	return name, ok
}

func (f form) get(name string) (string, bool) {
	f.read[name] = true
	v, ok := f.values[name]
	if !ok || len(v) == 0 {
		return "", false
	}
	return v[0], true
}

// decode fills the exported fields of v from parameters of the same names:
// Name, List.member.1, Structs.member.1.Field. A query tag gives a name that
// does not begin with a capital letter.
func (f form) decode(prefix string, v reflect.Value) error {
	for i := range v.NumField() {
		if v.Type().Field(i).Anonymous {
			if err := f.decode(prefix, v.Field(i)); err != nil {
				return err
			}
			continue
		}
		name := v.Type().Field(i).Name
		if tag := v.Type().Field(i).Tag.Get("query"); tag != "" {
			name = tag
		}
		name = prefix + name
		if err := f.decodeField(name, v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

func (f form) decodeField(name string, field reflect.Value) error {
	if field.Kind() == reflect.Slice {
		f.read[name] = true // how an empty list is sent
		for n := 1; ; n++ {
			member := name + ".member." + strconv.Itoa(n)
			if !f.has(member) {
				return nil
			}
			if n > maxListMembers {
				return Violated("", LowerFirst(name), MaxLength(maxListMembers))
			}
			element := reflect.New(field.Type().Elem()).Elem()
			if err := f.decodeField(member, element); err != nil {
				return err
			}
			field.Set(reflect.Append(field, element))
		}
	}
	if field.Kind() == reflect.Struct {
		return f.decode(name+".", field)
	}
	text, ok := f.get(name)
	if !ok {
		return nil
	}
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	switch field.Kind() {
	case reflect.String:
		if field.Type() != reflect.TypeFor[LongText]() && utf8.RuneCountInString(text) > MaxText {
			return Violated("", LowerFirst(name), MaxLength(MaxText))
		}
		field.SetString(strings.Clone(text)) // it may live on, and is part of the whole body
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return request.Errorf("MalformedInput", "Parameter %s is not a number.", name)
		}
		field.SetInt(n)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return request.Errorf("MalformedInput", "Parameter %s is not a boolean.", name)
		}
		field.SetBool(b)
	default:
		panic("wire: request field " + name + " has a kind that the decoder does not know")
	}
	return nil
}

// has reports whether name itself or a member of it was sent.
func (f form) has(name string) bool {
	_, ok := f.values[name]
	return ok || f.prefixes[name]
}

// LowerFirst returns s with its first letter small: how answers and events spell
// a parameter.
func LowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
