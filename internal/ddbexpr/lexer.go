// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenWord             // a bare name or keyword
	tokenName             // #placeholder
	tokenValue            // :placeholder
	tokenNumber           // digits
	tokenSymbol           // operator or punctuation
	tokenBad              // anything else
)

// token is a piece of the expression; text is its source.
type token struct {
	kind       tokenKind
	start, end int
	text       string
}

// isLetter tells what may begin a bare name. An underscore may not: names that
// begin with one need a placeholder on AWS.
func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// wordEnd returns where the letters, digits and underscores from i on end.
func wordEnd(s string, i int) int {
	for i < len(s) && (isLetter(s[i]) || isDigit(s[i]) || s[i] == '_') {
		i++
	}
	return i
}

// scan returns the token that begins at or behind position i.
func scan(s string, i int) token {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r' || s[i] == '\f') {
		i++
	}
	if i == len(s) {
		return token{kind: tokenEnd, start: i, end: i, text: "<EOF>"}
	}
	kind, end := tokenBad, i+1
	switch c := s[i]; {
	case isLetter(c):
		kind, end = tokenWord, wordEnd(s, end)
	case isDigit(c):
		kind = tokenNumber
		for end < len(s) && isDigit(s[end]) {
			end++
		}
	case c == '#' || c == ':':
		if n := wordEnd(s, end); n > end {
			kind, end = tokenName, n
			if c == ':' {
				kind = tokenValue
			}
		}
	case c == '<' || c == '>':
		kind = tokenSymbol
		if end < len(s) && (s[end] == '=' || c == '<' && s[end] == '>') {
			end++
		}
	case strings.IndexByte("=()[].,+-", c) >= 0:
		kind = tokenSymbol
	case c >= utf8.RuneSelf:
		_, n := utf8.DecodeRuneInString(s[i:])
		end = i + n
	}
	return token{kind: kind, start: i, end: end, text: s[i:end]}
}
