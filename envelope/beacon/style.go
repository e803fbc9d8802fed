// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"fmt"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Style says how a standard beacon is stored and under which key it is computed.
// (Specification: [beacons], "Beacon Style Initialization".)
//
// [beacons]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/beacons.md#beacon-style-initialization
type Style uint8

const (
	// Plain stores one hash of the whole value, as a string.
	Plain Style = iota
	// PartOnly stores nothing. The beacon serves compound beacons only.
	PartOnly
	// AsSet stores one hash for each element of a set, as a string set.
	AsSet
	// Shared stores what Plain does, under the key of another beacon, so that
	// equal values of both have equal beacons.
	Shared
	// SharedSet stores what AsSet does, under the key of another beacon.
	SharedSet
)

var styleNames = [...]string{
	Plain: "", PartOnly: "partOnly", AsSet: "asSet", Shared: "shared", SharedSet: "sharedSet",
}

// String returns the official name, such as asSet; Plain has none and returns
// "plain".
func (s Style) String() string {
	switch {
	case s == Plain:
		return "plain"
	case s.valid():
		return styleNames[s]
	}
	return fmt.Sprintf("Style(%d)", uint8(s))
}

// ParseStyle reads an official name; "" and "plain" are Plain. Anything else
// fails with [materials.ErrConfiguration].
func ParseStyle(name string) (Style, error) {
	if name == "plain" {
		return Plain, nil
	}
	for s, n := range styleNames {
		if n == name {
			return Style(s), nil
		}
	}
	return 0, fmt.Errorf("%w: unknown beacon style %.60q", materials.ErrConfiguration, name)
}

// MarshalText writes the name that [Style.String] returns; an invalid style fails
// with [materials.ErrConfiguration].
func (s Style) MarshalText() ([]byte, error) {
	if !s.valid() {
		return nil, fmt.Errorf("%w: %v", materials.ErrConfiguration, s)
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads a name as [ParseStyle] does.
func (s *Style) UnmarshalText(text []byte) error {
	parsed, err := ParseStyle(string(text))
	if err == nil {
		*s = parsed
	}
	return err
}

func (s Style) valid() bool { return int(s) < len(styleNames) }

// set reports whether the beacon has a hash for each element of a set.
func (s Style) set() bool { return s == AsSet || s == SharedSet }

// shared reports whether the beacon uses the key of another one.
func (s Style) shared() bool { return s == Shared || s == SharedSet }
