// SPDX-License-Identifier: Apache-2.0

package itemconfig

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
)

// MemberError is an error in one member of a configuration file. It wraps the
// reason.
type MemberError struct {
	Path string // such as keyring.children[0].key
	Err  error
}

// Error names the member and the reason, never a value that may be secret.
func (e *MemberError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *MemberError) Unwrap() error { return e.Err }

// in puts the name of the enclosing member before the path of err. Without an
// error it returns nil.
func in(name string, err error) error {
	if err == nil {
		return nil
	}
	inner, ok := err.(*MemberError) // not a wrapped one, whose context would be lost
	if !ok {
		return &MemberError{name, err}
	}
	if inner.Path[0] == '[' {
		return &MemberError{name + inner.Path, inner.Err}
	}
	return &MemberError{name + "." + inner.Path, inner.Err}
}

// inList is in for an element of a list.
func inList(name string, i int, err error) error { return in(name, in(fmt.Sprintf("[%d]", i), err)) }

// explain returns an error that says where the text, which is not a
// configuration because of cause, goes wrong.
func explain(text []byte, cause error) error {
	var syntax *json.SyntaxError
	if errors.As(cause, &syntax) {
		before := text[:min(max(int(syntax.Offset)-1, 0), len(text))]
		line := bytes.Count(before, []byte("\n"))
		column := len(before) - bytes.LastIndexByte(before, '\n')
		return bad("line %d, column %d: not JSON: %w", line+1, column, cause)
	}
	var v any
	if json.Unmarshal(text, &v) == nil {
		if err := conforms(v, reflect.TypeFor[Config]()); err != nil {
			return err
		}
	}
	return bad("%w", cause)
}

// conforms reports the first member of v, in the order of names, that a value of
// type t cannot have, or nil. Its depth is bounded by encoding/json's limit.
func conforms(v any, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if v == nil {
		return nil // null leaves a member out
	}
	if into, ok := reflect.New(t).Interface().(encoding.TextUnmarshaler); ok {
		text, isText := v.(string)
		if !isText {
			return bad("is %s, not a text", kindOf(v))
		}
		return into.UnmarshalText([]byte(text))
	}
	wrong := func(want string) error { return bad("is %s, not %s", kindOf(v), want) }
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		object, ok := v.(map[string]any)
		if !ok {
			return wrong("an object")
		}
		return membersConform(object, t)
	case reflect.Slice:
		list, ok := v.([]any)
		if !ok {
			return wrong("a list")
		}
		for i, element := range list {
			if err := conforms(element, t.Elem()); err != nil {
				return in(fmt.Sprintf("[%d]", i), err)
			}
		}
	case reflect.String:
		if _, ok := v.(string); !ok {
			return wrong("a text")
		}
	case reflect.Bool:
		if _, ok := v.(bool); !ok {
			return wrong("true or false")
		}
	case reflect.Int:
		if n, ok := v.(float64); !ok || n != float64(int(n)) {
			return wrong("a whole number")
		}
	}
	return nil
}

func membersConform(object map[string]any, t reflect.Type) error {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		member := t // of a map
		if t.Kind() == reflect.Map {
			member = t.Elem()
		} else {
			types, names := membersOf(t)
			i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
			if i < 0 {
				if len(names) == 0 {
					return in(shortened(name), bad("there is no such member: the object is empty"))
				}
				return in(shortened(name), bad("there is no such member: the members here are %s",
					strings.Join(names, ", ")))
			}
			member = types[i]
		}
		if err := conforms(object[name], member); err != nil {
			return in(shortened(name), err)
		}
	}
	return nil
}

// membersOf returns the members that an object of type t has.
func membersOf(t reflect.Type) (types []reflect.Type, names []string) {
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
			types, names = append(types, t.Field(i).Type), append(names, name)
		}
	}
	return types, names
}

// shortened is the name of a member for an error.
func shortened(name string) string { return fmt.Sprintf("%.60s", name) }

func kindOf(v any) string {
	switch v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		return "a text"
	case float64:
		return "a number"
	}
	return "true or false"
}

// resolve makes the paths of all key files in c relative to folder.
func (c *Config) resolve(folder string) { resolve(reflect.ValueOf(c), folder) }

func resolve(v reflect.Value, folder string) {
	switch v.Kind() {
	case reflect.Pointer:
		if s, ok := v.Interface().(*Secret); ok && s != nil && s.File != "" && !filepath.IsAbs(s.File) {
			s.File = filepath.Join(folder, s.File)
		}
		if !v.IsNil() {
			resolve(v.Elem(), folder)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			resolve(v.Field(i), folder)
		}
	case reflect.Slice:
		for i := range v.Len() {
			resolve(v.Index(i), folder)
		}
	}
}

// oneOf returns an error for a member whose value is none of the names.
func oneOf(value string, names ...string) error {
	if value == "" {
		return bad("missing: one of %s", strings.Join(names, ", "))
	}
	return bad("%.60q is not one of %s", value, strings.Join(names, ", "))
}

var _ encoding.TextUnmarshaler = (*envelope.Action)(nil) // conforms tells its values
