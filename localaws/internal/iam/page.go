// SPDX-License-Identifier: Apache-2.0

package iam

import "github.com/ddbseal/ddbseal/localaws/internal/wire"

// paging are the parameters of every List operation.
type paging struct {
	Marker   string
	MaxItems *int
}

// paged are the members of every list's result.
type paged struct {
	IsTruncated bool
	Marker      string `xml:",omitempty"`
}

const (
	defaultPage = 100
	maxPage     = 1000
)

// page cuts the part of items, sorted by key, that follows the marker. The
// marker is the last key given, so that changes between pages lose nothing.
func page[T any](items []T, key func(T) string, p paging) ([]T, paged, error) {
	limit := defaultPage
	if p.MaxItems != nil {
		limit = *p.MaxItems
	}
	if limit < 1 || limit > maxPage {
		return nil, paged{}, wire.Outside("maxItems", limit, 1, maxPage)
	}
	items, next := wire.Page(items, key, p.Marker, limit)
	return items, paged{IsTruncated: next != "", Marker: next}, nil
}

// list adapts page to handlers that answer one struct.
func list[T any](items []T, key func(T) string, p paging, result func([]T, paged) any) (any, error) {
	items, more, err := page(items, key, p)
	if err != nil {
		return nil, err
	}
	return result(items, more), nil
}
