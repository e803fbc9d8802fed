// SPDX-License-Identifier: Apache-2.0

// Package request builds the expressions of a table's requests, and refuses those
// that DynamoDB could not evaluate over what the table stores. It makes no call.
package request

import (
	"github.com/ddbseal/ddbseal/store/internal/visibility"
)

// Table is what requests of a table depend on.
type Table struct{ visibility.Table }
