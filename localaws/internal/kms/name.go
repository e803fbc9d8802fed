package kms

import (
	"encoding/hex"
	"strings"

	"github.com/google/uuid"

	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const arnPrefix = "arn:aws:kms:"

func keyARN(at wire.Place, id string) string {
	return arnPrefix + at.Region + ":" + at.Account + ":key/" + id
}

func aliasARN(at wire.Place, name string) string {
	return arnPrefix + at.Region + ":" + at.Account + ":" + name
}

// formatKeyID spells a key id: a UUID, or mrk- and 32 digits.
func formatKeyID(raw [16]byte, multiRegion bool) string {
	if multiRegion {
		return "mrk-" + hex.EncodeToString(raw[:])
	}
	return uuid.UUID(raw).String()
}

func parseKeyID(id string) (raw [16]byte, multiRegion, ok bool) {
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

// keyName is what a KeyId parameter says: one of id and alias is set.
type keyName struct {
	wire.Place
	id    string
	alias string // "alias/…"
}

// parseKeyName takes a key id, a key ARN, an alias name or an alias ARN. What
// is not qualified is in the caller's account and Region.
func parseKeyName(text string, home wire.Place) (keyName, error) {
	n := keyName{Place: home}
	rest := text
	if strings.HasPrefix(text, "arn:") {
		parts := strings.SplitN(text, ":", 6)
		if len(parts) != 6 || parts[1] != "aws" || parts[2] != "kms" || parts[3] == "" || !isAccount(parts[4]) {
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
		if !validAlias(rest) {
			return n, notFound("Alias %s is not found.", aliasARN(n.Place, rest))
		}
		n.alias = rest
	default:
		if _, _, ok := parseKeyID(rest); !ok {
			return n, notFound("Invalid keyId '%s'", text)
		}
		n.id = rest
	}
	return n, nil
}

// validAlias tells whether name is alias/ and 1 to 250 of the characters that
// aliases may have.
func validAlias(name string) bool {
	rest, ok := strings.CutPrefix(name, "alias/")
	if !ok || rest == "" || len(name) > 256 {
		return false
	}
	return !strings.ContainsFunc(rest, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '/' || r == '_' ||
			r == '-')
	})
}

func isAccount(s string) bool {
	return len(s) == 12 && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// validRegion tells whether name looks like a Region, such as us-gov-east-1.
func validRegion(name string) bool {
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
