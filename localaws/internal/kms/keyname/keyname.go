// SPDX-License-Identifier: Apache-2.0

// Package keyname has the names of KMS: ids and ARNs of keys, names and ARNs of
// aliases, and what a KeyId parameter may say.
package keyname

import (
	"encoding/hex"
	"strings"

	"github.com/google/uuid"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const arnPrefix = "arn:aws:kms:"

// ARN returns the ARN of the key id in an account and a Region.
func ARN(at wire.Place, id string) string {
	return arnPrefix + at.Region + ":" + at.Account + ":key/" + id
}

// AliasARN returns the ARN of the alias name, which begins with alias/.
func AliasARN(at wire.Place, name string) string {
	return arnPrefix + at.Region + ":" + at.Account + ":" + name
}

// FormatID spells a key id: a UUID, or mrk- and 32 digits.
func FormatID(raw [16]byte, multiRegion bool) string {
	if multiRegion {
		return "mrk-" + hex.EncodeToString(raw[:])
	}
	return uuid.UUID(raw).String()
}

// ParseID reads a key id as FormatID spells it; ok tells whether it is one.
func ParseID(id string) (raw [16]byte, multiRegion, ok bool) {
	if digits, is := strings.CutPrefix(id, "mrk-"); is {
		if len(digits) != 32 {
			return raw, true, false
		}
		_, err := hex.Decode(raw[:], []byte(digits))
		return raw, true, err == nil
	}
	if len(id) != 36 {
		return raw, false, false
	}
	u, err := uuid.Parse(id)
	return u, false, err == nil
}

// Name is what a KeyId parameter says: one of ID and Alias is set.
type Name struct {
	wire.Place
	ID    string
	Alias string // "alias/…"
}

// Parse takes a key id, a key ARN, an alias name or an alias ARN. What is not
// qualified is in home, the caller's account and Region. Errors:
// InvalidArnException, NotFoundException.
func Parse(text string, home wire.Place) (Name, error) {
	n := Name{Place: home}
	rest := text
	if strings.HasPrefix(text, "arn:") {
		parts := strings.SplitN(text, ":", 6)
		if len(parts) != 6 || parts[1] != "aws" || parts[2] != "kms" || parts[3] == "" || !IsAccount(parts[4]) {
			return n, invalidARN("Invalid arn %s", text)
		}
		if parts[3] != home.Region {
			return n, notFound("Invalid arn %s", parts[3])
		}
		n.Account, rest = parts[4], parts[5]
		if id, ok := strings.CutPrefix(rest, "key/"); ok {
			rest = id
		} else if !strings.HasPrefix(rest, "alias/") {
			return n, invalidARN("Invalid arn %s", text)
		}
	}
	switch {
	case strings.HasPrefix(rest, "alias/"):
		if !ValidAlias(rest) {
			return n, notFound("Alias %s is not found.", AliasARN(n.Place, rest))
		}
		n.Alias = rest
	default:
		if _, _, ok := ParseID(rest); !ok {
			return n, notFound("Invalid keyId '%s'", text)
		}
		n.ID = rest
	}
	return n, nil
}

// ValidAlias tells whether name is alias/ and 1 to 250 of the characters that
// aliases may have.
func ValidAlias(name string) bool {
	rest, ok := strings.CutPrefix(name, "alias/")
	if !ok || rest == "" || len(name) > 256 {
		return false
	}
	return !strings.ContainsFunc(rest, func(r rune) bool { return !InAlias(r) })
}

// InAlias tells whether the name of an alias can have r.
func InAlias(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '/' || r == '_' || r == '-'
}

// IsAccount tells whether s has the form of an account id: 12 digits.
func IsAccount(s string) bool {
	return len(s) == 12 && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// ValidRegion tells whether name looks like a Region, such as us-gov-east-1.
func ValidRegion(name string) bool {
	parts := strings.Split(name, "-")
	if len(name) > 32 || len(parts) < 3 || len(parts[0]) != 2 {
		return false
	}
	for i, p := range parts {
		last := i == len(parts)-1
		if p == "" || strings.ContainsFunc(p, func(r rune) bool {
			return last && (r < '0' || r > '9') || !last && (r < 'a' || r > 'z')
		}) {
			return false
		}
	}
	return true
}

func notFound(format string, args ...any) error {
	return request.Errorf("NotFoundException", format, args...)
}

func invalidARN(format string, args ...any) error {
	return request.Errorf("InvalidArnException", format, args...)
}
