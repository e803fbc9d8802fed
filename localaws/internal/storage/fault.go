// SPDX-License-Identifier: Apache-2.0

package storage

// SetFault makes everything that the store writes fail with the error that
// fault returns, before a byte is written; nil ends it. It stands in for a disk
// that is full for a while, in tests of what uses a store.
func (f *File) SetFault(fault func() error) {
	if fault == nil {
		fault = noFault
	}
	f.faults.Store(&fault)
}

func noFault() error { return nil }

func (f *File) fault() error { return (*f.faults.Load())() }
