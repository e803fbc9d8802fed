// SPDX-License-Identifier: Apache-2.0

package ddbjson

import "strconv"

// Kind is the kind of a JSON value, named by its first byte.
type Kind byte

// The kinds; KindInvalid stands for the end of the input and for any byte that
// begins no value.
const (
	KindInvalid Kind = 0
	KindObject  Kind = '{'
	KindList    Kind = '['
	KindString  Kind = '"'
	KindNumber  Kind = '0'
	KindTrue    Kind = 't'
	KindFalse   Kind = 'f'
	KindNull    Kind = 'n'
)

// Reader walks one JSON document from its beginning to its end, without
// building values that are not needed. After an error of any method the
// reader must not be used further. The zero Reader reads an empty document.
//
// Every method returns a *SerializationError when the next value has another
// kind or is malformed. Refusals of well-formed values, such as one of two
// types, are kept until [Reader.Invalid] is asked, as DynamoDB looks at the
// shape of a whole request before it judges values.
type Reader struct {
	data    []byte
	pos     int
	depth   int // open objects and lists of the document outside of values
	invalid *ValidationError

	chunk      string // copy of the document from chunkStart on
	chunkStart int
}

// maxDocumentDepth bounds the nesting of a document outside of attribute
// values, and of skipped values.
const maxDocumentDepth = 512

// NewReader returns a Reader over a whole document. The reader keeps data and
// never changes it.
func NewReader(data []byte) *Reader { return &Reader{data: data} }

// Invalid returns the *ValidationError for the first attribute value that had
// no type, several types, or more than 32 levels, and nil if there was none.
func (r *Reader) Invalid() error {
	if r.invalid == nil {
		return nil
	}
	return r.invalid
}

// Offset returns the position in bytes of what is read next.
func (r *Reader) Offset() int { return r.pos }

func (r *Reader) refuse(e *ValidationError) {
	if r.invalid == nil {
		r.invalid = e
	}
}

func (r *Reader) fail(message string) error {
	return &SerializationError{Message: message, Offset: r.pos}
}

func (r *Reader) syntax(reason string) error {
	return &SerializationError{Offset: r.pos, reason: reason}
}

// Kind tells what comes next, without reading it.
func (r *Reader) Kind() Kind {
	switch c := r.peek(); c {
	case '{', '[', '"', 't', 'f', 'n':
		return Kind(c)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return KindNumber
	}
	return KindInvalid
}

// peek skips white space and returns the byte behind it, 0 at the end.
func (r *Reader) peek() byte {
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c
		}
	}
	return 0
}

// End checks that nothing but white space is left.
func (r *Reader) End() error {
	if r.peek(); r.pos != len(r.data) {
		return r.syntax("text after the end of the document")
	}
	return nil
}

// Object reads an object and calls member for each of its names, in the order
// of the text. member must read or skip the value; name is valid until it
// returns. A name that comes twice is refused. An error of member ends the
// reading and is returned as it is.
func (r *Reader) Object(member func(name []byte) error) error {
	if r.peek() != '{' {
		return r.wrongKind("")
	}
	if err := r.open(); err != nil {
		return err
	}
	var seen nameSet
	for first := true; ; first = false {
		name, done, err := r.nextName(first)
		if err != nil {
			return err
		}
		if done {
			r.depth--
			return nil
		}
		if !seen.add(name) {
			return r.syntax("duplicate member name")
		}
		if err := member(name); err != nil {
			return err
		}
	}
}

// List reads a list and calls element before each of its values, which it must
// read or skip. An error of element ends the reading and is returned as it is.
func (r *Reader) List(element func(index int) error) error {
	if r.peek() != '[' {
		return r.wrongKind("")
	}
	if err := r.open(); err != nil {
		return err
	}
	for i := 0; ; i++ {
		done, err := r.nextElement(i == 0)
		if err != nil {
			return err
		}
		if done {
			r.depth--
			return nil
		}
		if err := element(i); err != nil {
			return err
		}
	}
}

// open steps over an opening bracket.
func (r *Reader) open() error {
	if r.depth++; r.depth > maxDocumentDepth {
		return r.syntax("nested too deeply")
	}
	r.pos++
	return nil
}

// nextName reads the separator, a member name and the colon; done means that
// the object was closed instead. The name may share memory with the document.
func (r *Reader) nextName(first bool) (name []byte, done bool, err error) {
	if done, err = r.beforeName(first); done || err != nil {
		return nil, done, err
	}
	if name, err = r.text(); err != nil {
		return nil, false, err
	}
	return name, false, r.colon()
}

// beforeName reads what stands before the quotation mark of a member name.
func (r *Reader) beforeName(first bool) (done bool, err error) {
	c := r.peek()
	if c == '}' {
		r.pos++
		return true, nil
	}
	if !first {
		if c != ',' {
			return false, r.syntax("expected a comma or the end of an object")
		}
		r.pos++
		c = r.peek()
	}
	if c != '"' {
		return false, r.syntax("expected a member name")
	}
	return false, nil
}

func (r *Reader) colon() error {
	if r.peek() != ':' {
		return r.syntax("expected a colon")
	}
	r.pos++
	return nil
}

// nextElement reads the separator before an element of a list; done means that
// the list was closed instead.
func (r *Reader) nextElement(first bool) (done bool, err error) {
	c := r.peek()
	if c == ']' {
		r.pos++
		return true, nil
	}
	if first {
		return false, nil
	}
	if c != ',' {
		return false, r.syntax("expected a comma or the end of a list")
	}
	r.pos++
	if r.peek() == ']' {
		return false, r.syntax("expected a value")
	}
	return false, nil
}

// ReadString reads a string.
func (r *Reader) ReadString() (string, error) {
	if r.peek() != '"' {
		return "", r.wrongKind("String")
	}
	return r.ownText()
}

// ReadBool reads true or false.
func (r *Reader) ReadBool() (bool, error) {
	switch r.peek() {
	case 't':
		return true, r.literal("true")
	case 'f':
		return false, r.literal("false")
	case '"':
		return false, r.fail("Unexpected token received from parser")
	}
	return false, r.wrongKind("Boolean")
}

// ReadInt reads a number without fraction and exponent that fits an int64.
func (r *Reader) ReadInt() (int64, error) {
	if r.Kind() != KindNumber {
		if r.Kind() == KindString {
			return 0, r.fail("STRING_VALUE cannot be converted to Integer")
		}
		return 0, r.wrongKind("Integer")
	}
	text, whole, err := r.number()
	if err != nil {
		return 0, err
	}
	if !whole {
		return 0, r.fail("DECIMAL_VALUE cannot be converted to Integer")
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0, r.fail("NUMBER_VALUE cannot be converted to Integer")
	}
	return n, nil
}

// ReadNumber reads a number and returns its text, which shares memory with the
// document.
func (r *Reader) ReadNumber() ([]byte, error) {
	if r.Kind() != KindNumber {
		return nil, r.wrongKind("Double")
	}
	text, _, err := r.number()
	return text, err
}

// ReadNull reads a null if there is one and tells whether there was.
func (r *Reader) ReadNull() (bool, error) {
	if r.peek() != 'n' {
		return false, nil
	}
	return true, r.literal("null")
}

// Skip reads one value of any kind and forgets it, after checking its syntax.
// Duplicate names inside are not looked for.
func (r *Reader) Skip() error {
	switch r.Kind() {
	case KindObject:
		if err := r.open(); err != nil {
			return err
		}
		for first := true; ; first = false {
			_, done, err := r.nextName(first)
			if err != nil {
				return err
			}
			if done {
				r.depth--
				return nil
			}
			if err := r.Skip(); err != nil {
				return err
			}
		}
	case KindList:
		return r.List(func(int) error { return r.Skip() })
	case KindString:
		_, err := r.text()
		return err
	case KindNumber:
		_, _, err := r.number()
		return err
	case KindTrue:
		return r.literal("true")
	case KindFalse:
		return r.literal("false")
	case KindNull:
		return r.literal("null")
	}
	return r.syntax("expected a value")
}

// Raw reads one value of any kind and returns its text, which shares memory
// with the document.
func (r *Reader) Raw() ([]byte, error) {
	r.peek()
	start := r.pos
	if err := r.Skip(); err != nil {
		return nil, err
	}
	return r.data[start:r.pos], nil
}

// wrongKind is DynamoDB's refusal of the next value where one of the Java type
// named so was expected; "" stands for an object, list or map.
func (r *Reader) wrongKind(want string) error {
	switch r.Kind() {
	case KindObject:
		return r.fail("Start of structure or map found where not expected")
	case KindList:
		if want == "" {
			return r.fail("Unexpected field type")
		}
		return r.fail("Unrecognized collection type class java.lang." + want)
	case KindInvalid:
		return r.syntax("expected a value")
	}
	if want == "" {
		return r.fail("Unexpected field type")
	}
	switch r.Kind() {
	case KindNumber:
		at := r.pos
		_, whole, err := r.number()
		if err != nil {
			return err
		}
		r.pos = at
		if !whole {
			return r.fail("DECIMAL_VALUE cannot be converted to " + want)
		}
		return r.fail("NUMBER_VALUE cannot be converted to " + want)
	case KindTrue:
		return r.fail("TRUE_VALUE cannot be converted to " + want)
	case KindFalse:
		return r.fail("FALSE_VALUE cannot be converted to " + want)
	case KindNull:
		return r.fail("NULL_VALUE cannot be converted to " + want)
	}
	return r.fail("Unexpected token received from parser")
}

// nameSet finds duplicate names: a few are compared one by one, many by a map.
type nameSet struct {
	few  [8][]byte
	n    int
	many map[string]struct{}
}

func (s *nameSet) add(name []byte) bool {
	if s.many == nil && s.n < len(s.few) {
		for _, other := range s.few[:s.n] {
			if string(other) == string(name) {
				return false
			}
		}
		s.few[s.n] = name
		s.n++
		return true
	}
	if s.many == nil {
		s.many = make(map[string]struct{}, 4*len(s.few))
		for _, other := range s.few {
			s.many[string(other)] = struct{}{}
		}
	}
	if _, dup := s.many[string(name)]; dup {
		return false
	}
	s.many[string(name)] = struct{}{}
	return true
}
