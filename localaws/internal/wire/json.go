// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"errors"
	"reflect"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// JSON is the protocol whose requests are JSON objects.
//
// A request is a struct. Its exported fields are the members, under the name
// of a wire or json tag or else their own; a field of an embedded struct is a
// member too. Members may be strings, booleans, numbers, binaries ([]byte), structs,
// and lists and string-keyed maps of those, each directly or behind a pointer.
// Names are compared exactly, members that the request has no field for are
// skipped, and a null leaves its member unset, as on AWS.
//
// A type with a method of [MembersReader] or [ValueReader] reads itself
// instead: the fast way of requests with items.
type JSON struct {
	// MaxBody bounds a body in bytes; zero: the front door's bound is enough.
	MaxBody int
	// Empty takes an empty body, and a null, for an empty object.
	Empty bool
	// Unsupported refuses a member of type [Unsupported].
	Unsupported func(name string) error
	// Quote is how many bytes of a bad text a refusal repeats; zero: all.
	Quote int
	// Refuse words what [Decoder.Later] noted and what Prepare returned, which
	// may depend on the operation. Nil: the error is the answer.
	Refuse func(c *request.Call, err error) error
}

var _ Protocol = (*JSON)(nil)

// MembersReader is a request or struct that reads its members itself.
type MembersReader interface {
	// ReadMember reads or skips the value of one member. name is valid until
	// it returns.
	ReadMember(d *Decoder, name []byte) error
}

// ValueReader is a member that reads its value itself; it is not asked for a
// null.
type ValueReader interface{ ReadValue(d *Decoder) error }

// Unsupported is a member that AWS has and the service has not. A request that
// sets it is refused.
type Unsupported struct{}

// Decoder reads the body of one request in one pass.
type Decoder struct {
	ddbjson.Reader
	protocol *JSON
	found    Checks
	later    error
}

// Later notes the refusal of a value that is well formed and not allowed: AWS
// answers it after the constraints on members. The first one counts.
func (d *Decoder) Later(err error) {
	if d.later == nil {
		d.later = err
	}
}

// Refused reports whether Later has noted a refusal.
func (d *Decoder) Refused() bool { return d.later != nil }

// TakeLater returns what Later noted and forgets it, so that the request can
// decide between the parts of which each has a refusal.
func (d *Decoder) TakeLater() error {
	err := d.later
	d.later = nil
	return err
}

// Decoder implements [Protocol].
func (p *JSON) Decoder(in reflect.Type) Decode {
	_, own := reflect.New(in).Interface().(MembersReader)
	var members fields
	if !own {
		members = compile(in)
	}
	return func(c *request.Call, in any) error {
		d := &Decoder{protocol: p, found: Checks{Quote: p.Quote, Operation: c.Operation}}
		err := d.decode(c.Body, func(name []byte) error {
			if own {
				return in.(MembersReader).ReadMember(d, name)
			}
			return members.read(d, name, reflect.ValueOf(in).Elem())
		})
		if err != nil {
			return err
		}
		if err := d.found.check(in); err != nil {
			return err
		}
		if d.later != nil {
			return p.refuse(c, d.later)
		}
		return p.refuse(c, prepare(c, in))
	}
}

// refuse words a refusal; nil stays nil.
func (p *JSON) refuse(c *request.Call, err error) error {
	if err == nil || p.Refuse == nil {
		return err
	}
	return p.Refuse(c, err)
}

// Examine does with a request that was not decoded what the decoder does with
// one after reading it: it checks the constraints and prepares the request.
func (p *JSON) Examine(c *request.Call, in any) error {
	found := Checks{Quote: p.Quote, Operation: c.Operation}
	if err := found.check(in); err != nil {
		return err
	}
	return p.refuse(c, prepare(c, in))
}

// check returns the refusal of what in finds with c.
func (c *Checks) check(in any) error {
	checker, ok := in.(Checker)
	if !ok {
		return nil
	}
	checker.Check(c)
	return c.Err(Validation)
}

// decode reads the one object that a body is.
func (d *Decoder) decode(body []byte, member func(name []byte) error) error {
	if d.protocol.MaxBody > 0 && len(body) > d.protocol.MaxBody {
		err := Serialization("The request is too large.")
		err.Status = 413
		return err
	}
	if d.protocol.Empty && len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	d.Reader = *ddbjson.NewReader(body)
	null := false
	var err error
	if d.protocol.Empty {
		null, err = d.Null()
	}
	if !null && err == nil {
		err = d.Reader.Object(member)
	}
	if err == nil {
		err = d.End()
	}
	if err != nil {
		var shape *ddbjson.SerializationError
		if errors.As(err, &shape) {
			return Serialization(shape.Message)
		}
		return err
	}
	return nil
}

// Null consumes a null if there is one.
func (d *Decoder) Null() (bool, error) { return d.ReadNull() }

// Members calls member for every member of an object; a null has none.
func (d *Decoder) Members(member func(name []byte) error) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	return d.Reader.Object(member)
}

// Elements calls element before every element of a list; a null has none.
func (d *Decoder) Elements(element func() error) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	return d.Reader.List(func(int) error { return element() })
}

// Text reads a string.
func (d *Decoder) Text(dst **string) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	s, err := d.ReadString()
	*dst = &s
	return err
}

// Boolean reads true or false.
func (d *Decoder) Boolean(dst **bool) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	b, err := d.ReadBool()
	*dst = &b
	return err
}

// Integer reads a whole number.
func (d *Decoder) Integer(dst **int64) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	n, err := d.ReadInt()
	*dst = &n
	return err
}

// Texts reads a list of strings; an empty one is not nil.
func (d *Decoder) Texts(dst *[]string) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	*dst = []string{}
	return d.Reader.List(func(int) error {
		s, err := d.ReadString()
		*dst = append(*dst, s)
		return err
	})
}

// TextMap reads a map of strings; an empty one is not nil.
func (d *Decoder) TextMap(dst *map[string]string) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	*dst = map[string]string{}
	return d.Reader.Object(func(name []byte) error {
		key := string(name)
		s, err := d.ReadString()
		(*dst)[key] = s
		return err
	})
}

// Present is a member of which a request only needs to know whether it is
// there.
type Present bool

// ReadValue implements [ValueReader].
func (p *Present) ReadValue(d *Decoder) error {
	*p = true
	return d.Skip()
}
