// SPDX-License-Identifier: Apache-2.0

package change

import (
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// formatError is input in a format that this package does not read.
type formatError struct{ what string }

// Error names the format and the cure.
func (e *formatError) Error() string {
	return ErrFormat.Error() + ": " + e.what + ": export with ExportFormat DYNAMODB_JSON, or choose JSON records"
}

// Unwrap returns ErrFormat.
func (e *formatError) Unwrap() error { return ErrFormat }

// ion reports text that begins as Amazon Ion does, binary or text.
func ion(text []byte) bool {
	const binary, version = "\xe0\x01\x00\xea", "$ion_"
	return len(text) >= len(binary) && string(text[:len(binary)]) == binary ||
		len(text) >= len(version) && string(text[:len(version)]) == version
}

// readLine reads a line of an export: {"Item":{…}}, or an incremental one with
// Metadata, Keys, OldImage and NewImage.
func (c *content) readLine(text []byte) error {
	if ion(text) {
		return &formatError{"Amazon Ion"}
	}
	r := ddbjson.NewReader(text)
	item, incremental := false, false
	err := r.Object(func(member []byte) (err error) {
		switch string(member) {
		case "Item":
			item = true
			c.new, err = readItem(r)
		case "Keys":
			incremental = true
			c.keys, err = readItem(r)
		case "OldImage":
			incremental = true
			c.old, err = readItem(r)
		case "NewImage":
			incremental = true
			c.new, err = readItem(r)
		case "Metadata":
			incremental = true
			err = c.readMetadata(r)
		default:
			// A member of a later version could say that the line means something
			// else.
			return malformed("unknown member %s of a line", printable(string(member)))
		}
		return err
	})
	if err == nil {
		err = errors.Join(r.End(), r.Invalid())
	}
	switch {
	case errors.Is(err, ErrRecord):
		return err
	case err != nil:
		return malformed("%w", err)
	case item == incremental:
		return malformed("a line of an export has either Item, or Metadata and Keys")
	case item:
		c.kind, c.snapshot = Snapshot, true
		return nil
	}
	c.kindFromImage = true
	switch {
	case len(c.new) == 0:
		c.kind = Remove
	case len(c.old) == 0:
		c.kind = Insert
	default:
		c.kind = Modify
	}
	return nil
}

// readMetadata reads the time of the write, of the form {"N": "…"}.
func (c *content) readMetadata(r *ddbjson.Reader) error {
	var metadata envelope.Item
	metadata, err := r.ReadItem()
	if err != nil {
		return err
	}
	n, ok := metadata["WriteTimestampMicros"].(*types.AttributeValueMemberN)
	if !ok {
		return malformed("Metadata lacks the number WriteTimestampMicros")
	}
	c.at, err = instant([]byte(n.Value), time.Microsecond)
	return err
}
