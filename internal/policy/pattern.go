// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"strings"
	"unicode/utf8"
)

type elemKind uint8

const (
	elemLiteral  elemKind = iota + 1
	elemStar              // any number of characters
	elemOne               // exactly one character
	elemVariable          // the value of a condition key
)

// elem is a piece of a pattern.
type elem struct {
	kind       elemKind
	text       string // of a literal; of a variable the condition key as written
	lower      string // the variable's key in lower case
	fallback   string // the variable's default, when it has one
	hasDefault bool
}

type patternKind uint8

const (
	patternNever    patternKind = iota + 1 // has a variable where none may stand
	patternAny                             // "*"
	patternLiteral                         // no wildcard, no variable
	patternPrefix                          // a literal and a last "*"
	patternGlob                            // wildcards
	patternTemplate                        // variables
)

// pattern is a string of a policy, compiled.
type pattern struct {
	kind  patternKind
	fold  bool   // ASCII letters match in either case
	lit   string // of patternLiteral and patternPrefix
	elems []elem
}

// syntax says what a pattern may contain.
type syntax struct {
	wildcards bool
	variables bool // version 2012-10-17 only
	fold      bool
}

var errVariable = errors.New("policy variable without end")

// compile reads a pattern. The special variables ${*}, ${?} and ${$} are
// literal characters.
func compile(text string, x syntax) (pattern, error) {
	p := pattern{fold: x.fold}
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			p.elems = append(p.elems, elem{kind: elemLiteral, text: lit.String()})
			lit.Reset()
		}
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case x.wildcards && c == '*':
			flush()
			if n := len(p.elems); n == 0 || p.elems[n-1].kind != elemStar {
				p.elems = append(p.elems, elem{kind: elemStar})
			}
		case x.wildcards && c == '?':
			flush()
			p.elems = append(p.elems, elem{kind: elemOne})
		case x.variables && c == '$' && strings.HasPrefix(text[i:], "${"):
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return pattern{}, errVariable
			}
			body := text[i+2 : i+end]
			i += end
			if body == "*" || body == "?" || body == "$" {
				lit.WriteString(body)
				continue
			}
			v, err := variable(body)
			if err != nil {
				return pattern{}, err
			}
			flush()
			p.elems = append(p.elems, v)
		default:
			lit.WriteByte(c)
		}
	}
	flush()
	p.classify()
	return p, nil
}

// variable reads "aws:username" or "aws:username, 'default'".
func variable(body string) (elem, error) {
	v := elem{kind: elemVariable, text: strings.TrimSpace(body)}
	if key, rest, ok := strings.Cut(body, ","); ok {
		rest = strings.TrimSpace(rest)
		if len(rest) < 2 || rest[0] != '\'' || rest[len(rest)-1] != '\'' {
			return elem{}, errors.New("default of a policy variable is not in single quotes")
		}
		v.text, v.fallback, v.hasDefault = strings.TrimSpace(key), rest[1:len(rest)-1], true
	}
	v.lower = strings.ToLower(v.text)
	return v, nil
}

func (p *pattern) classify() {
	p.kind = patternLiteral
	for _, e := range p.elems {
		switch e.kind {
		case elemVariable:
			p.kind = patternTemplate
			return
		case elemStar, elemOne:
			p.kind = patternGlob
		}
	}
	switch n := len(p.elems); {
	case n == 0:
	case p.kind == patternLiteral:
		p.lit = p.elems[0].text
	case n == 1 && p.elems[0].kind == elemStar:
		p.kind = patternAny
	case n == 2 && p.elems[0].kind == elemLiteral && p.elems[1].kind == elemStar:
		p.kind, p.lit = patternPrefix, p.elems[0].text
	}
}

// match compares the whole of s.
func (p *pattern) match(e *evaluation, s string) bool {
	switch p.kind {
	case patternAny:
		return true
	case patternLiteral:
		return len(s) == len(p.lit) && hasPrefix(s, p.lit, p.fold)
	case patternPrefix:
		return hasPrefix(s, p.lit, p.fold)
	case patternGlob:
		return matchElems(p.elems, s, p.fold)
	case patternTemplate:
		var room [8]elem
		elems, ok := e.expand(room[:0], p.elems)
		return ok && matchElems(elems, s, p.fold)
	}
	return false
}

// expand replaces variables by literals: a wildcard in a value is not a wildcard.
// A variable without exactly one value and without default matches nothing.
func (e *evaluation) expand(to, elems []elem) ([]elem, bool) {
	for _, x := range elems {
		if x.kind == elemVariable {
			v := e.lookup(x.text, x.lower)
			switch {
			case v.len() == 1 && !multiValued(x.lower):
				x = elem{kind: elemLiteral, text: v.at(0)}
			case x.hasDefault && v.len() == 0:
				x = elem{kind: elemLiteral, text: x.fallback}
			default:
				return nil, false
			}
		}
		to = append(to, x)
	}
	return to, true
}

// matchElems matches the whole of s. On failure only the last star is widened:
// what came before it cannot do better.
func matchElems(elems []elem, s string, fold bool) bool {
	i, j := 0, 0
	star, from := -1, 0
	for {
		if j == len(elems) {
			if i == len(s) {
				return true
			}
		} else {
			switch x := &elems[j]; x.kind {
			case elemStar:
				if j == len(elems)-1 {
					return true
				}
				star, from = j, i
				j++
				continue
			case elemOne:
				if i < len(s) {
					i += width(s[i:])
					j++
					continue
				}
			case elemLiteral:
				if hasPrefix(s[i:], x.text, fold) {
					i += len(x.text)
					j++
					continue
				}
			}
		}
		if star < 0 || from >= len(s) {
			return false
		}
		from += width(s[from:])
		i, j = from, star+1
	}
}

// width is the length of the first character of s.
func width(s string) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// hasPrefix is strings.HasPrefix, over ASCII letters of either case when fold
// is set.
func hasPrefix(s, prefix string, fold bool) bool {
	if len(s) < len(prefix) {
		return false
	}
	if !fold {
		return s[:len(prefix)] == prefix
	}
	for i := 0; i < len(prefix); i++ {
		if lower(s[i]) != lower(prefix[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// arnPattern is the pattern of an Arn operator: six segments that are matched
// each for itself, so that a wildcard does not cross a colon, but for the last.
type arnPattern struct {
	segments [][]elem
	variable bool
}

func compileARN(text string, variables bool) (arnPattern, error) {
	p, err := compile(text, syntax{wildcards: true, variables: variables})
	if err != nil {
		return arnPattern{}, err
	}
	a := arnPattern{segments: make([][]elem, 1, 6)}
	for _, x := range p.elems {
		if x.kind != elemLiteral {
			a.variable = a.variable || x.kind == elemVariable
			last := len(a.segments) - 1
			a.segments[last] = append(a.segments[last], x)
			continue
		}
		rest := x.text
		for {
			last := len(a.segments) - 1
			head, tail, more := rest, "", false
			if last < 5 {
				head, tail, more = strings.Cut(rest, ":")
			}
			if head != "" {
				a.segments[last] = append(a.segments[last], elem{kind: elemLiteral, text: head})
			}
			if !more {
				break
			}
			a.segments = append(a.segments, nil)
			rest = tail
		}
	}
	return a, nil
}

func (a *arnPattern) match(e *evaluation, s string) bool {
	if !strings.HasPrefix(s, "arn:") {
		return false
	}
	for i, segment := range a.segments {
		part, rest, more := s, "", false
		if i < len(a.segments)-1 {
			if part, rest, more = strings.Cut(s, ":"); !more {
				return false
			}
		}
		if a.variable {
			var room [8]elem
			var ok bool
			if segment, ok = e.expand(room[:0], segment); !ok {
				return false
			}
		}
		if !matchElems(segment, part, false) {
			return false
		}
		s = rest
	}
	return true
}
