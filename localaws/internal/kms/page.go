// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"encoding/base64"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// A marker is the sort key of the last entry of a page, in base64: opaque, and
// good for any later state of the list.

func openMarker(marker string) (after string, err error) {
	b, err := base64.RawURLEncoding.DecodeString(marker)
	if err != nil {
		return "", request.Errorf("InvalidMarkerException", "Could not deserialize the marker.")
	}
	return string(b), nil
}

// cut returns the page of entries, sorted by name, that follows after, and the
// marker of the next, empty when there is none.
func cut[T any](entries []T, after string, limit int, name func(T) string) (page []T, next string) {
	page, last := wire.Page(entries, name, after, limit)
	return page, base64.RawURLEncoding.EncodeToString([]byte(last))
}
