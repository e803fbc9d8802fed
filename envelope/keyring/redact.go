package keyring

import (
	"errors"
	"fmt"
	"log/slog"
)

var errNotMarshalled = errors.New("the configuration of a raw keyring holds a key and is never marshalled")

// Format prints namespace and name: the key never shows in a log.
func (c RawAESConfig) Format(w fmt.State, _ rune) {
	_, _ = fmt.Fprintf(w, "[raw AES key %q %q]", c.Namespace, c.Name)
}

// LogValue hides the key from structured logs.
func (c RawAESConfig) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// MarshalJSON always fails.
func (RawAESConfig) MarshalJSON() ([]byte, error) { return nil, errNotMarshalled }

// MarshalText always fails.
func (RawAESConfig) MarshalText() ([]byte, error) { return nil, errNotMarshalled }

// GobEncode always fails.
func (RawAESConfig) GobEncode() ([]byte, error) { return nil, errNotMarshalled }

// Format prints namespace, name and padding: the key never shows in a log.
func (c RawRSAConfig) Format(w fmt.State, _ rune) {
	_, _ = fmt.Fprintf(w, "[raw RSA key %q %q %v]", c.Namespace, c.Name, c.Padding)
}

// LogValue hides the key from structured logs.
func (c RawRSAConfig) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// MarshalJSON always fails.
func (RawRSAConfig) MarshalJSON() ([]byte, error) { return nil, errNotMarshalled }

// MarshalText always fails.
func (RawRSAConfig) MarshalText() ([]byte, error) { return nil, errNotMarshalled }

// GobEncode always fails.
func (RawRSAConfig) GobEncode() ([]byte, error) { return nil, errNotMarshalled }
