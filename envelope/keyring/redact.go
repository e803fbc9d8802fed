// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"encoding/hex"
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

// Format prints the public keys: the private key never shows in a log.
func (c RawECDHConfig) Format(w fmt.State, _ rune) {
	own, partner := "none", "none"
	if c.PrivateKey != nil {
		own = hex.EncodeToString(c.PrivateKey.PublicKey().Bytes())
	}
	if c.PartnerKey != nil {
		partner = hex.EncodeToString(c.PartnerKey.Bytes())
	}
	_, _ = fmt.Fprintf(w, "[raw ECDH key %s, partner %s]", own, partner)
}

// LogValue hides the key from structured logs.
func (c RawECDHConfig) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// MarshalJSON always fails.
func (RawECDHConfig) MarshalJSON() ([]byte, error) { return nil, errNotMarshalled }

// MarshalText always fails.
func (RawECDHConfig) MarshalText() ([]byte, error) { return nil, errNotMarshalled }

// GobEncode always fails.
func (RawECDHConfig) GobEncode() ([]byte, error) { return nil, errNotMarshalled }
