// SPDX-License-Identifier: Apache-2.0

package input

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Protocol returns the protocol of DynamoDB. Requests with items read themselves
// with the functions of this file. They refuse an attribute value that is well
// formed and not allowed after the constraints on members, as AWS does.
func Protocol() *wire.JSON {
	return &wire.JSON{
		Unsupported: func(name string) error {
			return refusal.Validation(name + " is not supported by this embedded DynamoDB")
		},
		Refuse: func(c *request.Call, err error) error { return refusal.LayerOf(c.Operation).Word(err) },
	}
}

// badValue returns the refusal of an attribute value of a request, which the
// layer of the operation words. placeholder is its name among the
// ExpressionAttributeValues, or empty.
func badValue(err error, placeholder string) error {
	var v *ddbjson.ValidationError
	if errors.As(err, &v) {
		return &refusal.BadValue{Err: v, Placeholder: placeholder}
	}
	return refusal.Internal(err)
}

// invalidValue returns AWS's answer to a write that leaves an invalid attribute
// value.
func invalidValue(err error) error {
	var v *ddbjson.ValidationError
	if errors.As(err, &v) {
		return refusal.Validation(v.Message)
	}
	return refusal.Internal(err)
}

// readItem reads attribute names with values and applies the rules on values;
// null gives nil, an empty one is not nil.
func readItem(d *wire.Decoder, dst *schema.Item) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	it, err := d.ReadItem()
	if err != nil {
		return err
	}
	*dst = it
	if d.Refused() {
		return nil
	}
	if err = d.Invalid(); err == nil {
		err = schema.NormalizeItem(it)
	}
	if err != nil {
		d.Later(badValue(err, ""))
	}
	return nil
}

// readValues reads ExpressionAttributeValues, whose refusals may name the
// placeholder.
func readValues(d *wire.Decoder, dst *schema.Item) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	*dst = schema.Item{}
	return d.Members(func(placeholder []byte) error {
		name := string(placeholder)
		v, err := d.ReadValue()
		if err != nil {
			return err
		}
		(*dst)[name] = v
		if d.Refused() {
			return nil
		}
		if err = d.Invalid(); err == nil {
			err = schema.NormalizeValue(v)
		}
		if err != nil {
			d.Later(badValue(err, name))
		}
		return nil
	})
}

// readValue reads one attribute value and applies the rules on values.
func readValue(d *wire.Decoder, dst *types.AttributeValue) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	v, err := d.ReadValue()
	if err != nil {
		return err
	}
	if v != nil {
		*dst = v
	}
	if d.Refused() {
		return nil
	}
	if err = d.Invalid(); err == nil {
		err = schema.NormalizeValue(v)
	}
	if err != nil {
		d.Later(badValue(err, ""))
	}
	return nil
}
