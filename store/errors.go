package store

import (
	"errors"

	"github.com/ddbseal/ddbseal/envelope"
)

var (
	// ErrConfiguration: a table's declaration, a tag or a key is wrong.
	ErrConfiguration = envelope.ErrConfiguration
	// ErrNotFound: no item has the key.
	ErrNotFound = errors.New("item not found")
)
