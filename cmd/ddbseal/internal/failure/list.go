// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ddbseal/ddbseal/internal/display"
)

// List is a file of the items that failed, one JSON object a line, which only its
// owner can read: keys of items can be personal data. A run that goes on where an
// earlier one was adds to the file, and a run that saw every item replaces what is
// in it.
type List struct {
	path  string
	file  *os.File
	begin int64 // where the lines of this run begin
	n     int64
}

// OpenList opens the list at path and creates it if it is not there.
func OpenList(path string) (*List, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("list of failures %s is not a regular file", path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("list of failures: %w", err)
	}
	l := &List{path: path, file: f}
	err = f.Chmod(0o600)
	if err == nil {
		l.begin, err = f.Seek(0, io.SeekEnd)
	}
	if err == nil {
		err = l.endLine()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("list of failures: %w", err), f.Close())
	}
	return l, nil
}

// endLine ends a line that a killed run has left unfinished.
func (l *List) endLine() error {
	if l.begin == 0 {
		return nil
	}
	last := []byte{0}
	if _, err := l.file.ReadAt(last, l.begin-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err := l.file.WriteString("\n")
	l.begin++
	return err
}

// Add writes an item to the list.
func (l *List) Add(item Item) error {
	line, err := json.Marshal(item)
	if err == nil {
		_, err = l.file.Write(append(display.JSON(line), '\n'))
	}
	if err != nil {
		return fmt.Errorf("list of failures %s: %w", l.path, err)
	}
	l.n++
	return nil
}

// Len is the number of items that this run added.
func (l *List) Len() int64 { return l.n }

// Close closes the list. With whole set the lines of this run are the whole list,
// and what earlier runs wrote goes.
func (l *List) Close(whole bool) (err error) {
	if whole && l.begin > 0 {
		err = l.replace()
	}
	if err = errors.Join(err, l.file.Sync(), l.file.Close()); err != nil {
		return fmt.Errorf("list of failures %s: %w", l.path, err)
	}
	return nil
}

// replace puts a file with the lines of this run into the place of the list.
func (l *List) replace() error {
	f, err := os.CreateTemp(filepath.Dir(l.path), "."+filepath.Base(l.path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // does nothing after the rename
	if _, err = l.file.Seek(l.begin, io.SeekStart); err == nil {
		_, err = io.Copy(f, l.file)
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), l.path)
}
