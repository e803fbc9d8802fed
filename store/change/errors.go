// SPDX-License-Identifier: Apache-2.0

package change

import (
	"errors"
	"fmt"

	"github.com/ddbseal/ddbseal/store"
)

// Errors of records.
var (
	// ErrRecord means that the record is malformed, truncated, or contradicts itself.
	ErrRecord = errors.New("record is malformed or incomplete")
	// ErrView means that the record has a stream view that this package does not know.
	ErrView = errors.New("unknown stream view")
	// ErrOtherTable means that the record is of another table than the one to decode for.
	ErrOtherTable = errors.New("record is of another table")
	// ErrFormat means that the input is not DynamoDB JSON, such as an export in Amazon Ion.
	ErrFormat = errors.New("input is not DynamoDB JSON")
)

// Errors that end [Follow].
var (
	// ErrNoStream means that the table has no stream, or its stream was disabled and all of
	// its changes have been handled.
	ErrNoStream = errors.New("table has no enabled stream")
	// ErrGap means that changes are missing, because DynamoDB removed them before they
	// were read. The error is a [*GapError].
	ErrGap = errors.New("changes are missing")
	// ErrHandler means that the handler panicked, or did not return in time.
	ErrHandler = errors.New("handler failed")
	// ErrTakenOver means that another process follows under the same checkpoint.
	ErrTakenOver = errors.New("another process follows with this checkpoint")
	// ErrCheckpoint means that the checkpoint could not be read or written, or is damaged.
	ErrCheckpoint = errors.New("checkpoint cannot be used")
)

// RecordError means that one record could not be decoded or handled. Other
// records are not affected. Its text has neither the key nor a value.
type RecordError struct {
	// Table is the name of the table to decode for.
	Table string
	// Index is the index of the record in the call of [Decode], or the number
	// of its line in an export, from 1.
	Index int
	// Sequence is the record's sequence number; empty if it has none, or could
	// not be read.
	Sequence string
	// Key is zero if the record's key could not be read. Its values are of type
	// types.AttributeValue.
	Key store.Key
	Err error
}

// Error names the table, the record and the reason.
func (e *RecordError) Error() string {
	if e.Sequence == "" {
		return fmt.Sprintf("record %d of table %s: %v", e.Index, e.Table, e.Err)
	}
	return fmt.Sprintf("record %d of table %s, sequence number %s: %v", e.Index, e.Table, printable(e.Sequence), e.Err)
}

// Unwrap returns the reason.
func (e *RecordError) Unwrap() error { return e.Err }

// printable shortens text of a record for an error.
func printable(s string) string {
	const longest = 64
	if len(s) > longest {
		return fmt.Sprintf("%.64q…", s)
	}
	for _, r := range s {
		if r < '!' || r > '~' {
			return fmt.Sprintf("%q", s)
		}
	}
	return s
}

// malformed returns an error of a record.
func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRecord}, args...)...)
}

// panicError is a panic in code of the application. Its text leaves the panic's
// value out, which may be made of an item's.
type panicError struct{ value any }

func (e *panicError) Error() string {
	return fmt.Sprintf("%v: it panicked with a %T", ErrHandler, e.value)
}

// Unwrap returns ErrHandler and the panic's value if it is an error.
func (e *panicError) Unwrap() []error {
	if err, ok := e.value.(error); ok {
		return []error{ErrHandler, err}
	}
	return []error{ErrHandler}
}
