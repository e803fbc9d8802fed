package dynamodb

import (
	"errors"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/call"
)

// decoder reads a request body in one pass. Unknown members are skipped and a
// null leaves a member unset, as on AWS. Its errors are
// SerializationException; an attribute value that is well-formed but not
// allowed is remembered in invalid, because AWS reports it after the
// constraints on members.
type decoder struct {
	*ddbjson.Reader
	invalid error
}

// decode reads one JSON object; field is called with every member name and
// must consume the value. invalid is the first refused attribute value.
func decode(body []byte, field func(d *decoder, name string) error) (invalid, err error) {
	d := &decoder{Reader: ddbjson.NewReader(body)}
	if err = d.Object(func(name []byte) error { return field(d, string(name)) }); err == nil {
		err = d.End()
	}
	if err != nil {
		var shape *ddbjson.SerializationError
		if errors.As(err, &shape) {
			return nil, errSerialization(shape.Message)
		}
		return nil, err
	}
	if err := d.Invalid(); err != nil && d.invalid == nil {
		return invalidValue(err), nil
	}
	return d.invalid, nil
}

// invalidValue turns the refusal of an attribute value into AWS's answer.
func invalidValue(err error) error {
	var v *ddbjson.ValidationError
	if errors.As(err, &v) {
		return errValidation(v.Message)
	}
	return errInternal(err)
}

// null consumes a null if there is one.
func (d *decoder) null() (bool, error) { return d.ReadNull() }

// refuse answers a member that AWS has and this service has not; null leaves
// it unset as any other.
func (d *decoder) refuse(name string) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	return errValidation(name + " is not supported by this embedded DynamoDB")
}

// object calls field for every member; the name is only valid during the call
// unless it is kept, which copies it.
func (d *decoder) object(field func(name string) error) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	return d.Object(func(name []byte) error { return field(string(name)) })
}

// array calls element before every element; null is an empty list.
func (d *decoder) array(element func() error) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	return d.List(func(int) error { return element() })
}

// optional reads a member into dst unless it is null.
func optional[T any](d *decoder, dst **T, read func() (T, error)) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	v, err := read()
	if err != nil {
		return err
	}
	*dst = &v
	return nil
}

func (d *decoder) text(dst **string) error  { return optional(d, dst, d.ReadString) }
func (d *decoder) boolean(dst **bool) error { return optional(d, dst, d.ReadBool) }
func (d *decoder) integer(dst **int64) error {
	return optional(d, dst, d.ReadInt)
}

// texts reads a list of strings; an empty one is not nil.
func (d *decoder) texts(dst *[]string) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	*dst = []string{}
	return d.List(func(int) error {
		s, err := d.ReadString()
		*dst = append(*dst, s)
		return err
	})
}

// names reads a map of strings; an empty one is not nil.
func (d *decoder) names(dst *map[string]string) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	*dst = map[string]string{}
	return d.Object(func(name []byte) error {
		key := string(name)
		s, err := d.ReadString()
		(*dst)[key] = s
		return err
	})
}

// item reads attribute names with values and applies the rules on values;
// null gives nil, an empty one is not nil.
func (d *decoder) item(dst *Item) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	it, err := d.ReadItem()
	if err != nil {
		return err
	}
	*dst = it
	if d.invalid == nil {
		err := d.Invalid()
		if err == nil {
			err = normalizeItem(it)
		}
		if err != nil {
			d.invalid = invalidValue(err)
		}
	}
	return nil
}

// values reads ExpressionAttributeValues, whose refusals name the placeholder.
func (d *decoder) values(dst *Item) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	*dst = Item{}
	return d.object(func(name string) error {
		v, err := d.ReadValue()
		if err != nil {
			return err
		}
		(*dst)[name] = v
		if d.invalid != nil {
			return nil
		}
		if err = d.Invalid(); err == nil {
			err = normalizeValue(v)
		}
		if err != nil {
			e := invalidValue(err)
			if c, ok := e.(*call.Error); ok && c.Code == "ValidationException" {
				c.Message = "ExpressionAttributeValues contains invalid value: " + c.Message + " for key " + name
			}
			d.invalid = e
		}
		return nil
	})
}

// decodeRequest reads the body of c into a request and checks its members:
// what every operation does first.
func decodeRequest(c *call.Call, field func(d *decoder, name string) error, check func(*constraints)) error {
	invalid, err := decode(c.Body, field)
	if err != nil {
		return err
	}
	var found constraints
	check(&found)
	if err := found.err(); err != nil {
		return err
	}
	return invalid
}
