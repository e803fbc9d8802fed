// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"strconv"
	"strings"
)

// DynamoDB's limits for one expression.
const (
	// MaxExpressionSize is the longest expression in bytes.
	MaxExpressionSize = 4096
	// MaxOperators is the largest number of operators and functions; the = of
	// SET is none.
	MaxOperators = 300
	// MaxInOperands is the largest number of operands in the list of IN.
	MaxInOperands = 100
	// MaxPathDepth is the largest number of elements of a document path.
	MaxPathDepth = 32
)

// rank orders refusals: DynamoDB reads a whole expression for its syntax, then
// walks it for words and functions, and then once more for placeholders and
// operands. The lower rank is reported, and of equals the first; only in
// updates the operands of the last action come first.
type rank uint8

const (
	rankParens  rank = iota // redundant parentheses
	rankWord                // reserved words, functions, sections, indexes
	rankLimit               // number of operators
	rankTarget              // undefined names in the targets of an update
	rankClash               // overlapping targets of an update
	rankName                // undefined names elsewhere in an update
	rankOperand             // everything else
)

// parser reads one expression. It looks one token ahead and remembers one.
type parser struct {
	scope *Scope
	kind  Kind
	src   string
	prev  token
	cur   token

	paths     []Path
	operators int
	actions   int  // actions of an update begun so far
	target    bool // the path being read is the target of one

	found       bool
	foundRank   rank
	foundAction int
	message     string
	reason      string
}

func newParser(s *Scope, kind Kind, src string) (*parser, error) {
	p := &parser{scope: s, kind: kind, src: src}
	if strings.TrimSpace(src) == "" {
		return nil, p.error("The expression can not be empty;")
	}
	if len(src) > MaxExpressionSize && !s.unlimited {
		message := "Expression size has exceeded the maximum allowed size;"
		if kind != KindUpdate { // DynamoDB does not say the size of an update
			message += " expression size: " + strconv.Itoa(len(src))
		}
		return nil, p.error(message)
	}
	p.cur = scan(src, 0)
	return p, nil
}

func (p *parser) error(message string) *Error {
	return &Error{Kind: p.kind, Message: "Invalid " + p.kind.String() + ": " + message}
}

// report keeps a refusal that is not a syntax error.
func (p *parser) report(r rank, message string) {
	if !p.found || r < p.foundRank || r == p.foundRank && r >= rankName && p.actions > p.foundAction {
		p.found, p.foundRank, p.foundAction, p.message, p.reason = true, r, p.actions, message, ""
	}
}

// reportValue keeps a refusal whose message repeats values.
func (p *parser) reportValue(r rank, message, reason string) {
	if p.report(r, message); p.message == message {
		p.reason = reason
	}
}

// finish checks that nothing follows, and returns what was reported.
func (p *parser) finish() error {
	if p.cur.kind != tokenEnd {
		return p.syntax()
	}
	return p.result()
}

// result returns what was reported.
func (p *parser) result() error {
	if p.operators > MaxOperators && !p.scope.unlimited {
		p.report(rankLimit, "The expression contains too many operators; operator count: "+strconv.Itoa(p.operators))
	}
	if !p.found {
		return nil
	}
	err := p.error(p.message)
	if p.reason != "" {
		err.reason = "Invalid " + p.kind.String() + ": " + p.reason
	}
	return err
}

// syntax refuses the current token, with the tokens around it.
func (p *parser) syntax() error {
	start, end := p.cur.start, p.cur.end
	if p.prev.end > 0 {
		start = p.prev.start
	}
	if p.cur.kind != tokenEnd {
		end = scan(p.src, end).end
	}
	near := strings.TrimSpace(p.src[start:end])
	return p.error(`Syntax error; token: "` + p.cur.text + `", near: "` + near + `"`)
}

func (p *parser) next() {
	p.prev = p.cur
	p.cur = scan(p.src, p.cur.end)
}

func (p *parser) isSymbol(s string) bool { return p.cur.kind == tokenSymbol && p.cur.text == s }

// accept steps over a symbol if it comes next.
func (p *parser) accept(s string) bool {
	if p.isSymbol(s) {
		p.next()
		return true
	}
	return false
}

func (p *parser) expect(s string) error {
	if !p.accept(s) {
		return p.syntax()
	}
	return nil
}

// isWord tells whether a keyword comes next; keywords have no case.
func (p *parser) isWord(word string) bool {
	return p.cur.kind == tokenWord && len(p.cur.text) == len(word) && strings.EqualFold(p.cur.text, word)
}

func (p *parser) acceptWord(word string) bool {
	if p.isWord(word) {
		p.next()
		return true
	}
	return false
}

// path reads a document path and remembers it.
func (p *parser) path() (Path, error) {
	var buf [4]Element
	path := buf[:0]
	for {
		name, err := p.pathName()
		if err != nil {
			return nil, err
		}
		path = append(path, Element{Name: name})
		for p.accept("[") {
			index, err := p.index()
			if err != nil {
				return nil, err
			}
			path = append(path, Element{Index: index})
		}
		if !p.accept(".") {
			break
		}
	}
	if len(path) > MaxPathDepth {
		p.report(rankOperand, "The document path has too many nesting levels; nesting levels: "+strconv.Itoa(len(path)))
	}
	out := Path(append([]Element(nil), path...))
	p.paths = append(p.paths, out)
	return out, nil
}

func (p *parser) pathName() (string, error) {
	t := p.cur
	switch t.kind {
	case tokenWord:
		if isReserved(t.text) {
			if p.isKeyword() {
				return "", p.syntax()
			}
			if !p.scope.reserved {
				p.report(rankWord, "Attribute name is a reserved keyword; reserved keyword: "+t.text)
			}
		}
		p.next()
		return t.text, nil
	case tokenName:
		p.next()
		name, ok := p.scope.name(t.text)
		if !ok {
			r := rankOperand
			if p.target {
				r = rankTarget
			} else if p.kind == KindUpdate {
				r = rankName
			}
			p.report(r, "An expression attribute name used in the document path is not defined; attribute name: "+
				t.text)
			return t.text, nil
		}
		return name, nil
	}
	return "", p.syntax()
}

// isKeyword tells the reserved words that are part of the grammar itself.
func (p *parser) isKeyword() bool {
	switch p.kind {
	case KindUpdate:
		return p.isWord("SET") || p.isWord("REMOVE") || p.isWord("ADD") || p.isWord("DELETE")
	case KindProjection:
		return false
	}
	return p.isWord("AND") || p.isWord("OR") || p.isWord("NOT") || p.isWord("IN") || p.isWord("BETWEEN")
}

func (p *parser) index() (int, error) {
	t := p.cur
	if t.kind != tokenNumber {
		return 0, p.syntax()
	}
	p.next()
	n, err := strconv.ParseInt(t.text, 10, 32)
	if err != nil {
		p.report(rankWord, "List index is not within the allowable range; index: ["+t.text+"]")
	}
	return int(n), p.expect("]")
}
