// SPDX-License-Identifier: Apache-2.0

// Package jsontree reads a JSON text into a tree whose nodes know their place in
// the text. A caller that changes one value of a stored document can then leave
// every other byte as its author wrote it.
//
// It is stricter than encoding/json: a duplicate member name, text after the
// document and invalid UTF-8 are errors. Its work is bounded by [MaxText] and
// [MaxDepth].
package jsontree

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Limits on hostile input. IAM takes documents of at most 131,072 characters
// in its API and no policy needs more than five levels.
const (
	// MaxText is the maximum size of a text, in bytes.
	MaxText = 131072
	// MaxDepth is the maximum number of arrays and objects around a value.
	MaxDepth = 10
)

// Kind is the kind of a JSON value. The zero value is invalid.
type Kind uint8

const (
	// Object is a JSON object.
	Object Kind = iota + 1
	// Array is a JSON array.
	Array
	// String is a JSON string.
	String
	// Scalar is a number, true, false or null.
	Scalar
)

// Node is one JSON value.
type Node struct {
	Kind Kind
	// Start and End are the byte offsets of the value in the text.
	Start, End int
	// Text is the decoded value of a String and the literal of a Scalar.
	Text string
	// Names are the member names of an Object, parallel to Items.
	Names []string
	// Items are the values of an Object or the elements of an Array, in the
	// order of the text.
	Items []Node
}

// Member returns the value of an object's member, or nil if n is not an object
// or has no member of that name.
func (n *Node) Member(name string) *Node {
	for i, has := range n.Names {
		if has == name {
			return &n.Items[i]
		}
	}
	return nil
}

// Parse reads text, which must hold one JSON value. An error says what is wrong
// and at which byte.
func Parse(text []byte) (Node, error) {
	if len(text) > MaxText {
		return Node{}, fmt.Errorf("document is longer than %d bytes", MaxText)
	}
	if !utf8.Valid(text) {
		return Node{}, fmt.Errorf("document is not valid UTF-8")
	}
	s := scanner{text: text}
	n, err := s.value(0)
	if err != nil {
		return Node{}, err
	}
	s.space()
	if s.pos != len(text) {
		return Node{}, s.errorf("text after the document")
	}
	return n, nil
}

// scanner reads JSON. encoding/json accepts duplicate names and reports no
// offsets.
type scanner struct {
	text []byte
	pos  int
}

func (s *scanner) errorf(format string, args ...any) error {
	return fmt.Errorf("%s at byte %d", fmt.Sprintf(format, args...), s.pos)
}

func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the next byte that is not white space, or 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.pos == len(s.text) {
		return 0
	}
	return s.text[s.pos]
}

func (s *scanner) value(depth int) (Node, error) {
	if depth > MaxDepth {
		return Node{}, s.errorf("nested deeper than %d levels", MaxDepth)
	}
	switch c := s.peek(); {
	case c == '{':
		return s.object(depth)
	case c == '[':
		return s.array(depth)
	case c == '"':
		return s.str()
	case c == 0:
		return Node{}, s.errorf("unexpected end")
	default:
		return s.scalar()
	}
}

func (s *scanner) object(depth int) (Node, error) {
	n := Node{Kind: Object, Start: s.pos}
	s.pos++
	var seen map[string]struct{}
	for first := true; ; first = false {
		c := s.peek()
		if c == '}' && first {
			break
		}
		if !first {
			if c == '}' {
				break
			}
			if c != ',' {
				return n, s.errorf("expected a comma or the end of an object")
			}
			s.pos++
			c = s.peek()
		}
		if c != '"' {
			return n, s.errorf("expected a name")
		}
		name, err := s.str()
		if err != nil {
			return n, err
		}
		if _, dup := seen[name.Text]; dup {
			return n, s.errorf("duplicate name %.64q", name.Text)
		}
		if seen == nil {
			seen = make(map[string]struct{}, 8)
		}
		seen[name.Text] = struct{}{}
		if s.peek() != ':' {
			return n, s.errorf("expected a colon")
		}
		s.pos++
		item, err := s.value(depth + 1)
		if err != nil {
			return n, err
		}
		n.Names = append(n.Names, name.Text)
		n.Items = append(n.Items, item)
	}
	s.pos++
	n.End = s.pos
	return n, nil
}

func (s *scanner) array(depth int) (Node, error) {
	n := Node{Kind: Array, Start: s.pos}
	s.pos++
	for first := true; ; first = false {
		c := s.peek()
		if c == ']' && (first || len(n.Items) > 0) {
			break
		}
		if !first {
			if c != ',' {
				return n, s.errorf("expected a comma or the end of an array")
			}
			s.pos++
		}
		item, err := s.value(depth + 1)
		if err != nil {
			return n, err
		}
		n.Items = append(n.Items, item)
	}
	s.pos++
	n.End = s.pos
	return n, nil
}

func (s *scanner) str() (Node, error) {
	start := s.pos
	escaped := false
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '\\':
			escaped = true
			s.pos++
		case c < ' ':
			return Node{}, s.errorf("control character in a string")
		case c == '"':
			s.pos++
			n := Node{Kind: String, Start: start, End: s.pos, Text: string(s.text[start+1 : s.pos-1])}
			if escaped {
				if err := json.Unmarshal(s.text[start:s.pos], &n.Text); err != nil {
					return Node{}, s.errorf("invalid string")
				}
			}
			return n, nil
		}
	}
	s.pos = min(s.pos, len(s.text))
	return Node{}, s.errorf("string without end")
}

func (s *scanner) scalar() (Node, error) {
	start := s.pos
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '+' || c == '-' || c == '.' || c == 'E' {
			s.pos++
			continue
		}
		break
	}
	if !json.Valid(s.text[start:s.pos]) {
		s.pos = start
		return Node{}, s.errorf("invalid value")
	}
	return Node{Kind: Scalar, Start: start, End: s.pos, Text: string(s.text[start:s.pos])}, nil
}
