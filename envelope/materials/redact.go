// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

var errNotMarshalled = errors.New("cryptographic materials are never marshalled")

const redacted = "[cryptographic materials]"

// redaction makes a type that embeds it print as a constant under every verb
// and refuse encoding/json, encoding/gob and encoding/xml text.
type redaction struct{}

func (redaction) Format(w fmt.State, _ rune)   { _, _ = io.WriteString(w, redacted) }
func (redaction) String() string               { return redacted }
func (redaction) GoString() string             { return redacted }
func (redaction) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (redaction) MarshalJSON() ([]byte, error) { return nil, errNotMarshalled }
func (redaction) MarshalText() ([]byte, error) { return nil, errNotMarshalled }
func (redaction) GobEncode() ([]byte, error)   { return nil, errNotMarshalled }

// Format prints a constant: a branch key never shows in a log.
func (BranchKey) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "[branch key]") }

// LogValue hides the key from structured logs.
func (BranchKey) LogValue() slog.Value { return slog.StringValue("[branch key]") }

// MarshalJSON always fails.
func (BranchKey) MarshalJSON() ([]byte, error) { return nil, errNotMarshalled }

// MarshalText always fails.
func (BranchKey) MarshalText() ([]byte, error) { return nil, errNotMarshalled }

// GobEncode always fails.
func (BranchKey) GobEncode() ([]byte, error) { return nil, errNotMarshalled }
