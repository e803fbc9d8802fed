package policy

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Limits on hostile input. IAM takes documents of at most 131,072 characters
// in its API and no policy needs more than five levels.
const (
	maxText  = 131072
	maxDepth = 10
)

type nodeKind uint8

const (
	nodeObject nodeKind = iota + 1
	nodeArray
	nodeString
	nodeScalar // number, true, false or null: text is the literal
)

// node is one JSON value with its place in the text: principals are rewritten
// in place, so that the rest of a stored policy keeps the bytes its author
// wrote.
type node struct {
	kind       nodeKind
	start, end int
	text       string
	names      []string // of an object, parallel to items
	items      []node
}

// scanner reads JSON. encoding/json would take duplicate names and tell no
// offsets.
type scanner struct {
	text []byte
	pos  int
}

func scanJSON(text []byte) (node, error) {
	if len(text) > maxText {
		return node{}, fmt.Errorf("document is longer than %d bytes", maxText)
	}
	if !utf8.Valid(text) {
		return node{}, fmt.Errorf("document is not valid UTF-8")
	}
	s := scanner{text: text}
	n, err := s.value(0)
	if err != nil {
		return node{}, err
	}
	s.space()
	if s.pos != len(text) {
		return node{}, s.errorf("text after the document")
	}
	return n, nil
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

// peek returns the next byte that is no white space, 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.pos == len(s.text) {
		return 0
	}
	return s.text[s.pos]
}

func (s *scanner) value(depth int) (node, error) {
	if depth > maxDepth {
		return node{}, s.errorf("nested deeper than %d levels", maxDepth)
	}
	switch c := s.peek(); {
	case c == '{':
		return s.object(depth)
	case c == '[':
		return s.array(depth)
	case c == '"':
		return s.str()
	case c == 0:
		return node{}, s.errorf("unexpected end")
	default:
		return s.scalar()
	}
}

func (s *scanner) object(depth int) (node, error) {
	n := node{kind: nodeObject, start: s.pos}
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
		if _, dup := seen[name.text]; dup {
			return n, s.errorf("duplicate name %.64q", name.text)
		}
		if seen == nil {
			seen = make(map[string]struct{}, 8)
		}
		seen[name.text] = struct{}{}
		if s.peek() != ':' {
			return n, s.errorf("expected a colon")
		}
		s.pos++
		item, err := s.value(depth + 1)
		if err != nil {
			return n, err
		}
		n.names = append(n.names, name.text)
		n.items = append(n.items, item)
	}
	s.pos++
	n.end = s.pos
	return n, nil
}

func (s *scanner) array(depth int) (node, error) {
	n := node{kind: nodeArray, start: s.pos}
	s.pos++
	for first := true; ; first = false {
		c := s.peek()
		if c == ']' && (first || len(n.items) > 0) {
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
		n.items = append(n.items, item)
	}
	s.pos++
	n.end = s.pos
	return n, nil
}

func (s *scanner) str() (node, error) {
	start := s.pos
	escaped := false
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '\\':
			escaped = true
			s.pos++
		case c < ' ':
			return node{}, s.errorf("control character in a string")
		case c == '"':
			s.pos++
			n := node{kind: nodeString, start: start, end: s.pos, text: string(s.text[start+1 : s.pos-1])}
			if escaped {
				if err := json.Unmarshal(s.text[start:s.pos], &n.text); err != nil {
					return node{}, s.errorf("invalid string")
				}
			}
			return n, nil
		}
	}
	s.pos = min(s.pos, len(s.text))
	return node{}, s.errorf("string without end")
}

func (s *scanner) scalar() (node, error) {
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
		return node{}, s.errorf("invalid value")
	}
	return node{kind: nodeScalar, start: start, end: s.pos, text: string(s.text[start:s.pos])}, nil
}
