// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

var errNotMarshalled = errors.New("keys of the older DynamoDB Encryption Client are never marshalled")

const redacted = "[legacy key]"

// redaction makes a type that embeds it print as a constant under every verb and
// refuse to be marshalled.
type redaction struct{}

// Format prints a constant.
func (redaction) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }

// LogValue hides the key from structured logs.
func (redaction) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON always fails.
func (redaction) MarshalJSON() ([]byte, error) { return nil, errNotMarshalled }

// MarshalText always fails.
func (redaction) MarshalText() ([]byte, error) { return nil, errNotMarshalled }

// GobEncode always fails.
func (redaction) GobEncode() ([]byte, error) { return nil, errNotMarshalled }
