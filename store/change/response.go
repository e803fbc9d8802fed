// SPDX-License-Identifier: Apache-2.0

package change

import "errors"

// BatchResponse is the result of a Lambda function whose event source mapping
// has ReportBatchItemFailures. Lambda delivers the records again, starting with
// the first failed one. Without failures the batch is done.
type BatchResponse struct {
	BatchItemFailures []BatchItemFailure `json:"batchItemFailures"`
}

// BatchItemFailure names a record that failed by its sequence number.
type BatchItemFailure struct {
	ItemIdentifier string `json:"itemIdentifier"`
}

// Response returns the result of a function that stopped at the first record
// that failed, with the error err, or that had no failure if err is nil. Do
// stop there: Lambda delivers the later records again, and the changes of a key
// stay in order.
//
// Response reports false if err has no sequence number of a record. Return err
// from the function in that case, and Lambda delivers the whole batch again.
func Response(err error) (BatchResponse, bool) {
	none := BatchResponse{BatchItemFailures: []BatchItemFailure{}}
	if err == nil {
		return none, true
	}
	var record *RecordError
	if !errors.As(err, &record) || record.Sequence == "" {
		return none, false
	}
	return BatchResponse{BatchItemFailures: []BatchItemFailure{{record.Sequence}}}, true
}

// Failed returns the error for [Response] of a record that decoded and could
// not be handled: a [*RecordError] with the change's key and sequence number.
func (c Change[T]) Failed(err error) error {
	return &RecordError{Table: c.table, Index: c.index, Sequence: c.Sequence, Key: c.Key, Err: err}
}
