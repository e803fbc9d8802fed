// SPDX-License-Identifier: Apache-2.0

// Package keytemplate composes a key of values, such as USER#7 of the template
// USER#{ID}, and takes it apart again. No two lists of values give one key, and
// the keys of numbers sort as the numbers do.
package keytemplate

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxWidth is the number of digits of the largest uint64.
const maxWidth = 20

// Placeholder stands for one value in a template.
type Placeholder struct {
	Name string
	// Width is the number of digits of a number, padded by zeros. Zero is for
	// text.
	Width int
}

// Template is a parsed template. The zero Template has neither text nor
// placeholders; make others by [Parse]. It is safe for concurrent use.
type Template struct {
	text   string
	first  string // the text before the first placeholder
	fields []follower
}

// follower is a placeholder and the literal text behind it, up to the next one.
type follower struct {
	Placeholder
	literal string
}

// Parse reads a template: text with placeholders {Name}, or {Name:08} for a
// number of eight digits. It refuses a template whose keys could not be taken
// apart: text directly followed by another placeholder. The error is the reason.
func Parse(text string) (*Template, error) {
	if text == "" {
		return nil, errors.New("it is empty")
	}
	if !utf8.ValidString(text) {
		return nil, errors.New("it is not valid UTF-8")
	}
	t := &Template{text: text}
	rest, open := "", false
	t.first, rest, open = strings.Cut(text, "{")
	if strings.Contains(t.first, "}") {
		return nil, errUnopened
	}
	for open {
		inside, behind, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, errors.New("a { has no }")
		}
		p, err := parsePlaceholder(inside)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(t.fields, func(f follower) bool { return f.Name == p.Name }) {
			return nil, fmt.Errorf("{%s} occurs more than once", p.Name)
		}
		f := follower{Placeholder: p}
		f.literal, rest, open = strings.Cut(behind, "{")
		if strings.Contains(f.literal, "}") {
			return nil, errUnopened
		}
		if open && f.literal == "" && f.Width == 0 {
			return nil, fmt.Errorf("{%s} is directly followed by another placeholder, so that two pairs of values "+
				"would have one key: put text such as # between them", p.Name)
		}
		t.fields = append(t.fields, f)
	}
	return t, nil
}

var errUnopened = errors.New("a } has no {")

// parsePlaceholder reads what is between braces.
func parsePlaceholder(inside string) (Placeholder, error) {
	name, digits, padded := strings.Cut(inside, ":")
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r == '{' || r <= ' ' }) {
		return Placeholder{}, fmt.Errorf("{%s} is not the name of a field", inside)
	}
	p := Placeholder{Name: name}
	if !padded {
		return p, nil
	}
	n, err := strconv.ParseUint(digits, 10, 8)
	if err != nil || !strings.HasPrefix(digits, "0") || n < 1 || n > maxWidth {
		return p, fmt.Errorf("{%s}: write the number of digits of a number as {%s:08}, from 01 to %d", inside, name,
			maxWidth)
	}
	p.Width = int(n)
	return p, nil
}

// String returns the template as it was parsed.
func (t *Template) String() string { return t.text }

// Placeholders returns the placeholders in their order.
func (t *Template) Placeholders() []Placeholder {
	out := make([]Placeholder, len(t.fields))
	for i, f := range t.fields {
		out[i] = f.Placeholder
	}
	return out
}

// Compose returns the key of values, one for each placeholder: text, or a number
// in decimal digits. The error is the reason, and shows no value.
func (t *Template) Compose(values []string) (string, error) {
	if len(values) != len(t.fields) {
		return "", fmt.Errorf("%d values for %d placeholders", len(values), len(t.fields))
	}
	return t.Prefix(values)
}

// Prefix returns what the keys of all values that begin with the given ones have
// in common, up to the next placeholder. The error is that of [Template.Compose].
func (t *Template) Prefix(values []string) (string, error) {
	if len(values) > len(t.fields) {
		return "", fmt.Errorf("%d values for %d placeholders", len(values), len(t.fields))
	}
	key := append(make([]byte, 0, len(t.text)+16*len(values)), t.first...)
	for i, value := range values {
		f := &t.fields[i]
		if err := f.check(value); err != nil {
			return "", fmt.Errorf("{%s}: %w", f.Name, err)
		}
		for range f.Width - len(value) {
			key = append(key, '0')
		}
		key = append(append(key, value...), f.literal...)
	}
	return string(key), nil
}

// check refuses a value from which the key could not be taken apart.
func (f *follower) check(value string) error {
	switch {
	case value == "":
		return errors.New("the value is empty")
	case f.Width == 0 && !utf8.ValidString(value):
		return errors.New("the value is not valid UTF-8")
	case f.Width == 0:
		// The first occurrence must be the template's own, also where the two overlap.
		if f.literal != "" && strings.Index(value+f.literal, f.literal) < len(value) {
			return fmt.Errorf("the value and the %q behind it cannot be told apart in the key: the value must not "+
				"contain it", f.literal)
		}
		return nil
	case value[0] == '-':
		return errors.New("the number is negative, and negative numbers do not sort as text")
	case !isDigits(value) || len(value) > 1 && value[0] == '0':
		return errors.New("the value is not a whole number in decimal digits")
	case len(value) > f.Width:
		return fmt.Errorf("the number has more than the %d digits of the template", f.Width)
	}
	return nil
}

// ErrKey: a key is not one of the template.
var ErrKey = errors.New("it does not fit the template")

// Split returns the values of a key, one for each placeholder, as they were given
// to [Template.Compose]. It accepts exactly the keys that Compose returns. Errors:
// [ErrKey].
func (t *Template) Split(key string) ([]string, error) {
	values := make([]string, len(t.fields))
	rest, fits := strings.CutPrefix(key, t.first)
	for i := range t.fields {
		f := &t.fields[i]
		if !fits {
			return nil, ErrKey
		}
		last := i == len(t.fields)-1
		switch {
		case f.Width > 0:
			if fits = len(rest) >= f.Width; fits {
				values[i], rest = unpad(rest[:f.Width]), rest[f.Width:]
				rest, fits = strings.CutPrefix(rest, f.literal)
			}
		case last && f.literal == "":
			values[i], rest = rest, ""
		default:
			values[i], rest, fits = strings.Cut(rest, f.literal)
		}
		if fits && f.check(values[i]) != nil {
			return nil, ErrKey
		}
	}
	if !fits || rest != "" {
		return nil, ErrKey
	}
	return values, nil
}

// unpad removes the zeros in front of a number.
func unpad(digits string) string {
	if short := strings.TrimLeft(digits, "0"); short != "" || digits == "" {
		return short
	}
	return "0"
}

func isDigits(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
