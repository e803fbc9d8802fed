// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Progress counts items on a terminal. The nil Progress does nothing.
type Progress struct{ bar *progressbar.ProgressBar }

// NewProgress returns a Progress that is shown on shown, or nil: it is shown where
// shown is a terminal and the items come from in and go to out, which are not.
func NewProgress(in io.Reader, out, shown io.Writer) *Progress {
	_, seen := Size(shown)
	_, typed := Size(in)
	_, mixed := Size(out)
	if !seen || typed || mixed {
		return nil
	}
	return &Progress{progressbar.NewOptions(-1, progressbar.OptionSetWriter(shown), progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("items"), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish())}
}

// What cannot be drawn is not missed: errors of the bar are ignored.

// Add counts an item.
func (p *Progress) Add() {
	if p != nil {
		_ = p.bar.Add(1)
	}
}

// Clear removes the bar before a line is printed.
func (p *Progress) Clear() {
	if p != nil {
		_ = p.bar.Clear()
	}
}

// End removes the bar.
func (p *Progress) End() {
	if p != nil {
		_ = p.bar.Finish()
	}
}
