// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"github.com/ddbseal/ddbseal/envelope/internal/format"
)

// plainKept is the largest plaintext buffer kept for the next item.
const plainKept = 512 << 10

// work is the memory that one operation needs and that nothing outlives: it is
// kept for the next item after everything secret in it has been overwritten.
type work struct {
	entries  []entry // signed attributes in canonical order
	unsigned []entry // the others, except header and footer
	item     itemKeys
	record   *format.Record
	legend   []byte
	keys     []byte // field keys and nonces
	plain    []byte // a decrypted value before it is parsed; zero between uses
}

func newWork() *work { return &work{record: format.NewRecord()} }

func (e *ItemEncryptor) borrow() *work { return e.work.Get().(*work) }

func (e *ItemEncryptor) giveBack(w *work) {
	clear(w.entries) // or the pool would keep items alive
	w.entries = w.entries[:0]
	clear(w.unsigned)
	w.unsigned = w.unsigned[:0]
	w.item.wipe()
	w.legend = w.legend[:0]
	clear(w.keys)
	w.keys = w.keys[:0]
	if cap(w.plain) > plainKept {
		w.plain = nil
	}
	e.work.Put(w)
}
