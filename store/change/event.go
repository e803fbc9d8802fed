// SPDX-License-Identifier: Apache-2.0

package change

import (
	"encoding/base64"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// Lambda returns the records of an event that AWS Lambda passes to a function:
// of a DynamoDB stream, or of a Kinesis stream to which DynamoDB writes. It only
// splits the event; [Decode] reports what is wrong with a single record.
//
// The error matches [ErrRecord] if the event is neither.
func Lambda(event []byte) ([]Record, error) {
	var out []Record
	found := false
	r := ddbjson.NewReader(event)
	err := r.Object(func(name []byte) error {
		if string(name) != "Records" {
			return r.Skip()
		}
		found = true
		return r.List(func(int) error {
			text, err := r.Raw()
			if err == nil {
				out = append(out, Record{source: fromLambda, text: text})
			}
			return err
		})
	})
	if err == nil {
		err = r.End()
	}
	if err != nil {
		return nil, malformed("Lambda event: %w", err)
	}
	if !found {
		return nil, malformed("Lambda event: the member Records is missing")
	}
	return out, nil
}

// readKinesis reads the member kinesis of a record that Lambda hands on: the
// record of DynamoDB in it.
func readKinesis(r *ddbjson.Reader) (data, sequence string, err error) {
	err = r.Object(func(name []byte) (err error) {
		switch string(name) {
		case "data":
			data, err = readText(r)
		case "sequenceNumber":
			sequence, err = readText(r)
		default:
			err = r.Skip()
		}
		return err
	})
	return data, sequence, err
}

// Kinesis returns the record that DynamoDB wrote to a Kinesis stream as data.
// sequence is the sequence number that Kinesis gave it; it appears in errors
// and in Change.Sequence and may be empty. Kinesis can deliver a record more
// than once, and the records of one key out of order: compare Change.At.
func Kinesis(data []byte, sequence string) Record {
	return Record{source: fromKinesis, text: data, sequence: sequence}
}

// Line returns the record of one line of a full or incremental export to S3 in
// DynamoDB JSON. number is the number of the line, from 1, which errors have.
// [DecodeExport] reads whole files.
func Line(text []byte, number int) Record {
	return Record{source: fromExport, text: text, index: number}
}

// readEvent reads a record of Lambda or Kinesis; the two differ in views, which
// only a stream has.
func (c *content) readEvent(text []byte) error {
	r := ddbjson.NewReader(text)
	var version, event, format, name, arn, precision, data, sequence string
	var at []byte
	seen := false
	err := r.Object(func(member []byte) (err error) {
		switch string(member) {
		case "eventName":
			var text string
			text, err = readText(r)
			c.kind = kindOf(text)
		case "eventVersion":
			version, err = readText(r)
		case "eventSource":
			event, err = readText(r)
		case "recordFormat":
			format, err = readText(r)
		case "tableName":
			name, err = readText(r)
		case "eventSourceARN":
			arn, err = readText(r)
		case "userIdentity":
			err = c.readIdentity(r)
		case "kinesis":
			data, sequence, err = readKinesis(r)
		case "dynamodb":
			seen = true
			at, precision, err = c.readBody(r)
		default:
			err = r.Skip()
		}
		return err
	})
	if err == nil {
		err = errors.Join(r.End(), r.Invalid())
	}
	switch {
	case err != nil:
		return malformed("%w", err)
	case event == "aws:kinesis" && c.views:
		c.views, c.sequence = false, sequence
		decoded, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			return malformed("the data of the Kinesis record are not base64")
		}
		return c.readEvent(decoded)
	case event != "" && event != "aws:dynamodb":
		return malformed("its source is %s, not aws:dynamodb", printable(event))
	case version != "" && !strings.HasPrefix(version, "1."):
		return malformed("unknown event version %s", printable(version))
	case format != "" && format != "application/json":
		return &formatError{"record format " + printable(format)}
	case !seen:
		return malformed("the member dynamodb is missing")
	}
	if c.table = arn; arn == "" {
		c.table = name
	}
	if at != nil {
		unit := time.Second
		switch {
		case c.views:
		case precision == "MICROSECOND":
			unit = time.Microsecond
		case precision == "" || precision == "MILLISECOND":
			unit = time.Millisecond
		default:
			return malformed("unknown precision %s", printable(precision))
		}
		if c.at, err = instant(at, unit); err != nil {
			return err
		}
	}
	return nil
}

// readBody reads the member dynamodb.
func (c *content) readBody(r *ddbjson.Reader) (at []byte, precision string, err error) {
	err = r.Object(func(member []byte) (err error) {
		switch string(member) {
		case "Keys":
			c.keys, err = readItem(r)
		case "NewImage":
			c.new, err = readItem(r)
		case "OldImage":
			c.old, err = readItem(r)
		case "SequenceNumber":
			c.sequence, err = readText(r)
		case "StreamViewType":
			c.view, err = readText(r)
		case "ApproximateCreationDateTimePrecision":
			precision, err = readText(r)
		case "ApproximateCreationDateTime":
			var null bool
			if null, err = r.ReadNull(); err == nil && !null {
				at, err = r.ReadNumber()
			}
		default:
			err = r.Skip()
		}
		return err
	})
	return at, precision, err
}

func (c *content) readIdentity(r *ddbjson.Reader) error {
	if null, err := r.ReadNull(); err != nil || null {
		return err
	}
	var kind, principal string
	err := r.Object(func(member []byte) (err error) {
		switch string(member) {
		case "type", "Type":
			kind, err = readText(r)
		case "principalId", "PrincipalId":
			principal, err = readText(r)
		default:
			err = r.Skip()
		}
		return err
	})
	c.byTTL = kind == serviceType && principal == servicePrincipal
	return err
}

// readItem reads an image; null, as some sources write, is none.
func readItem(r *ddbjson.Reader) (envelope.Item, error) {
	if null, err := r.ReadNull(); err != nil || null {
		return nil, err
	}
	return r.ReadItem()
}

// readText reads a string; null is empty.
func readText(r *ddbjson.Reader) (string, error) {
	if null, err := r.ReadNull(); err != nil || null {
		return "", err
	}
	return r.ReadString()
}

// lastSecond is the last second of the year 9999.
const lastSecond = 253_402_300_799

// instant reads a JSON number of units since 1970, such as 1480642020 or
// 1.48064202E9.
func instant(text []byte, unit time.Duration) (time.Time, error) {
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		perSecond := int64(time.Second / unit)
		if n >= 0 && n/perSecond <= lastSecond {
			return time.Unix(n/perSecond, n%perSecond*int64(unit)).UTC(), nil
		}
	} else if f, err := strconv.ParseFloat(string(text), 64); err == nil {
		seconds := f * unit.Seconds()
		if seconds >= 0 && seconds <= lastSecond {
			whole, fraction := math.Modf(seconds)
			return time.Unix(int64(whole), int64(fraction*1e9)).Round(unit).UTC(), nil
		}
	}
	return time.Time{}, malformed("its time is not one between 1970 and 9999")
}
