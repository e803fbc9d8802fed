package kms

import (
	"encoding/base64"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
)

// A marker is the sort key of the last entry of a page, in base64: opaque, and
// good for any later state of the list.

func openMarker(marker string) (after string, err error) {
	if marker == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(marker)
	if err != nil {
		return "", call.Errorf("InvalidMarkerException", "Could not deserialize the marker.")
	}
	return string(b), nil
}

// cut returns the first page of sorted entries and the marker of the next,
// empty when there is none.
func cut[T any](entries []T, limit int, name func(T) string) (page []T, next string) {
	if len(entries) <= limit {
		return entries, ""
	}
	return entries[:limit], base64.RawURLEncoding.EncodeToString([]byte(name(entries[limit-1])))
}
