// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"errors"
	"fmt"

	"github.com/ddbseal/ddbseal/store/internal/tablename"
)

var (
	// ErrRefused means that the operation or parameter cannot be used while tables are
	// encrypted.
	ErrRefused = errors.New("not possible with client-side encryption")
	// ErrTableName means that a TableName is neither a table's name nor a table's ARN.
	ErrTableName = tablename.Err
	// ErrUpdateTarget means that UpdateItem found no encrypted item with the key, and
	// must not create one.
	ErrUpdateTarget = errors.New("no encrypted item has the key: UpdateItem changes unsigned attributes of items " +
		"that exist; use PutItem")
	// ErrReturnedItem means that the write is done, but the item that it returns does not
	// open. The error wraps the reason.
	ErrReturnedItem = errors.New("the write is done, but the item it returns does not open")
	// ErrTokenMismatch means that DynamoDB knows the ClientRequestToken of a transaction
	// from another request. This call wrote nothing. The other request was done
	// or is under way: it may be the same transaction, sealed by another process
	// or so long ago that this one forgot it, so read the items. The error wraps
	// the SDK's IdempotentParameterMismatchException.
	ErrTokenMismatch = errors.New("ClientRequestToken belongs to a request that was sealed otherwise: " +
		"the other request was done or is under way, this one was not done")
	// ErrInstalledTwice means that the client already has a middleware of this package.
	ErrInstalledTwice = errors.New("transparent encryption is installed twice in one client")
	// ErrRecursion means that a keyring used, for its own keys, the client that asks the
	// keyring. Give it a client without transparent encryption.
	ErrRecursion = errors.New("keyring calls DynamoDB through the client that it encrypts for")
)

// Error says which operation on which table failed in this package, rather
// than in DynamoDB. Its text carries no values, since the SDK copies it into
// traces.
type Error struct {
	Operation string // such as "PutItem"
	Table     string // as the caller named it; empty if it is about none
	Err       error
}

// Error names operation, table and reason.
func (e *Error) Error() string {
	if e.Table == "" {
		return fmt.Sprintf("transparent encryption: %s: %v", e.Operation, e.Err)
	}
	return fmt.Sprintf("transparent encryption: %s on %s: %v", e.Operation, e.Table, e.Err)
}

// Unwrap gives the reason.
func (e *Error) Unwrap() error { return e.Err }
