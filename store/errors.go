// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/attempts"
	"github.com/ddbseal/ddbseal/store/internal/composed"
	"github.com/ddbseal/ddbseal/store/internal/pace"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
	"github.com/ddbseal/ddbseal/store/internal/redaction"
	"github.com/ddbseal/ddbseal/store/internal/schema"
	"github.com/ddbseal/ddbseal/store/internal/visibility"
)

// Errors of declarations, arguments and values, found before anything is written.
var (
	// ErrConfiguration means that a table's declaration, a tag, a key or an argument is
	// wrong.
	ErrConfiguration = envelope.ErrConfiguration
	// ErrEncryptedAttribute means that an expression needs the value of an attribute
	// that DynamoDB sees only as ciphertext, and no beacon serves it.
	ErrEncryptedAttribute = visibility.ErrEncrypted
	// ErrKeyTemplate means that a value cannot be a part of the key that a tag template
	// composes, or that a stored key is not one of the template.
	ErrKeyTemplate = composed.ErrTemplate
	// ErrItemTooLarge means that the item would be over DynamoDB's 400 KB. The error is
	// a [*SizeError].
	ErrItemTooLarge = errors.New("item is too large")
	// ErrUnknownMembers means that Update would drop a member of a nested value for which
	// the Go type has no field. [DropUnknownMembers] allows it.
	ErrUnknownMembers = schema.ErrUnknownMembers
	// ErrBeacons means that Update or a migration would drop beacons that its configuration
	// does not have, and by which others search for the item. [DropBeacons] and
	// migrate.Config.DropBeacons allow it.
	ErrBeacons = errors.New("item bears beacons that the configuration does not have")
	// ErrTooWide means that Update would have to compare more attributes than one condition
	// can, about 150: all of a plaintext item, or all unsigned ones of an encrypted
	// item. On a server-side table, declare a version attribute.
	ErrTooWide = precondition.ErrTooWide
)

// Errors of items and calls.
var (
	// ErrNotFound means that no item has the key.
	ErrNotFound = errors.New("item not found")
	// ErrConditionFailed means that DynamoDB refused a write whose condition did not
	// hold. The error is a [*ConditionError] or a [*TransactionError].
	ErrConditionFailed = errors.New("condition not met")
	// ErrStaleVersion means that the item was created, changed or deleted since the value
	// was read, as its version shows. The error matches [ErrConditionFailed] too.
	ErrStaleVersion = schema.ErrStaleVersion
	// ErrConflict means that other writers were faster each time Update tried, or a write
	// met a transaction that is under way on the item.
	ErrConflict = errors.New("conflicting writes")
	// ErrUncertain means that the write may have been done. An attempt reached DynamoDB and
	// its answer was lost, and neither a later attempt nor the footer says what it
	// did. The error matches the cause too, such as a throttling exception or
	// context.Canceled. Read the item before you write again. Any other error of a
	// write says that it was not done, unless the method says otherwise.
	ErrUncertain = attempts.ErrUncertain
	// ErrExists means that [Table.Insert] found an item under the key. The error matches
	// [ErrConditionFailed] too.
	ErrExists = errors.New("an item with this key exists")
	// ErrTokenUsed means that another request had the token of [TransactWriteOnce] in the last
	// ten minutes, and this call wrote nothing. In client-side mode that request may
	// have been the same transaction: read its items to see whether it was done.
	ErrTokenUsed = errors.New("the token was used by another request in the last ten minutes")
	// ErrPartialItem means that a projection or an index gave only a part of the item,
	// which cannot be verified. Read the item by its key.
	ErrPartialItem = errors.New("item is incomplete and cannot be verified")
	// ErrOtherEntity means that the item is one of another entity type. A write that fails
	// with it changed nothing.
	ErrOtherEntity = schema.ErrOtherEntity
	// ErrClientSideItem means that a table in ServerSide mode has an item that was encrypted
	// on the client. Declare the table in ClientSide mode.
	ErrClientSideItem = schema.ErrClientSideItem
	// ErrUnprocessed means that DynamoDB left a part of a batch undone, or throttled it, for
	// a minute without progress or until the context ended between two calls.
	ErrUnprocessed = pace.ErrUnprocessed
	// ErrDeclaration means that [Table.Check] or [Create] found that the table is not as
	// declared.
	ErrDeclaration = errors.New("table differs from its declaration")
)

// ItemError says that one item could not be read, or that one value could not be
// converted to an item; others of the same page are not affected.
type ItemError struct {
	Table string
	// Key can be given to [Table.Get]: its values are of type
	// types.AttributeValue. Sort is nil for a table without a sort key. The text
	// of the error does not show it.
	Key Key
	Err error
}

// Error names the table and the reason, never a value.
func (e *ItemError) Error() string { return fmt.Sprintf("item of table %s: %v", e.Table, e.Err) }

// Unwrap gives the reason.
func (e *ItemError) Unwrap() error { return e.Err }

// ConditionError is a write that DynamoDB refused because of its condition.
// It matches [ErrConditionFailed], and wraps the SDK's exception.
type ConditionError struct {
	Table string
	// Item is the item that the table has, decrypted. It is nil if there is none, or if
	// ItemErr says why it could not be read.
	Item    envelope.Item
	ItemErr error
	// Stale means that the version of the item differs from the version of the value to write, or to
	// delete. The error then matches [ErrStaleVersion].
	Stale bool
	Err   error
}

// Error says what failed, without values.
func (e *ConditionError) Error() string {
	if e.Stale {
		return fmt.Sprintf("write to %s: %v: %v: the item was created, changed or deleted since the value was read",
			e.Table, ErrConditionFailed, ErrStaleVersion)
	}
	return fmt.Sprintf("write to %s: %v", e.Table, ErrConditionFailed)
}

// Unwrap gives [ErrConditionFailed], [ErrStaleVersion] if it applies, and the
// SDK's error.
func (e *ConditionError) Unwrap() []error {
	if e.Stale {
		return []error{ErrConditionFailed, ErrStaleVersion, e.Err}
	}
	return []error{ErrConditionFailed, e.Err}
}

// SizeError is an item over DynamoDB's limit. It matches [ErrItemTooLarge].
type SizeError struct {
	Table string
	// Plain and Stored are the sizes in bytes as DynamoDB counts them, before
	// and after encryption.
	Plain, Stored int
}

// maxItemSize is DynamoDB's limit in bytes.
const maxItemSize = 400 << 10

// Error states both sizes.
func (e *SizeError) Error() string {
	return fmt.Sprintf("%v for table %s: %d bytes, %d as stored; the limit is %d", ErrItemTooLarge, e.Table, e.Plain,
		e.Stored, maxItemSize)
}

// Unwrap gives [ErrItemTooLarge].
func (e *SizeError) Unwrap() error { return ErrItemTooLarge }

// TransactionError is a cancelled transaction. It matches [ErrConditionFailed],
// [ErrStaleVersion], [ErrOtherEntity] or [ErrConflict] when a reason is one of
// these, and wraps the SDK's exception.
type TransactionError struct {
	// Reasons has one entry for each operation, in their order.
	Reasons []Reason
	Err     error
}

// Reason is why one operation cancelled a transaction.
type Reason struct {
	Table string
	// Code is DynamoDB's, such as "ConditionalCheckFailed" or
	// "TransactionConflict"; "None" for an operation that is not at fault.
	Code string
	// Item is the item as it is, decrypted, where a condition failed.
	Item    envelope.Item
	ItemErr error
	// Err says more of a condition that failed: it matches [ErrStaleVersion], or
	// [ErrOtherEntity] for an item of another entity. It is nil if a condition of
	// the application failed.
	Err error
}

// conditionFailed is the code of a condition that failed.
const conditionFailed = "ConditionalCheckFailed"

// Error lists the codes.
func (e *TransactionError) Error() string {
	var b strings.Builder
	b.WriteString("transaction cancelled")
	for i, r := range e.Reasons {
		if r.Code != "None" {
			fmt.Fprintf(&b, "; operation %d on %s: %s", i, r.Table, r.Code)
			if r.Err != nil {
				fmt.Fprintf(&b, ": %v", r.Err)
			}
		}
	}
	return b.String()
}

// Unwrap gives the sentinels that apply and the SDK's error.
func (e *TransactionError) Unwrap() []error {
	out := []error{e.Err}
	for _, r := range e.Reasons {
		switch r.Code {
		case conditionFailed:
			if !errors.Is(r.Err, ErrOtherEntity) {
				out = append(out, ErrConditionFailed)
			}
			if r.Err != nil {
				out = append(out, r.Err)
			}
		case pace.TransactionConflict:
			out = append(out, ErrConflict)
		}
	}
	return out
}

// callError puts the call before the SDK's error.
func (c *core) callError(call string, err error) error {
	err = callError(call, c.name, err)
	if errors.Is(err, ErrConflict) {
		c.counts.transactionConflicts.Add(1)
	}
	return err
}

// callError puts the call and the names of its tables before the SDK's error.
func callError(call, tables string, err error) error {
	err = redaction.Answer(err)
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return fmt.Errorf("%s of %s: %w: no such table in the client's account and region: %w", call, tables,
			ErrDeclaration, err)
	}
	var busy *types.TransactionConflictException
	if errors.As(err, &busy) {
		return fmt.Errorf("%s of %s: %w: %w", call, tables, ErrConflict, err)
	}
	return fmt.Errorf("%s of %s: %w", call, tables, err)
}
