// SPDX-License-Identifier: Apache-2.0

package change

import "fmt"

// GapError says where changes of a stream are missing. It matches [ErrGap].
type GapError struct {
	// Table is the name of the table, Stream the ARN of the stream.
	Table, Stream string
	// Shard is the shard whose records are missing; empty if it is not known.
	Shard string
	// After is the sequence number of the last record that was handled before
	// the gap; empty if there is none.
	After string
	// Reason says why the changes are missing.
	Reason string
}

// Error names the table, the place and the reason.
func (e *GapError) Error() string {
	place := "stream " + e.Stream
	if e.Shard != "" {
		place = "shard " + e.Shard
	}
	if e.After != "" {
		place += " after sequence number " + e.After
	}
	return fmt.Sprintf("%v in the stream of table %s, %s: %s: bring the state up to date by a scan", ErrGap, e.Table,
		place, e.Reason)
}

// Unwrap returns ErrGap.
func (e *GapError) Unwrap() error { return ErrGap }
